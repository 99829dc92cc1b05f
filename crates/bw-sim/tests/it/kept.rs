//! What was found once is looked for each time.

use bw_sim::{Options, judge_all, kept};

#[test]
fn kept_seeds_hold() {
    let kept: Vec<Options> =
        kept().expect("the folder of kept seeds").into_iter().map(|(_, one)| one).collect();
    let broken = judge_all(&kept, None);
    assert!(broken.is_empty(), "{}", super::tell(&broken));
}
