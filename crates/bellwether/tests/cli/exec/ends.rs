//! How a command ends, and what the server hears of it.

use super::{Beat, Stage, Talk, actions, run};
use bw_testkit::server::Answer;
use std::os::unix::fs::PermissionsExt;

#[tokio::test(flavor = "multi_thread")]
async fn every_end_is_told_and_is_ours() {
    let stage = Stage::new().await;
    let plain = stage.place.dir.path().join("plain");
    std::fs::write(&plain, "no program").expect("it is written");
    std::fs::set_permissions(&plain, std::fs::Permissions::from_mode(0o644)).expect("they can be set");
    let plain = plain.to_str().expect("text");
    for (words, status, out) in [
        (vec!["sh", "-c", "echo well"], 0, "well\n"),
        (vec!["sh", "-c", "echo bad; exit 7"], 7, "bad\n"),
        (vec!["sh", "-c", "exit 255"], 255, ""),
        (vec!["sh", "-c", "echo killed; kill -KILL $$"], 137, "killed\n"),
        (vec!["sh", "-c", "kill -TERM $$"], 143, ""),
        (vec!["/nowhere/to/be/found"], 127, ""),
        (vec!["no-such-program-anywhere"], 127, ""),
        (vec![plain], 126, ""),
        (vec!["/"], 126, ""),
    ] {
        let before = stage.heard().len();
        let url = stage.url();
        let ended = run(stage.exec(&[&["--beat", url.as_str(), "--"], &words[..]].concat())).await;
        assert_eq!((ended.status, ended.out.as_str()), (status, out), "{words:?}: {}", ended.err);
        let heard = &stage.heard()[before..];
        let [start, end] = heard else { panic!("{words:?}: {heard:?}") };
        assert_eq!((start.action.as_str(), end.action.clone()), ("start", status.to_string()), "{words:?}");
        assert_eq!((start.rid.as_str(), start.rid.len()), (end.rid.as_str(), 36), "{words:?}");
        assert_eq!((start.duration_ms, start.at, end.at, start.text()), (None, None, None, ""), "{words:?}");
        assert!(end.duration_ms.is_some_and(|took| took < 30_000), "{words:?}: {end:?}");
        if [126, 127].contains(&status) {
            assert!(ended.err.contains("cannot be run") && ended.err.lines().count() == 1, "{}", ended.err);
            assert_eq!(end.text(), ended.err, "{words:?}");
        } else {
            assert_eq!((end.text(), ended.err.as_str()), (out, ""), "{words:?}");
        }
    }
    let heard = stage.heard();
    let mut runs: Vec<&str> = heard.iter().map(|beat| beat.rid.as_str()).collect();
    runs.sort_unstable();
    runs.dedup();
    assert_eq!(runs.len(), heard.len() / 2, "each run has a number of its own");
    assert!(stage.kept().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn as_much_output_as_the_server_takes() {
    for (limit, expected) in [
        (None, 10_000),
        (Some("65536"), 65_536),
        (Some("5"), 5),
        (Some("999999999"), 65_536),
        (Some("lots"), 10_000),
    ] {
        let stage = Stage::new().await;
        let mut answer = Answer::ok("OK");
        if let Some(limit) = limit {
            answer = answer.header("Ping-Body-Limit", limit);
        }
        stage.server.set(answer);
        let script = "i=0; while [ $i -lt 20000 ]; do echo $((1000000 + i)); i=$((i + 1)); done";
        let ended = run(stage.shell(script)).await;
        assert_eq!((ended.status, ended.out.len()), (0, 160_000), "{}", ended.err);
        let heard = stage.heard();
        assert_eq!(heard[1].body.len(), expected, "{limit:?}");
        assert!(ended.out.ends_with(heard[1].text()), "{limit:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_streams_are_told_in_their_order() {
    let stage = Stage::new().await;
    let mut talk = Talk::start(stage.shell("echo one; read x; echo two >&2; read x; echo three"));
    assert_eq!(talk.line().await, "one");
    talk.say(b"\n").await;
    let mut err = tokio::io::BufReader::new(talk.child.stderr.take().expect("it is piped"));
    let mut line = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut err, &mut line).await.expect("it is written");
    assert_eq!(line, "two\n");
    talk.say(b"\n").await;
    assert_eq!(talk.line().await, "three");
    let status = talk.child.wait().await.expect("it ends");
    assert!(status.success());
    assert_eq!(stage.heard()[1].text(), "one\ntwo\nthree\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_start_is_told_while_the_command_runs() {
    let stage = Stage::new().await;
    let talk = Talk::start(stage.shell("read x"));
    let heard: Vec<Beat> = stage.server.wait_for(1).await.iter().map(Beat::of).collect();
    assert_eq!(actions(&heard), ["start"]);
    let ended = talk.finish().await;
    assert_eq!(ended.status, 1, "read finds the end of its input");
    assert_eq!(actions(&stage.heard()), ["start", "1"]);
}
