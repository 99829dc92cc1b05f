//! Dice of one run: every decision of the simulation comes from here, so a seed is a run.

use bw_testkit::dice::Dice;
use std::ops::RangeInclusive;

/// A sequence of throws.
#[derive(Debug)]
pub struct Chance(Dice);

impl Chance {
    /// A sequence of its own for each seed and stream, so that one more throw in one stream moves no other.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mixer = Dice::new(seed ^ stream.wrapping_mul(0xA24B_AED4_963E_E407));
        Chance(Dice::new(mixer.throw()))
    }

    /// 64 bits.
    pub fn bits(&self) -> u64 {
        self.0.throw()
    }

    /// Any number of the range, all alike.
    pub fn between(&self, range: RangeInclusive<u64>) -> u64 {
        let width = u128::from(range.end() - range.start()) + 1;
        range.start() + ((u128::from(self.bits()) * width) >> 64) as u64
    }

    /// True so many times in a thousand.
    pub fn permille(&self, share: u64) -> bool {
        self.between(0..=999) < share
    }

    /// One of them.
    pub fn pick<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.between(0..=all.len() as u64 - 1) as usize]
    }
}
