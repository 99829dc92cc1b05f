//! Makes a finding small: fewer faults, fewer monitors, a shorter time, as long as the same invariant does not hold.

use crate::script::{Options, Script};
use std::cell::Cell;

/// So many simulations are worth it.
const TRIES: usize = 80;

/// The smallest options found of which `breaks` is still true.
pub fn shrink(options: &Options, breaks: impl Fn(&Options) -> bool) -> Options {
    let tries = Cell::new(0);
    let still = |smaller: &Options| {
        tries.set(tries.get() + 1);
        tries.get() <= TRIES && breaks(smaller)
    };
    let script = Script::of(options);
    let mut best = options.clone();
    let all_faults = options.faults.clone().unwrap_or_else(|| (0..script.faults.len()).collect());
    best.faults = fewer(&best, all_faults, |options, kept| options.faults = Some(kept), &still);
    let all_monitors = options.monitors.clone().unwrap_or_else(|| (0..script.watched.len()).collect());
    best.monitors = fewer(&best, all_monitors, |options, kept| options.monitors = Some(kept), &still);
    for share in [4, 2] {
        let shorter = Options { calm_from: Some(script.calm_from / share), ..best.clone() };
        if still(&shorter) {
            return shorter;
        }
    }
    best
}

/// Leaves one after the other out.
fn fewer(
    best: &Options,
    all: Vec<usize>,
    set: impl Fn(&mut Options, Vec<usize>),
    still: &impl Fn(&Options) -> bool,
) -> Option<Vec<usize>> {
    let mut kept = all.clone();
    for one in all.iter().rev() {
        let fewer: Vec<usize> = kept.iter().copied().filter(|other| other != one).collect();
        let mut smaller = best.clone();
        set(&mut smaller, fewer.clone());
        if still(&smaller) {
            kept = fewer;
        }
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_it_takes_is_left() {
        let seed =
            (0..).find(|seed| Script::of(&Options { seed: *seed, ..Options::default() }).faults.len() >= 4);
        let options = Options { seed: seed.expect("some seed has four faults"), ..Options::default() };
        let needs = |options: &Options| options.faults.as_ref().is_none_or(|kept| kept.contains(&2));
        let small = shrink(&options, needs);
        assert_eq!((small.faults, small.monitors), (Some(vec![2]), Some(vec![])));
        assert!(small.calm_from.is_some());
    }
}
