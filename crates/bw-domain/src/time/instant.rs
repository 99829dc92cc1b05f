//! A point on the wall clock, to the millisecond. Arithmetic saturates: no clock, however wrong, panics.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// Earlier than anything that happens.
    pub const ZERO: Instant = Instant(0);
    /// Later than anything that happens: the end of the year 9999, where calendars end.
    pub const MAX: Instant = Instant(253_402_207_200_000);

    /// From milliseconds since the epoch.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// How long after `earlier`; zero when it is not after it.
    pub fn since(self, earlier: Instant) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0) as u64)
    }

    /// Seconds since the epoch, for readers that want them.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e3
    }

    /// Reads RFC 3339, or whole seconds (10 digits) or milliseconds since the epoch.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse::<i64>() {
            return Some(Self(if number.abs() < 100_000_000_000 {
                number.checked_mul(1000)?
            } else {
                number
            }));
        }
        text.parse::<jiff::Timestamp>().ok().map(|at| Self(at.as_millisecond()))
    }
}

impl fmt::Display for Instant {
    /// RFC 3339 in UTC with three decimals: `2026-11-21T12:00:00.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, by: Duration) -> Instant {
        Instant(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, by: Duration) -> Instant {
        Instant(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Instant::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("a time is written as 2026-11-21T12:00:00Z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let at = Instant::from_ms(1_768_905_000_000);
        assert_eq!(at.to_string(), "2026-01-20T10:30:00.000Z");
        assert_eq!(Instant::parse("2026-01-20T10:30:00Z"), Some(at));
        assert_eq!(Instant::parse("2026-01-20T11:30:00+01:00"), Some(at));
        assert_eq!(Instant::parse("1768905000"), Some(at));
        assert_eq!(Instant::parse("1768905000000"), Some(at));
        assert_eq!(Instant::parse("yesterday"), None);
        assert_eq!(Instant::MAX.to_string(), "9999-12-30T22:00:00.000Z");
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Instant::ZERO.since(Instant::MAX), Duration::ZERO);
        assert_eq!((Instant::from_ms(i64::MAX) + Duration::from_secs(1)).ms(), i64::MAX);
    }
}
