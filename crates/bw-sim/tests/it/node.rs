//! The simulation runs what the binary runs.

use bw_engine::vitals::LoopName;

#[test]
fn no_loop_is_missing() {
    let mut simulated = bw_sim::loops();
    simulated.sort();
    assert_eq!(simulated, LoopName::ALL);
}
