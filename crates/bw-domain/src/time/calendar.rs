//! Days, and zones in which clocks are put forward and back.
//!
//! Local time is a plain number of milliseconds (what the clock on the wall shows, counted as if it were UTC), so that
//! rules about it are arithmetic. A zone is a row of *stretches*, in each of which the wall and the world run side by side;
//! what happens between two stretches is the rule's decision, never the library's.

use super::Instant;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// Milliseconds of a day on a wall clock.
pub const DAY_MS: i64 = 86_400_000;

/// A day of the calendar: days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// The day of this date; nothing when there is none.
    pub fn of(year: i32, month: u8, day: u8) -> Option<Day> {
        if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
            return None;
        }
        // Years begin in March, so that the leap day is the last.
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let of_year = (153 * ((i32::from(month) + 9) % 12) + 2) / 5 + i32::from(day) - 1;
        Some(Day(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468))
    }

    /// Reads `2026-12-25`.
    pub fn parse(text: &str) -> Option<Day> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let good = parts.next().is_none() && (year.len(), month.len(), day.len()) == (4, 2, 2);
        Day::of(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).filter(|_| good)
    }

    /// Year, month and day of the month.
    pub fn date(self) -> (i32, u8, u8) {
        let shifted = self.0 + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = (of_year - (153 * month + 2) / 5 + 1) as u8;
        let month = if month < 10 { month + 3 } else { month - 9 } as u8;
        (year + era * 400 + i32::from(month <= 2), month, day)
    }

    /// 0 is Monday, 6 is Sunday.
    pub fn weekday(self) -> u8 {
        (self.0 + 3).rem_euclid(7) as u8
    }

    /// The day that a local time is on.
    pub fn of_local(local: i64) -> Day {
        Day(local.div_euclid(DAY_MS) as i32)
    }

    /// Its first moment on a wall clock.
    pub fn start(self) -> i64 {
        i64::from(self.0) * DAY_MS
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = self.date();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// How many days a month has.
pub fn days_in(year: i32, month: u8) -> u8 {
    match month {
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A zone of the IANA database, or UTC. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A name that is no zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no time zone: write a name of the IANA database, such as Europe/Berlin, America/New_York or UTC"
)]
pub struct NotAZone(String);

/// A time in which the wall clock is not touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Local time less world time.
    pub offset_ms: i64,
    /// Where it begins, and the offset before; nothing when it always was so.
    pub since: Option<(Instant, i64)>,
    /// Where the next begins; nothing when it stays so.
    pub until: Option<Instant>,
}

impl Zone {
    /// World time.
    pub const UTC: Zone = Zone(TimeZone::UTC);

    /// The zone of this name, in whatever case.
    pub fn parse(name: &str) -> Result<Zone, NotAZone> {
        match TimeZone::get(name) {
            Ok(zone) if !zone.is_unknown() => Ok(Zone(zone)),
            _ => Err(NotAZone(name.to_owned())),
        }
    }

    /// A zone without changes, so many seconds east of UTC; beyond 25 hours there is none, and UTC stands for it.
    pub fn fixed(seconds: i32) -> Zone {
        Offset::from_seconds(seconds).map_or(Zone::UTC, |offset| Zone(TimeZone::fixed(offset)))
    }

    /// As the database writes it; a zone of [`Zone::fixed`] has no name of its own and says UTC.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What is to be added to the world's time.
    pub fn offset_ms(&self, at: Instant) -> i64 {
        millis(self.0.to_offset(timestamp(at)))
    }

    /// What the clock on the wall shows.
    pub fn local(&self, at: Instant) -> i64 {
        at.ms().saturating_add(self.offset_ms(at))
    }

    /// The day on the wall.
    pub fn day(&self, at: Instant) -> Day {
        Day::of_local(self.local(at))
    }

    /// The one instant at which the wall shows this; nothing when it never does, or twice.
    pub fn once(&self, local: i64) -> Option<Instant> {
        let wall = Offset::UTC.to_datetime(timestamp(Instant::from_ms(local)));
        match self.ambiguous(wall) {
            AmbiguousOffset::Unambiguous { offset } => Some(Instant::from_ms(local - millis(offset))),
            AmbiguousOffset::Gap { .. } | AmbiguousOffset::Fold { .. } => None,
        }
    }

    fn ambiguous(&self, wall: DateTime) -> AmbiguousOffset {
        self.0.to_ambiguous_timestamp(wall).offset()
    }

    /// The stretch that an instant is in.
    pub fn stretch(&self, at: Instant) -> Stretch {
        let at = timestamp(at);
        let just_after = at.as_millisecond().saturating_add(1);
        let since = self.0.preceding(timestamp(Instant::from_ms(just_after))).next().map(|change| {
            let begin = Instant::from_ms(change.timestamp().as_millisecond());
            (begin, self.offset_ms(Instant::from_ms(begin.ms() - 1)))
        });
        let until = self.0.following(at).next();
        Stretch {
            offset_ms: millis(self.0.to_offset(at)),
            since,
            until: until.map(|change| Instant::from_ms(change.timestamp().as_millisecond())),
        }
    }
}

fn millis(offset: Offset) -> i64 {
    i64::from(offset.seconds()) * 1_000
}

/// Instants beyond the calendar stand at its ends.
fn timestamp(at: Instant) -> Timestamp {
    Timestamp::from_millisecond(at.ms()).unwrap_or(if at.ms() < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let mut date = jiff::civil::date(1968, 1, 1);
        let mut day = Day::of(1968, 1, 1).unwrap();
        while date.year() < 2201 {
            let (year, month, of_month) = (i32::from(date.year()), date.month() as u8, date.day() as u8);
            assert_eq!(day.date(), (year, month, of_month));
            assert_eq!(Day::of(year, month, of_month), Some(day));
            assert_eq!(day.weekday(), date.weekday().to_monday_zero_offset() as u8);
            (date, day) = (date.tomorrow().unwrap(), Day(day.0 + 1));
        }
        assert_eq!(Day::of(2026, 2, 29), None);
        assert_eq!(Day::of(2028, 2, 29).unwrap().to_string(), "2028-02-29");
    }

    #[test]
    fn a_zone_is_a_row_of_stretches() {
        let berlin = Zone::parse("europe/berlin").unwrap();
        assert_eq!(berlin.name(), "Europe/Berlin");
        let at = |text: &str| Instant::parse(text).unwrap();
        let summer = berlin.stretch(at("2026-07-01T00:00:00Z"));
        assert_eq!(summer.offset_ms, 7_200_000);
        assert_eq!(summer.since, Some((at("2026-03-29T01:00:00Z"), 3_600_000)));
        assert_eq!(summer.until, Some(at("2026-10-25T01:00:00Z")));
        assert_eq!(berlin.stretch(at("2026-03-29T01:00:00Z")), summer, "it begins with its first instant");
        assert_eq!(berlin.stretch(at("2026-10-25T00:59:59.999Z")), summer, "and ends before the next");
        assert_eq!(
            Zone::UTC.stretch(at("2026-07-01T00:00:00Z")),
            Stretch { offset_ms: 0, since: None, until: None }
        );
        let wall = |text: &str| berlin.once(at(text).ms()).map(|at| at.to_string());
        assert_eq!(wall("2026-03-29T02:30:00Z"), None, "skipped");
        assert_eq!(wall("2026-10-25T02:30:00Z"), None, "doubled");
        assert_eq!(wall("2026-03-29T03:00:00Z").as_deref(), Some("2026-03-29T01:00:00.000Z"));
        assert!(Zone::parse("Europe/Bonn").unwrap_err().to_string().contains("Europe/Berlin"));
    }
}
