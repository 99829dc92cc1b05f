//! The last slots of one vantage, packed: two bits a verdict and a sketch bin a latency. The overview draws its
//! strips and sparklines from here without reading one outcome row.

use crate::limits::RECENT_SLOTS;
use crate::outcome::Verdict;
use crate::signal::bin;
use crate::time::{Duration, Instant};

/// A window over the grid that ends with its newest slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// The newest slot; [`Instant::ZERO`] before the first.
    newest: Instant,
    /// The distance of slots on the grid.
    every_ms: u32,
    /// Two bits a slot, the newest lowest: 0 nothing, else [`Verdict::number`].
    verdicts: u128,
    /// Latency bins, a ring indexed by slot number; meaningful where the verdict is pass or fail.
    bins: Bins,
}

type Bins = [u16; RECENT_SLOTS];

/// One remembered slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecentSlot {
    pub slot: Instant,
    pub verdict: Option<Verdict>,
    /// Within one per cent; `None` where nothing was measured.
    pub latency_us: Option<u32>,
}

impl Default for Recent {
    fn default() -> Self {
        Recent { newest: Instant::ZERO, every_ms: 0, verdicts: 0, bins: [0; RECENT_SLOTS] }
    }
}

impl Recent {
    /// Remembers the verdict of a slot. Another grid than before starts anew.
    pub fn put(&mut self, slot: Instant, every: Duration, verdict: Verdict, latency_us: u32) {
        let every_ms = u32::try_from(every.as_millis()).unwrap_or(u32::MAX).max(1);
        let ahead = slot.ms() - self.newest.ms();
        if every_ms != self.every_ms || ahead % i64::from(every_ms) != 0 {
            *self = Recent { newest: slot, every_ms, verdicts: 0, bins: [0; RECENT_SLOTS] };
        } else if ahead > 0 {
            let steps = ahead / i64::from(every_ms);
            self.verdicts = if steps < 64 { self.verdicts << (2 * steps) } else { 0 };
            self.newest = slot;
        }
        let back = (self.newest.ms() - slot.ms()) / i64::from(every_ms);
        if (0..RECENT_SLOTS as i64).contains(&back) {
            let shift = 2 * back as u32;
            self.verdicts = self.verdicts & !(3 << shift) | u128::from(verdict.number()) << shift;
            self.bins[self.ring(slot)] =
                if verdict == Verdict::Inconclusive { 0 } else { bin::of(latency_us) };
        }
    }

    /// Whether this slot has a verdict; `None` when it is too old or off the grid.
    pub fn has(&self, slot: Instant) -> Option<bool> {
        if self.every_ms == 0 || slot > self.newest {
            return Some(false);
        }
        let distance = self.newest.ms() - slot.ms();
        let back = distance / i64::from(self.every_ms);
        if distance % i64::from(self.every_ms) != 0 || back >= RECENT_SLOTS as i64 {
            return None;
        }
        Some(self.verdicts >> (2 * back) & 3 != 0)
    }

    /// The window, oldest first, always [`RECENT_SLOTS`] long once there is a first slot.
    pub fn slots(&self) -> impl Iterator<Item = RecentSlot> + '_ {
        let count = if self.every_ms == 0 { 0 } else { RECENT_SLOTS };
        (0..count).rev().map(|back| {
            let slot = Instant::from_ms(self.newest.ms() - back as i64 * i64::from(self.every_ms));
            let verdict = Verdict::from_number((self.verdicts >> (2 * back) & 3) as u8);
            let measured = matches!(verdict, Some(Verdict::Pass | Verdict::Fail));
            let stored = self.bins[self.ring(slot)];
            RecentSlot { slot, verdict, latency_us: (measured && stored > 0).then(|| bin::middle(stored)) }
        })
    }

    fn ring(&self, slot: Instant) -> usize {
        (slot.ms().div_euclid(i64::from(self.every_ms)).rem_euclid(RECENT_SLOTS as i64)) as usize
    }

    /// The packed form that the store keeps: fixed length, little-endian.
    pub fn pack(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.newest.ms().to_le_bytes());
        out.extend_from_slice(&self.every_ms.to_le_bytes());
        out.extend_from_slice(&self.verdicts.to_le_bytes());
        for bin in self.bins {
            out.extend_from_slice(&bin.to_le_bytes());
        }
    }

    /// Length of the packed form.
    pub const PACKED: usize = 8 + 4 + 16 + 2 * RECENT_SLOTS;

    /// The inverse of [`Recent::pack`]; `None` when the bytes are not of that length.
    pub fn unpack(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::PACKED] = bytes.try_into().ok()?;
        let mut bins = [0; RECENT_SLOTS];
        for (bin, pair) in bins.iter_mut().zip(bytes[28..].chunks_exact(2)) {
            *bin = u16::from_le_bytes([pair[0], pair[1]]);
        }
        Some(Recent {
            newest: Instant::from_ms(i64::from_le_bytes(bytes[0..8].try_into().ok()?)),
            every_ms: u32::from_le_bytes(bytes[8..12].try_into().ok()?),
            verdicts: u128::from_le_bytes(bytes[12..28].try_into().ok()?),
            bins,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const EVERY: Duration = Duration::from_secs(10);

    fn slot(n: i64) -> Instant {
        Instant::from_ms(1_000_003 + n * 10_000)
    }

    #[test]
    fn remembers_gaps_and_late_ones() {
        let mut recent = Recent::default();
        recent.put(slot(0), EVERY, Verdict::Pass, 1_000);
        recent.put(slot(3), EVERY, Verdict::Fail, 2_000);
        recent.put(slot(1), EVERY, Verdict::Inconclusive, 0);
        assert_eq!(
            (0..5).map(|n| recent.has(slot(n))).collect::<Vec<_>>(),
            [Some(true), Some(true), Some(false), Some(true), Some(false)]
        );
        let last: Vec<_> = recent.slots().skip(56).map(|s| s.verdict.map(Verdict::word)).collect();
        assert_eq!(last, [Some("pass"), Some("inconclusive"), None, Some("fail")]);
        let latency = recent.slots().last().and_then(|s| s.latency_us).expect("measured");
        assert!((1_980..=2_020).contains(&latency), "{latency}");
        assert_eq!(recent.has(slot(-100)), None);
    }

    #[test]
    fn another_grid_starts_anew_and_packing_is_exact() {
        let mut recent = Recent::default();
        recent.put(slot(0), EVERY, Verdict::Pass, 5);
        recent.put(slot(1), Duration::from_secs(3), Verdict::Pass, 5);
        assert_eq!(recent.slots().filter(|s| s.verdict.is_some()).count(), 1);
        let mut bytes = Vec::new();
        recent.pack(&mut bytes);
        assert_eq!(Recent::unpack(&bytes), Some(recent));
    }
}
