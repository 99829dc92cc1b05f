//! Whether the first beats fit another zone better than the configured one: the commonest mistake with schedules.

use super::cadence::Cadence;
use crate::time::{Duration, Instant, Zone};
use std::fmt;

/// The zone that the beats suggest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneGuess {
    /// The offset that fits, in minutes east of UTC.
    pub minutes: i32,
    /// The configured zone's at the last beat.
    pub configured: i32,
}

/// So many beats say something: one or two may be runs by hand.
const BEATS_MIN: usize = 3;
/// Jobs report when they are through: so long after their slot they still fit.
const LATE: Duration = Duration::from_secs(15 * 60);
/// Clocks differ.
const EARLY: Duration = Duration::from_secs(60);

/// A guess, when all beats miss the slots of the configured zone and all fit those of one offset. Expressions that name
/// their own zone say nothing, nor do slots that come as often as zones lie apart.
pub fn guess(cadence: &Cadence, beats: &[Instant]) -> Option<ZoneGuess> {
    let last = *beats.iter().max()?;
    let zone = cadence.counting().zone();
    if beats.len() < BEATS_MIN
        || cadence.schedules().is_empty()
        || beats.iter().any(|beat| fits(cadence, zone, *beat))
    {
        return None;
    }
    let configured = (zone.offset_ms(last) / 60_000) as i32;
    // Every offset in use lies on a quarter of an hour; the nearest that fits is the likeliest.
    let mut offsets: Vec<i32> = (-12 * 4..=14 * 4).map(|quarter| quarter * 15).collect();
    offsets.sort_by_key(|minutes| (minutes - configured).abs());
    let minutes = offsets.into_iter().find(|minutes| {
        let zone = Zone::fixed(minutes * 60);
        beats.iter().all(|beat| fits(cadence, &zone, *beat))
    })?;
    Some(ZoneGuess { minutes, configured })
}

/// Whether a slot lies where a job that reports now would have begun.
fn fits(cadence: &Cadence, zone: &Zone, beat: Instant) -> bool {
    let (from, to) = (beat - LATE - Duration::from_millis(1), beat + EARLY);
    cadence.schedules().iter().any(|schedule| schedule.next(zone, from).is_some_and(|slot| slot <= to))
}

impl fmt::Display for ZoneGuess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the first beats fit {}, but the zone of this heartbeat is at {}",
            Offset(self.minutes),
            Offset(self.configured)
        )
    }
}

struct Offset(i32);

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("UTC");
        }
        let sign = if self.0 < 0 { '-' } else { '+' };
        write!(f, "UTC{sign}{:02}:{:02}", self.0.abs() / 60, self.0.abs() % 60)
    }
}
