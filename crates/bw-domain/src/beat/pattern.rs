//! What cron and OnCalendar expressions compile to: masks of the calendar's fields, and the search for the next time
//! that they hold. Nothing is allocated while searching.
//!
//! Clocks are put forward (local times are *skipped*) and back (they come *twice*). A pattern says what that means:
//! the search only follows, so each kind of expression does what the program does whose jobs are watched.

use crate::time::{DAY_MS, Day, Instant, Stretch, Zone, days_in};

/// Years beyond this are never: where systemd ends, too.
pub(super) const YEAR_MAX: i32 = 2199;
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

/// Values from `start`, each `repeat` later (0: only one), up to `stop`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Chain {
    pub start: u32,
    pub stop: Option<u32>,
    pub repeat: u32,
}

impl Chain {
    /// The smallest value that is not below `least`.
    pub fn at_least(&self, least: u32) -> Option<u32> {
        if self.start >= least {
            return Some(self.start);
        }
        if self.repeat == 0 {
            return None;
        }
        let value = self.start + (least - self.start).div_ceil(self.repeat) * self.repeat;
        self.stop.is_none_or(|stop| value <= stop).then_some(value)
    }
}

/// Which seconds of a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seconds {
    Whole(u64),
    /// In microseconds.
    Parts(Vec<Chain>),
}

/// How the day of the month and the day of the week work together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    Both,
    Either,
}

/// Which days. Bits of days are their numbers (bit 0 unused); bits of weekdays count from Monday.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Days {
    pub of_month: u32,
    /// Counted from the end: bit 1 is the last day.
    pub from_end: u32,
    /// The working day (Monday to Friday) nearest to this day, in the same month.
    pub nearest: u32,
    /// The last working day of the month.
    pub last_working: bool,
    pub of_week: u8,
    /// For each weekday: bits 1 to 5 its first to fifth of the month, bit 6 the last.
    pub nth: [u8; 7],
    pub join: Join,
}

/// All days of a month.
pub(super) const ANY_DAY: u32 = 0xffff_fffe;
/// All days of a week.
pub(super) const ANY_WEEKDAY: u8 = 0x7f;

impl Days {
    pub const ANY: Days = Days {
        of_month: ANY_DAY,
        from_end: 0,
        nearest: 0,
        last_working: false,
        of_week: ANY_WEEKDAY,
        nth: [0; 7],
        join: Join::Both,
    };

    fn hold(&self, day: Day, of_month: u8, length: u8) -> bool {
        let weekday = day.weekday();
        let month = self.of_month >> of_month & 1 == 1
            || self.from_end >> (length + 1 - of_month) & 1 == 1
            || (self.nearest != 0 && weekday < 5 && self.nearest_holds(weekday, of_month, length))
            || (self.last_working && weekday < 5 && of_month == last_working(day, of_month, length));
        let nth = self.nth[usize::from(weekday)];
        let week = self.of_week >> weekday & 1 == 1
            || nth >> ((of_month - 1) / 7 + 1) & 1 == 1
            || (nth >> 6 & 1 == 1 && of_month + 7 > length);
        match self.join {
            Join::Both => month && week,
            Join::Either => month || week,
        }
    }

    /// A working day stands for itself, for the Saturday after a Friday, for the Sunday before a Monday; and at the
    /// month's ends for a weekend that would else belong to another month.
    fn nearest_holds(&self, weekday: u8, of_month: u8, length: u8) -> bool {
        let asked = |day: u8| self.nearest >> day & 1 == 1;
        asked(of_month)
            || (weekday == 4 && of_month < length && asked(of_month + 1))
            || (weekday == 4 && of_month + 2 == length && asked(length))
            || (weekday == 0 && of_month > 1 && asked(of_month - 1))
            || (weekday == 0 && of_month == 3 && asked(1))
    }
}

fn last_working(day: Day, of_month: u8, length: u8) -> u8 {
    let last = Day(day.0 + i32::from(length - of_month));
    length - last.weekday().saturating_sub(4)
}

/// A compiled expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// Empty is any.
    pub years: Vec<Chain>,
    pub months: u16,
    pub days: Days,
    pub hours: u32,
    pub minutes: u64,
    pub seconds: Seconds,
    /// What was skipped when the clock was put forward happens right after.
    pub makes_up: bool,
    /// What comes twice when the clock is put back happens twice.
    pub repeats: bool,
}

