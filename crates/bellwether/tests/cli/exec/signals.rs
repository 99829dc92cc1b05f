//! Signals that we get are the command's.

use super::{Stage, Talk, actions, kill, lives, run};
use crate::harness::{PATIENCE, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn each_signal_reaches_the_command_once() {
    for signal in ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH", "CONT", "ALRM"] {
        let stage = Stage::new().await;
        // The trap runs between two sleeps; a signal that came twice would be counted before the last of them ends.
        let script = format!(
            "n=0; trap 'n=$((n+1))' {signal}; echo ready; while [ $n = 0 ]; do sleep 0.05; done; sleep 0.3; echo $n; exit 9"
        );
        let mut talk = Talk::start(stage.shell(&script));
        assert_eq!(talk.line().await, "ready");
        talk.signal(&format!("-{signal}"));
        let ended = talk.finish().await;
        assert_eq!((ended.status, ended.out.trim()), (9, "1"), "{signal}: {}", ended.err);
        assert_eq!(actions(&stage.heard()), ["start", "9"], "{signal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_a_signal_ends_is_told_as_such() {
    for (signal, status) in [("-TERM", 143), ("-INT", 130), ("-HUP", 129), ("-USR1", 138)] {
        let stage = Stage::new().await;
        let mut talk = Talk::start(stage.shell("echo ready; exec sleep 600"));
        assert_eq!(talk.line().await, "ready");
        talk.signal(signal);
        assert_eq!(talk.finish().await.status, status);
        assert_eq!(actions(&stage.heard()), ["start".to_owned(), status.to_string()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_us_to_end_asks_the_whole_group() {
    let stage = Stage::new().await;
    let mut talk = Talk::start(stage.shell("sleep 600 & echo $!; wait"));
    let child = talk.line().await;
    talk.signal("-TERM");
    assert_eq!(talk.finish().await.status, 143);
    eventually(PATIENCE, "end of the child", async || (!lives(&child)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_ignored_stays_ignored() {
    let stage = Stage::new().await;
    let script = "kill -HUP $PPID; kill -HUP $$; echo alive";
    let inner = stage.shell(script);
    let mut command = tokio::process::Command::new("nohup");
    command.arg("setsid").args(inner.as_std().get_args()).env_clear();
    command.env("HOME", stage.place.dir.path().join("home")).stdin(std::process::Stdio::null());
    let ended = run(command).await;
    assert_eq!((ended.status, ended.out.as_str()), (0, "alive\n"), "{}", ended.err);
    assert_eq!(actions(&stage.heard()), ["start", "0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_alone_we_stop_the_command_and_continue_it() {
    let stage = Stage::new().await;
    let mut talk = Talk::start(stage.shell("echo $$; exec sleep 600"));
    let command = talk.line().await;
    let us = talk.child.id().expect("it runs").to_string();
    let state = |pid: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next())
    };
    talk.signal("-TSTP");
    let stopped = async || (state(&us) == Some('T') && state(&command) == Some('T')).then_some(());
    eventually(PATIENCE, "stop of both", stopped).await;
    talk.signal("-CONT");
    let runs = async || (state(&us) == Some('S') && state(&command) == Some('S')).then_some(());
    eventually(PATIENCE, "life of both", runs).await;
    talk.signal("-TERM");
    assert_eq!(talk.finish().await.status, 143);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_we_leave_the_command_and_nothing_of_ours() {
    let stage = Stage::new().await;
    let mut talk = Talk::start(stage.shell("echo $$; exec sleep 600"));
    let command = talk.line().await;
    stage.server.wait_for(1).await;
    let us = talk.child.id().expect("it runs").to_string();
    let children = std::fs::read_to_string(format!("/proc/{us}/task/{us}/children")).expect("it runs");
    assert_eq!(children.trim(), command, "the command is the only child");
    talk.signal("-KILL");
    assert_eq!(super::code(talk.child.wait().await.expect("it ends")), -9);
    assert!(lives(&command), "as with a shell that is killed");
    kill("-KILL", &command);
    assert_eq!(actions(&stage.heard()), ["start"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_end_while_we_report_we_end_and_keep_the_report() {
    let stage = Stage::new().await;
    stage.server.set(bw_testkit::server::Answer::silent());
    let talk = Talk::start(stage.shell("exit 6"));
    eventually(PATIENCE, "report", async || {
        stage.heard().iter().any(|beat| beat.action == "6").then_some(())
    })
    .await;
    talk.signal("-TERM");
    let ended = talk.finish().await;
    assert_eq!((ended.status, ended.err.lines().count()), (6, 1), "{}", ended.err);
    assert_eq!(stage.kept().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_that_ignores_the_ends_of_its_children_hides_none_from_us() {
    let stage = Stage::new().await;
    let inner = stage.shell("exit 7");
    let mut command = tokio::process::Command::new("env");
    command.args(["--ignore-signal=CHLD", "setsid"]).args(inner.as_std().get_args()).env_clear();
    command.env("HOME", stage.place.dir.path().join("home")).stdin(std::process::Stdio::null());
    let ended = run(command).await;
    assert_eq!((ended.status, ended.err.as_str()), (7, ""));
    assert_eq!(actions(&stage.heard()), ["start", "7"]);
}
