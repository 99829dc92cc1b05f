//! Durations as people write them: `300ms`, `10s`, `5m`, `24h`, `7d`, and sums such as `1h30m`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A duration with the text form of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub Duration);

/// A text that is no duration.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a duration: write a number with its unit, such as 300ms, 10s, 5m, 24h or 7d")]
pub struct NotADuration(String);

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

impl FromStr for Span {
    type Err = NotADuration;

    fn from_str(text: &str) -> Result<Self, NotADuration> {
        sum(text.trim())
            .map(|ms| Span(Duration::from_millis(ms)))
            .ok_or_else(|| NotADuration(text.to_owned()))
    }
}

fn sum(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|&at| at > 0)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let factor = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        let part = match number.parse::<u64>() {
            Ok(whole) => whole.checked_mul(factor)?,
            Err(_) => (number.parse::<f64>().ok().filter(|n| *n < 1e9)? * factor as f64).round() as u64,
        };
        total = total.checked_add(part)?;
        rest = tail.trim_start();
    }
    // A hundred years is more than any rule needs, and keeps every sum far from overflow.
    (!text.is_empty() && total <= 36_500 * 86_400_000).then_some(total)
}

impl fmt::Display for Span {
    /// The shortest exact form with one unit: `90s`, `1500ms`, `7d`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis() as u64;
        let (unit, factor) = UNITS
            .iter()
            .rev()
            .find(|(_, factor)| ms > 0 && ms.is_multiple_of(*factor))
            .unwrap_or(&("s", 1_000));
        write!(f, "{}{unit}", ms / factor)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Duration {
        span.0
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for (text, ms, back) in [
            ("300ms", 300, "300ms"),
            ("10s", 10_000, "10s"),
            ("5m", 300_000, "5m"),
            ("24h", 86_400_000, "1d"),
            ("1h30m", 5_400_000, "90m"),
            ("0.5s", 500, "500ms"),
            ("0s", 0, "0s"),
        ] {
            let span: Span = text.parse().expect(text);
            assert_eq!((span.0.as_millis(), span.to_string().as_str()), (ms, back), "{text}");
        }
    }

    #[test]
    fn refuses() {
        for text in ["", "10", "s", "10 parsecs", "-5s", "99999999d", "1e3s", "10S"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