impl Pattern {
    /// The first instant after this one at which the pattern holds; nothing when there is none before the year 2200.
    pub fn next(&self, zone: &Zone, after: Instant) -> Option<Instant> {
        let from = zone.local(after).saturating_add(1);
        // A plain time after a plain time: no local time in between holds, so none was skipped or doubled.
        if zone.once(from - 1).is_some()
            && let Some(at) = zone.once(self.next_local(from)?)
        {
            return Some(at);
        }
        let mut at = Instant::from_ms(after.ms() + 1);
        while Day::of_local(at.ms()).date().0 <= YEAR_MAX {
            let stretch = zone.stretch(at);
            if self.made_up(&stretch, at) {
                return Some(at);
            }
            if let Some(found) = self.within(&stretch, at) {
                return Some(found);
            }
            at = stretch.until?;
        }
        None
    }

    /// Whether this is the moment at which skipped work is done.
    fn made_up(&self, stretch: &Stretch, at: Instant) -> bool {
        let Some((since, before)) = stretch.since else { return false };
        self.makes_up
            && since == at
            && stretch.offset_ms > before
            && self.next_local(at.ms() + before).is_some_and(|found| found < at.ms() + stretch.offset_ms)
    }

    fn within(&self, stretch: &Stretch, at: Instant) -> Option<Instant> {
        let mut from = at.ms() + stretch.offset_ms;
        if let Some((since, before)) = stretch.since
            && !self.repeats
        {
            from = from.max(since.ms() + before);
        }
        let found = Instant::from_ms(self.next_local(from)? - stretch.offset_ms);
        stretch.until.is_none_or(|until| found < until).then_some(found)
    }

    /// The first local time, not before this one, at which the pattern holds.
    fn next_local(&self, from: i64) -> Option<i64> {
        let mut day = Day::of_local(from);
        let mut time = from.rem_euclid(DAY_MS);
        loop {
            let (year, month, of_month) = day.date();
            if year > YEAR_MAX {
                return None;
            }
            let wanted = self.year(year)?;
            let ahead = self.months >> month & 1 == 1;
            if wanted != year || !ahead {
                day = match (wanted == year, month) {
                    (false, _) => Day::of(wanted, 1, 1)?,
                    (true, 12) => Day::of(year + 1, 1, 1)?,
                    (true, _) => Day::of(year, month + 1, 1)?,
                };
                time = 0;
                continue;
            }
            if self.days.hold(day, of_month, days_in(year, month))
                && let Some(time) = self.time(time)
            {
                return Some(day.start() + time);
            }
            day = Day(day.0 + 1);
            time = 0;
        }
    }

    fn year(&self, year: i32) -> Option<i32> {
        if self.years.is_empty() {
            return Some(year);
        }
        let least = u32::try_from(year).unwrap_or(0);
        let found = self.years.iter().filter_map(|chain| chain.at_least(least)).min()?;
        i32::try_from(found).ok().filter(|year| *year <= YEAR_MAX)
    }

    /// The first time of day, not before this one.
    fn time(&self, from: i64) -> Option<i64> {
        let (hour, minute, ms) = (from / HOUR_MS, from / MINUTE_MS % 60, from % MINUTE_MS);
        if self.hours >> hour & 1 == 1 {
            if self.minutes >> minute & 1 == 1
                && let Some(ms) = self.second(ms)
            {
                return Some(hour * HOUR_MS + minute * MINUTE_MS + ms);
            }
            if let Some(minute) = above(self.minutes, minute) {
                return Some(hour * HOUR_MS + minute * MINUTE_MS + self.second(0)?);
            }
        }
        let hour = above(u64::from(self.hours), hour)?;
        Some(hour * HOUR_MS + above(self.minutes, -1)? * MINUTE_MS + self.second(0)?)
    }

    /// Milliseconds of the minute; parts of a millisecond count as the next.
    fn second(&self, from_ms: i64) -> Option<i64> {
        match &self.seconds {
            Seconds::Whole(mask) => above(*mask, (from_ms + 999) / 1_000 - 1).map(|second| second * 1_000),
            Seconds::Parts(chains) => {
                let least = u32::try_from(from_ms * 1_000).ok()?;
                let found = chains.iter().filter_map(|chain| chain.at_least(least)).min()?;
                Some(i64::from(found.div_ceil(1_000))).filter(|ms| *ms < MINUTE_MS)
            }
        }
    }
}

/// The lowest bit above this one.
fn above(mask: u64, bit: i64) -> Option<i64> {
    let rest = mask & (u64::MAX.checked_shl(u32::try_from(bit + 1).ok()?).unwrap_or(0));
    (rest != 0).then(|| i64::from(rest.trailing_zeros()))
}
