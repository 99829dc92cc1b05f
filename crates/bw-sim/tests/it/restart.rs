//! A process that is restarted during a deadline raises no alarm: jobs that beat in time and come again have no
//! incident, however often it happens.

use bw_sim::{Options, Script, judge_all};

#[test]
fn a_restart_during_a_deadline_is_no_alarm() {
    // Worlds with a steady job, and of their troubles only those that end processes.
    let restarts = |seed: u64| {
        let options = Options { seed, ..Options::default() };
        let script = Script::of(&options);
        let ends = script.ends_of_processes();
        (script.has_steady_job() && ends.len() > 1).then_some(Options { faults: Some(ends), ..options })
    };
    let worlds: Vec<Options> = (0..).filter_map(restarts).take(24).collect();
    let broken = judge_all(&worlds, None);
    assert!(broken.is_empty(), "{}", super::tell(&broken));
}
