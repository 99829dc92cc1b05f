//! What could not be told is told later, once, as what it was.

use super::{Beat, PING, Stage, Talk, actions, exec, kept, run, spool_of};
use crate::harness::{PATIENCE, Place, eventually};
use bw_testkit::server::{Answer, Target};
use std::os::unix::fs::PermissionsExt;
use std::time::SystemTime;

fn now_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "what is compared is the real time")]
    let now = SystemTime::now();
    now.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis().try_into().expect("a number")
}

/// Runs a command whose report nobody takes, so that it is kept.
async fn offline(stage: &Stage, script: &str) {
    let gone = Answer::reset();
    stage.server.set(gone);
    let before = stage.kept().len();
    let ended = run(stage.shell(script)).await;
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    assert_eq!(stage.kept().len(), before + 1);
    stage.server.set(Answer::ok("OK"));
}

/// Runs until nothing is kept any more.
async fn drained(stage: &Stage) {
    eventually(PATIENCE, "empty spool", async || {
        let ended = run(stage.shell("true")).await;
        assert_eq!((ended.status, ended.err.as_str()), (0, ""));
        stage.kept().is_empty().then_some(())
    })
    .await;
}

fn late(beats: &[Beat]) -> Vec<Beat> {
    beats.iter().filter(|beat| beat.at.is_some()).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_kept_for_its_user_alone_and_told_with_its_instant() {
    let stage = Stage::new().await;
    let from = now_ms();
    offline(&stage, "echo lost; exit 3").await;
    let to = now_ms();
    let dir = spool_of(&stage.place);
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&dir.join(&stage.kept()[0])), 0o600);
    let first = stage.heard();
    drained(&stage).await;
    let told = late(&stage.heard());
    let [beat] = &told[..] else { panic!("{told:?}") };
    assert_eq!((beat.action.as_str(), beat.text()), ("3", "lost\n"));
    assert_eq!(beat.rid, first[0].rid, "it is the same run");
    assert!(beat.at.is_some_and(|at| (from..=to).contains(&at)), "{beat:?} in {from}..={to}");
    assert!(beat.duration_ms.is_some());
    assert_eq!(actions(&told), ["3"], "its start is not told on its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_comes_first_and_beside_the_command() {
    let stage = Stage::new().await;
    for status in [1, 2, 3, 4] {
        offline(&stage, &format!("exit {status}")).await;
    }
    // The command waits for us: what is told is told while it runs.
    let before = stage.server.hits();
    let talk = Talk::start(stage.shell("read x; exit 0"));
    eventually(PATIENCE, "empty spool", async || stage.kept().is_empty().then_some(())).await;
    let heard: Vec<Beat> = stage.server.received()[before..].iter().map(Beat::of).collect();
    assert_eq!(actions(&late(&heard)), ["1", "2", "3", "4"]);
    let ended = talk.finish().await;
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_never_be_told_goes_and_what_may_be_stays() {
    let stage = Stage::new().await;
    for (status, stays) in
        [(404, false), (400, false), (409, false), (500, true), (503, true), (429, true), (403, true)]
    {
        offline(&stage, "exit 1").await;
        stage.server.set(Answer::status(status));
        let other = Target::start().await;
        let mut talk = Talk::start(stage.exec(&["--beat", &other.at(PING), "--", "sh", "-c", "read x"]));
        // The spool's beat has been answered.
        let answered = stage.server.hits();
        eventually(PATIENCE, "attempt", async || (stage.server.hits() >= answered).then_some(())).await;
        eventually(PATIENCE, "end of the claim", async || {
            let names = stage.kept();
            let claimed = names.iter().any(|name| !name.ends_with(".beat"));
            (stage.heard().last().is_some_and(|beat| beat.at.is_some()) && !claimed).then_some(())
        })
        .await;
        talk.say(b"\n").await;
        let ended = talk.finish().await;
        assert_eq!(stage.kept().len(), usize::from(stays), "{status}");
        assert_eq!(ended.err.lines().count(), usize::from(!stays), "{status}: {}", ended.err);
        stage.server.set(Answer::ok("OK"));
        drained(&stage).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_tell_each_beat_once() {
    let stage = Stage::new().await;
    offline(&stage, "exit 1").await;
    let (dir, name) = (spool_of(&stage.place), stage.kept().remove(0));
    let text = std::fs::read_to_string(dir.join(&name)).expect("it is text");
    for at in 1..40 {
        let run = format!("{at:08x}-0000-4000-8000-000000000000");
        let other = text.replace(name[14..50].trim(), &run);
        std::fs::write(dir.join(name.replace(&name[14..50], &run)), other).expect("it is written");
    }
    let before = stage.server.hits();
    let many: Vec<Talk> = (0..4).map(|_| Talk::start(stage.shell("read x; exit 0"))).collect();
    eventually(PATIENCE, "empty spool", async || stage.kept().is_empty().then_some(())).await;
    for talk in many {
        assert_eq!(talk.finish().await.status, 0);
    }
    let heard: Vec<Beat> = stage.server.received()[before..].iter().map(Beat::of).collect();
    let mut runs: Vec<String> = late(&heard).into_iter().map(|beat| beat.rid).collect();
    assert_eq!(runs.len(), 40);
    runs.sort();
    runs.dedup();
    assert_eq!(runs.len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_holds_up_no_other_and_no_command() {
    let stage = Stage::new().await;
    let dead = Target::start().await;
    dead.set(Answer::reset());
    let ended = run(stage.exec(&["--beat", &dead.at(PING), "--", "true"])).await;
    assert_eq!(ended.status, 0);
    offline(&stage, "exit 2").await;
    dead.set(Answer::silent());
    let tried = dead.hits();
    let talk = Talk::start(stage.shell("read x; exit 0"));
    let told = async || stage.heard().into_iter().find(|beat| beat.at.is_some());
    assert_eq!(eventually(PATIENCE, "beat of the server that lives", told).await.action, "2");
    let ended = talk.finish().await;
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    let names = stage.kept();
    assert!(names.len() == 1 && names[0].ends_with(".beat"), "the other is kept, and given back: {names:?}");
    assert_eq!(dead.hits(), tried + 1, "and has been tried once");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_never_more_than_the_bound() {
    let stage = Stage::new().await;
    offline(&stage, "exit 1").await;
    let (dir, name) = (spool_of(&stage.place), stage.kept().remove(0));
    for at in 0..600 {
        std::fs::copy(dir.join(&name), dir.join(format!("{at:013}{}", &name[13..]))).expect("it is copied");
    }
    let gone = Target::start().await.at(PING);
    stage.server.set(Answer::reset());
    let ended = run(stage.exec(&["--beat", &gone, "--", "true"])).await;
    assert_eq!((ended.status, ended.err.lines().count()), (0, 1), "{}", ended.err);
    let names = stage.kept();
    assert_eq!(names.len(), 500);
    assert!(names.contains(&name), "the oldest go");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_that_cannot_be_written_is_one_line() {
    let place = Place::new();
    let gone = Target::start().await.at(PING);
    for (name, value) in
        [("HOME", Some("/dev/null")), ("XDG_STATE_HOME", Some("/dev/null/x")), ("HOME", None)]
    {
        let mut command = exec(&place, &["--beat", &gone, "--", "sh", "-c", "echo fine; exit 8"]);
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
        let ended = run(command).await;
        assert_eq!((ended.status, ended.out.as_str()), (8, "fine\n"));
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
        assert!(ended.err.contains("nor can it be kept"), "{}", ended.err);
    }
    let state = place.dir.path().join("elsewhere");
    let mut command = exec(&place, &["--beat", &gone, "--", "true"]);
    command.env("XDG_STATE_HOME", &state);
    assert_eq!(run(command).await.status, 0);
    assert_eq!(std::fs::read_dir(state.join("bellwether/spool")).expect("it is there").count(), 1);
    assert!(kept(&place).is_empty());
}
