//! The life of a process: it starts or says in a sentence why not, it ends when asked, and what it knew is there
//! afterwards.

use crate::eventually::{PATIENCE, eventually};
use crate::installation::{Installation, Refusal};
use bw_testkit::server::{Answer, Sink, Target};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

/// It ended with 1 and one sentence that says all of this.
fn says(refusal: &Refusal, parts: &[&str]) {
    assert_eq!(refusal.status, Some(1), "{refusal:?}");
    for part in parts {
        assert!(refusal.stderr.contains(part), "{part} is not in {refusal:?}");
    }
    assert_eq!(refusal.stderr.lines().count(), 1, "one sentence: {refusal:?}");
}

#[tokio::test]
async fn what_was_known_is_there_after_a_restart() {
    let target = Target::start().await;
    target.set(Answer::status(503));
    let installation = Installation::new();
    let node = installation.start().await;
    let declared = json!({
        "name": "Shop", "http": target.url(), "every": "1s", "confirm": {"after": "500ms"}, "labels": {"team": "web"},
    });
    let id = node.create(&declared).await;
    let idle =
        node.create(&json!({"name": "Idle", "http": target.url(), "every": "1h", "enabled": false})).await;
    let down = node.until(id, "DOWN", PATIENCE).await;
    let incidents = node.incidents().await;
    let log = node.stop().await;
    assert!(
        !log.contains("WARN") && !log.contains("ERROR"),
        "a good life has nothing to complain of:\n{log}"
    );

    let node = installation.start().await;
    let after = node.monitor(id).await;
    for member in ["uuid", "name", "http", "every", "labels", "revision", "state", "since", "created_at"] {
        assert_eq!(after[member], down[member], "{member}");
    }
    assert_eq!(node.monitor(idle).await["state"], "PAUSED");
    assert_eq!(node.incidents().await, incidents);
    assert_eq!(node.create(&json!({"name": "Next", "http": target.url(), "enabled": false})).await, idle + 1);
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let (target, sink) = (Target::start().await, Sink::start().await);
    target.set(Answer::status(503));
    sink.answer_always(Answer::silent());
    let mut node = Installation::new().start().await;
    let declared = json!({
        "name": "Shop", "http": target.url(), "every": "1s", "confirm": {"failures": 1}, "webhook_url": sink.url(),
    });
    node.create(&declared).await;
    sink.wait_for(1).await;
    node.signal(Signal::TERM);
    eventually("it waits for the sink", PATIENCE, async || match node.lines_with("stopping").len() {
        1 => Ok(()),
        _ => Err(node.log()),
    })
    .await;
    node.signal(Signal::TERM);
    let status = node.ended(Duration::from_secs(1)).await;
    assert_eq!(status.code(), Some(1), "{}", node.log());
}

#[tokio::test]
async fn one_process_a_directory() {
    let installation = Installation::new();
    let node = installation.start().await;
    let directory = installation.data().display().to_string();
    says(&installation.refused().await, &["is in use by process", &directory, &node.pid().to_string()]);
    node.get("/api/v1/monitors").await;
    node.kill().await;
    installation.start().await.stop().await;
}

#[tokio::test]
async fn the_key_must_fit() {
    let key = |byte: char| format!("{}=", byte.to_string().repeat(43));
    let installation = Installation::new().variable("BELLWETHER_SECRET_KEY", &key('A'));
    installation.start().await.stop().await;
    assert!(!installation.data().join("secret.key").exists(), "a key that was given is written nowhere");
    let installation = installation.variable("BELLWETHER_SECRET_KEY", &key('I'));
    says(
        &installation.refused().await,
        &["the secret key does not fit", "bellwether.db", "BELLWETHER_SECRET_KEY"],
    );
    let installation = installation.variable("BELLWETHER_SECRET_KEY", "too short");
    says(&installation.refused().await, &["BELLWETHER_SECRET_KEY must hold 32 bytes as base64"]);
    installation.variable("BELLWETHER_SECRET_KEY", &key('A')).start().await.stop().await;

    // A key file from somewhere else.
    let installation = Installation::new();
    installation.start().await.stop().await;
    let file = installation.data().join("secret.key");
    fs::write(&file, key('A')).expect("the temporary directory has room");
    says(&installation.refused().await, &["the secret key does not fit"]);
}

#[tokio::test]
async fn a_damaged_database_is_refused() {
    let installation = Installation::new();
    let node = installation.start().await;
    node.create(&json!({"name": "Shop", "http": "http://127.0.0.1:9/", "enabled": false})).await;
    node.stop().await;
    let file = installation.data().join("bellwether.db");
    let whole = fs::read(&file).expect("the database is there");
    let mut without_a_head = whole.clone();
    without_a_head[..100].fill(b'x');
    let mut without_a_heart = whole.clone();
    without_a_heart[4_096..].fill(0xff);
    for damaged in [&without_a_head[..], &without_a_heart[..], b"not a database at all"] {
        fs::write(&file, damaged).expect("the temporary directory has room");
        says(&installation.refused().await, &[&file.display().to_string(), "bellwether db check"]);
    }
    fs::write(&file, whole).expect("the temporary directory has room");
    let node = installation.start().await;
    assert_eq!(node.items("/api/v1/monitors").await.len(), 1);
}

#[tokio::test]
async fn a_log_for_machines() {
    let node = Installation::new().flag("--log", "json").start().await;
    let log = node.stop().await;
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let ready: Vec<&Value> = lines.iter().filter(|line| line["event"] == "ready").collect();
    assert_eq!(ready.len(), 1, "{log}");
    assert!(ready[0]["url"].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:")), "{log}");
    assert!(lines.iter().all(|line| line["event"] == "ready" || line["message"].is_string()), "{log}");
}
