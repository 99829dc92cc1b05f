//! Chance that a test can repeat: the same seed gives the same throws.

use bw_domain::port::entropy::Entropy;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// A small generator (SplitMix64) behind the port.
#[derive(Debug)]
pub struct Dice(AtomicU64);

impl Dice {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Dice(AtomicU64::new(seed))
    }

    /// 64 bits.
    pub fn throw(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut bits = self.0.fetch_add(STEP, SeqCst).wrapping_add(STEP);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }
}

impl Entropy for Dice {
    fn bits(&self) -> u128 {
        u128::from(self.throw()) << 64 | u128::from(self.throw())
    }
}
