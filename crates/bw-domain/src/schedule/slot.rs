//! The fixed grid of a monitor: phase from its id, so that neighbours fall far apart and nothing ever drifts.

use crate::id::MonitorId;
use crate::monitor::{Spec, Vantages};
use crate::time::{Duration, Instant};

/// The slots of one monitor at one cadence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    phase_ms: i64,
    every_ms: i64,
}

/// 2^64 / φ: multiples of it spread evenly over the words.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Grid {
    /// The grid of a monitor.
    pub fn of(id: MonitorId, every: Duration) -> Self {
        let every_ms = (every.as_millis() as i64).max(1);
        let share = (id.0 as u64).wrapping_mul(GOLDEN) >> 32;
        Grid { phase_ms: ((every_ms as i128 * share as i128) >> 32) as i64, every_ms }
    }

    /// The first slot after an instant.
    pub fn after(&self, at: Instant) -> Instant {
        let steps = (at.ms() - self.phase_ms).div_euclid(self.every_ms) + 1;
        Instant::from_ms(self.phase_ms.saturating_add(steps.saturating_mul(self.every_ms)))
    }

    /// The last slot at or before an instant.
    pub fn at_or_before(&self, at: Instant) -> Instant {
        let steps = (at.ms() - self.phase_ms).div_euclid(self.every_ms);
        Instant::from_ms(self.phase_ms.saturating_add(steps.saturating_mul(self.every_ms)))
    }

    /// The slots in (after, until].
    pub fn within(&self, after: Instant, until: Instant) -> impl Iterator<Item = Instant> + use<> {
        let grid = *self;
        std::iter::successors(Some(self.after(after)), move |slot| Some(grid.after(*slot)))
            .take_while(move |slot| *slot <= until)
    }
}

/// The vantages that look at a slot: every family, and with several locations one of them in turn.
pub fn vantages_at(spec: &Spec, slot: Instant) -> Vantages {
    let mut locations: Vec<_> = spec.policy.vantages.iter().map(|vantage| vantage.location).collect();
    locations.dedup();
    if locations.len() < 2 {
        return spec.policy.vantages.clone();
    }
    // A second hash: monitors with the same cadence do not all visit the locations in step.
    let number = slot.ms().div_euclid((spec.policy.every.as_millis() as i64).max(1));
    let offset = (spec.id.0 as u64).wrapping_mul(GOLDEN) as u32;
    let turn =
        locations[(number.wrapping_add(i64::from(offset))).rem_euclid(locations.len() as i64) as usize];
    spec.policy.vantages.iter().copied().filter(|vantage| vantage.location == turn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn slots_are_one_cadence_apart(id in 1i64..1_000_000, every_ms in 1_000u64..3_000_000, at in 0i64..4_000_000_000_000) {
            let every = Duration::from_millis(every_ms);
            let grid = Grid::of(MonitorId(id), every);
            let slot = grid.after(Instant::from_ms(at));
            prop_assert!(slot.ms() > at && slot.ms() - at <= every_ms as i64);
            prop_assert_eq!(grid.after(slot), slot + every);
            prop_assert_eq!(grid.at_or_before(slot), slot);
            prop_assert_eq!(grid.at_or_before(Instant::from_ms(slot.ms() - 1)) + every, slot);
        }
    }

    #[test]
    fn arrivals_are_flat() {
        // 1,000 monitors every 10 s, counted per 100 ms: ten are the mean.
        let mut counts = [0u32; 100];
        for id in 1..=1_000 {
            let slot = Grid::of(MonitorId(id), Duration::from_secs(10)).after(Instant::from_ms(0));
            counts[(slot.ms() % 10_000 / 100) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (8..=12).contains(count)), "{counts:?}");
    }
}
