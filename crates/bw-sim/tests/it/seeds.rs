//! Seeds that never change. Each run of all tests looks at as many fresh ones by the program.

use bw_sim::{FIXED, Options, Script, judge_all, simulate};

fn options(base: u64) -> Vec<Options> {
    (0..FIXED).map(|offset| Options { seed: base.wrapping_add(offset), ..Options::default() }).collect()
}

#[test]
fn fixed_seeds_hold() {
    let broken = judge_all(&options(0), None);
    assert!(broken.is_empty(), "{}", super::tell(&broken));
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [3, 14] {
        let hash = || simulate(Script::of(&Options { seed, ..Options::default() }), None).hash;
        assert_eq!(hash(), hash(), "seed {seed}");
    }
}
