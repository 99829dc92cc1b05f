//! At a terminal: what is pressed reaches the command as if nobody were between. The terminal is `script`'s, whose
//! input is what is pressed.

use super::{Stage, Talk, actions, kill, spool_of};
use crate::harness::{PATIENCE, eventually};
use std::process::Stdio;
use tokio::process::Command;

/// Runs `sh -c script` below `exec` at a terminal of its own.
fn at_terminal(stage: &Stage, flags: &str, script: &str) -> Talk {
    let binary = env!("CARGO_BIN_EXE_bellwether");
    line_at_terminal(stage, &format!("exec {binary} exec --beat {} {flags} -- sh -c '{script}'", stage.url()))
}

/// Runs a line of a shell at a terminal of its own.
fn line_at_terminal(stage: &Stage, line: &str) -> Talk {
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", line, "/dev/null"]);
    command.current_dir(stage.place.dir.path()).env_clear().env("HOME", stage.place.dir.path().join("home"));
    command.env("SHELL", "/bin/sh").stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    Talk::start(command)
}

/// The next line that is not what the terminal shows of the keys.
async fn line(talk: &mut Talk) -> String {
    loop {
        let line = talk.line().await;
        let text = line.trim_start_matches("^C").trim();
        if !text.is_empty() {
            return text.to_owned();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_reaches_the_command_once() {
    let stage = Stage::new().await;
    // A second one would come while it sleeps, end that sleep and be counted.
    let script = "trap \"echo got\" INT; echo ready; read x; sleep 1; echo end; exit 5";
    let mut talk = at_terminal(&stage, "", script);
    assert_eq!(line(&mut talk).await, "ready");
    talk.say(b"\x03").await;
    assert_eq!(line(&mut talk).await, "got");
    assert_eq!(line(&mut talk).await, "end");
    assert_eq!(talk.finish().await.status, 5);
    let heard = stage.heard();
    assert_eq!(actions(&heard), ["start", "5"]);
    assert_eq!(heard[1].text(), "ready\ngot\nend\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_a_command_that_does_not_mind_it() {
    let stage = Stage::new().await;
    let mut talk = at_terminal(&stage, "", "echo ready; exec sleep 600");
    assert_eq!(line(&mut talk).await, "ready");
    talk.say(b"\x03").await;
    assert_eq!(talk.finish().await.status, 130);
    assert_eq!(actions(&stage.heard()), ["start", "130"]);
    assert!(!spool_of(&stage.place).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_that_was_sent_to_us_alone_is_passed_on() {
    let stage = Stage::new().await;
    let mut talk = at_terminal(&stage, "", "echo $PPID; exec sleep 600");
    let us = line(&mut talk).await;
    kill("-INT", &us);
    assert_eq!(talk.finish().await.status, 130);
    assert_eq!(actions(&stage.heard()), ["start", "130"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_reads_from_the_terminal() {
    let stage = Stage::new().await;
    let mut talk = at_terminal(&stage, "--time-limit 1h", "echo ready; read name; echo hello $name");
    assert_eq!(line(&mut talk).await, "ready");
    talk.say(b"Ada\n").await;
    let mut lines = vec![line(&mut talk).await];
    while lines.last().is_some_and(|last| last == "Ada") {
        lines.push(line(&mut talk).await);
    }
    assert_eq!(lines.last().map(String::as_str), Some("hello Ada"));
    assert_eq!(talk.finish().await.status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_the_time_limit_ends_the_command_and_not_who_called_us() {
    let stage = Stage::new().await;
    let binary = env!("CARGO_BIN_EXE_bellwether");
    // The calling shell is in the same group as the command, and says its word afterwards.
    let url = stage.url();
    let limited = format!("{binary} exec --beat {url} --time-limit 500ms");
    let called = format!("{limited} -- sh -c \"sleep 600 & echo \\$!; wait\"; echo status $?");
    let mut talk = line_at_terminal(&stage, &called);
    let child = line(&mut talk).await;
    assert_eq!(line(&mut talk).await, "status 124");
    assert!(!super::lives(&child));
    assert_eq!(talk.finish().await.status, 0);
    assert_eq!(actions(&stage.heard()), ["start", "fail"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_terminal_reaches_the_command_once() {
    // As the leader of the session, which alone hears of it, and below a shell that leads it.
    for (before, after) in [("exec ", ""), ("", "; echo never")] {
        let stage = Stage::new().await;
        let file = stage.place.dir.path().join("heard");
        let binary = env!("CARGO_BIN_EXE_bellwether");
        let script = format!(
            "trap \"echo got >> {}\" HUP; echo ready; until [ -e {0} ]; do sleep 0.05; done; sleep 0.5; exit 4",
            file.display()
        );
        let line_of = format!("{before}{binary} exec --beat {} -- sh -c '{script}'{after}", stage.url());
        let mut talk = line_at_terminal(&stage, &line_of);
        assert_eq!(line(&mut talk).await, "ready");
        talk.child.kill().await.expect("it ends");
        let end = async || stage.heard().into_iter().find(|beat| beat.action == "4");
        eventually(PATIENCE, &format!("end of `{line_of}`"), end).await;
        assert_eq!(std::fs::read_to_string(&file).expect("it is there"), "got\n", "{line_of}");
    }
}
