//! A mergeable sketch of durations: counts per bin. Quantiles are within one per cent.

use super::bin;
use std::collections::BTreeMap;

/// Counts of bins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch {
    counts: BTreeMap<u16, u64>,
    total: u64,
}

impl Sketch {
    /// Adds one duration in microseconds.
    pub fn add(&mut self, us: u32) {
        *self.counts.entry(bin::of(us)).or_default() += 1;
        self.total += 1;
    }

    /// Adds everything of another sketch.
    pub fn merge(&mut self, other: &Sketch) {
        for (bin, count) in &other.counts {
            *self.counts.entry(*bin).or_default() += count;
        }
        self.total += other.total;
    }

    /// How many durations it holds.
    pub fn len(&self) -> u64 {
        self.total
    }

    /// True before the first.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The duration in microseconds below which a share `q` (0 to 1) of all lies.
    pub fn quantile(&self, q: f64) -> Option<u32> {
        let rank = ((self.total as f64 - 1.0) * q.clamp(0.0, 1.0)).round() as u64;
        let mut seen = 0;
        self.counts.iter().find_map(|(index, count)| {
            seen += count;
            (seen > rank).then(|| bin::middle(*index))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quantiles_are_within_one_per_cent(mut values in prop::collection::vec(1u32..60_000_000, 1..300), q in 0.0f64..=1.0) {
            let (mut whole, mut left, mut right) = (Sketch::default(), Sketch::default(), Sketch::default());
            for (index, value) in values.iter().enumerate() {
                whole.add(*value);
                if index % 2 == 0 { left.add(*value) } else { right.add(*value) }
            }
            left.merge(&right);
            prop_assert_eq!(&left, &whole);
            values.sort_unstable();
            let exact = f64::from(values[((values.len() as f64 - 1.0) * q).round() as usize]);
            let seen = f64::from(whole.quantile(q).expect("not empty"));
            prop_assert!((seen - exact).abs() <= exact * 0.011 + 0.5, "{} {}", seen, exact);
        }
    }
}
