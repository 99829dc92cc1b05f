//! The time limit ends everything that the command has started, and nobody else.

use super::{Stage, Talk, actions, lives};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_ends_the_whole_group_and_is_told_as_a_failure() {
    let stage = Stage::new().await;
    let url = stage.url();
    let script = "sleep 600 & echo $!; echo working; wait";
    let mut talk =
        Talk::start(stage.exec(&["--beat", &url, "--time-limit", "500ms", "--", "sh", "-c", script]));
    let child = talk.line().await;
    let ended = talk.finish().await;
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (124, "working\n", ""));
    assert!(!lives(&child));
    let heard = stage.heard();
    assert_eq!(actions(&heard), ["start", "fail"]);
    let last = heard[1].text().lines().last().expect("there is output");
    assert!(last.contains("time limit of 500ms was reached"), "{last}");
    assert!(heard[1].duration_ms.is_some_and(|took| took >= 500), "{:?}", heard[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_listen_is_killed_ten_seconds_later() {
    let stage = Stage::new().await;
    let deaf = "sh -c 'echo $$; while :; do sleep 1; done'";
    let all_deaf = format!("trap '' TERM; {deaf} & echo $$; while :; do sleep 1; done");
    // The shell ends at once; its child holds on.
    let child_deaf = format!("(trap '' TERM; exec {deaf}) & sleep 600");
    let (one, two) = tokio::join!(killed(&stage, &all_deaf, 2), killed(&stage, &child_deaf, 1));
    for took in [one, two] {
        assert!((9_900..20_000).contains(&took), "{took} ms");
    }
}

/// Runs it, and answers how long it took after the numbers of so many processes that are gone afterwards.
async fn killed(stage: &Stage, script: &str, processes: usize) -> u128 {
    let url = stage.url();
    let mut talk =
        Talk::start(stage.exec(&["--beat", &url, "--time-limit", "300ms", "--", "sh", "-c", script]));
    let mut pids = Vec::new();
    for _ in 0..processes {
        pids.push(talk.line().await);
    }
    #[expect(clippy::disallowed_methods, reason = "what is measured is the real time")]
    let began = std::time::Instant::now();
    let ended = talk.finish().await;
    #[expect(clippy::disallowed_methods, reason = "what is measured is the real time")]
    let took = began.elapsed();
    assert_eq!(ended.status, 124, "{}", ended.err);
    let left: Vec<&String> = pids.iter().filter(|pid| lives(pid)).collect();
    assert!(left.is_empty(), "{left:?}");
    took.as_millis()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_within_its_limit_does_not_notice_it() {
    let stage = Stage::new().await;
    let url = stage.url();
    let command = stage.exec(&["--beat", &url, "--time-limit", "1h", "--", "sh", "-c", "echo fine; exit 3"]);
    let ended = tokio::time::timeout(Duration::from_secs(30), super::run(command)).await.expect("in time");
    assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (3, "fine\n", ""));
    assert_eq!(actions(&stage.heard()), ["start", "3"]);
}
