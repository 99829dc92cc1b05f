//! Which days count, and how much counted time lies between two instants.
//!
//! The rule: counted time is wall time less all time of days that do not count, in the heartbeat's zone. Days have 23 or 25
//! hours where clocks change; each instant belongs to the day that the wall shows. Sundays count only where all days do.
//! (The heartbeat service's original read weekends otherwise; see `contracts.md` 1.1.4, whose table is a test here.)

use crate::time::{DAY_MS, Day, Duration, Instant, Zone};
use std::sync::Arc;

/// The days of a week that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Counted {
    #[default]
    All,
    Weekdays,
    WeekdaysAndSaturday,
}

impl Counted {
    const ALL: [Counted; 3] = [Counted::All, Counted::Weekdays, Counted::WeekdaysAndSaturday];

    /// As the configuration writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Counted::All => "all",
            Counted::Weekdays => "weekdays",
            Counted::WeekdaysAndSaturday => "weekdays+saturday",
        }
    }

    /// The inverse of [`Counted::word`].
    pub fn parse(word: &str) -> Option<Counted> {
        Counted::ALL.into_iter().find(|counted| counted.word() == word)
    }

    /// How many of a week's first days count: weeks begin on Monday, so what does not count is at their end.
    const fn days(self) -> i64 {
        match self {
            Counted::All => 7,
            Counted::Weekdays => 5,
            Counted::WeekdaysAndSaturday => 6,
        }
    }
}

/// What counts, in which zone, less which holidays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counting {
    counted: Counted,
    zone: Zone,
    /// Sorted, each once, only days that would count else. Shared by all heartbeats of the calendar.
    holidays: Arc<[Day]>,
}

impl Counting {
    /// A rule; the holidays may come in any order.
    pub fn new(counted: Counted, zone: Zone, holidays: impl IntoIterator<Item = Day>) -> Counting {
        let mut holidays: Vec<Day> =
            holidays.into_iter().filter(|day| i64::from(day.weekday()) < counted.days()).collect();
        holidays.sort_unstable();
        holidays.dedup();
        Counting { counted, zone, holidays: holidays.into() }
    }

    /// All time counts.
    pub fn all(zone: Zone) -> Counting {
        Counting { counted: Counted::All, zone, holidays: Arc::default() }
    }

    /// The zone whose days are meant.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// What counts, for people: `weekdays without 3 holidays`.
    pub fn words(&self) -> String {
        let days = match self.counted {
            Counted::All => "all days",
            Counted::Weekdays => "weekdays",
            Counted::WeekdaysAndSaturday => "weekdays and Saturdays",
        };
        match self.holidays.len() {
            0 => days.to_owned(),
            1 => format!("{days} without 1 holiday"),
            many => format!("{days} without {many} holidays"),
        }
    }

    /// Whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        self.counted == Counted::All && self.holidays.is_empty()
    }

    /// Whether this day counts.
    pub fn counts(&self, day: Day) -> bool {
        i64::from(day.weekday()) < self.counted.days() && self.holidays.binary_search(&day).is_err()
    }

    /// Counted time from one instant to a later one; zero when it is not later.
    pub fn elapsed(&self, from: Instant, to: Instant) -> Duration {
        if self.is_everything() || to <= from {
            return to.since(from);
        }
        let mut total = 0;
        let mut at = from;
        while at < to {
            let stretch = self.zone.stretch(at);
            let end = stretch.until.map_or(to, |until| until.min(to));
            total += self.before(end.ms() + stretch.offset_ms) - self.before(at.ms() + stretch.offset_ms);
            at = end;
        }
        Duration::from_millis(total.max(0) as u64)
    }

    /// The first instant at which so much counted time has passed.
    pub fn reached(&self, from: Instant, amount: Duration) -> Instant {
        self.walk(from, amount, false)
    }

    /// The last instant at which not more than so much counted time has passed: after it, it is more. It differs from
    /// [`Counting::reached`] where the amount is full at the end of a day and the next does not count.
    pub fn exhausted(&self, from: Instant, amount: Duration) -> Instant {
        self.walk(from, amount, true)
    }

    fn walk(&self, from: Instant, amount: Duration, past_equal: bool) -> Instant {
        if self.is_everything() {
            return from + amount;
        }
        let mut rest = i64::try_from(amount.as_millis()).unwrap_or(i64::MAX);
        if rest == 0 && !past_equal {
            return from;
        }
        let mut at = from;
        while at < Instant::MAX {
            let stretch = self.zone.stretch(at);
            let begin = at.ms() + stretch.offset_ms;
            let here = self.before(begin);
            let end = stretch.until.unwrap_or(Instant::MAX);
            let all = self.before(end.ms() + stretch.offset_ms) - here;
            if all > rest || (all == rest && !past_equal) {
                let local = self.local_at(here.saturating_add(rest), begin, past_equal);
                return Instant::from_ms(local - stretch.offset_ms);
            }
            rest -= all;
            at = end;
        }
        Instant::MAX
    }

    /// Counted milliseconds of the wall before this local time, from a Monday long ago.
    fn before(&self, local: i64) -> i64 {
        // 1970-01-01 was a Thursday: weeks begin three days earlier.
        let shifted = local + 3 * DAY_MS;
        let days = self.counted.days();
        let weeks = shifted.div_euclid(7 * DAY_MS);
        let counted = weeks * days * DAY_MS + shifted.rem_euclid(7 * DAY_MS).min(days * DAY_MS);
        let today = Day::of_local(local);
        let past = self.holidays.partition_point(|day| *day < today);
        let part = if self.holidays.get(past) == Some(&today) { local - today.start() } else { 0 };
        counted - past as i64 * DAY_MS - part
    }

    /// The first (or last) local time, not before `least`, before which so much is counted.
    fn local_at(&self, counted: i64, least: i64, last: bool) -> i64 {
        let enough = |local: i64| {
            let before = self.before(local);
            if last { before > counted } else { before >= counted }
        };
        if enough(least) {
            return least;
        }
        // `low` is never enough, `high` always.
        let (mut low, mut step) = (least, DAY_MS);
        while !enough(low + step) {
            low += step;
            step *= 2;
        }
        let mut high = low + step;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if enough(middle) { high = middle } else { low = middle }
        }
        if last { low } else { high }
    }
}
