//! `beats tail`: a line a beat, over restarts of the server, until Ctrl-C.

use crate::exec::{Talk, kill};
use crate::harness::{Place, Running};
use serde_json::{Value, json};

/// Declares a heartbeat; its number and its address.
async fn heartbeat(server: &Running, name: &str) -> (i64, String) {
    let made = server.post("/api/v1/monitors", json!({"name": name, "heartbeat": {"every": "1h"}})).await;
    let uuid = made["uuid"].as_str().expect("an address").to_owned();
    (made["id"].as_i64().expect("an id"), uuid)
}

async fn ping(server: &Running, rest: &str) {
    let reply = server.ask("GET", &format!("/ping/{rest}"), None).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, "OK"), "{rest}");
}

/// The words of a line behind its time.
fn behind_time(line: &str) -> String {
    let (time, rest) = line.split_once("  ").unwrap_or_else(|| panic!("no time: {line}"));
    assert!(time.starts_with("20") && time.ends_with('Z'), "{line}");
    rest.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_over_a_restart() {
    let place = Place::new();
    let server = place.serve().await;
    let address = server.url.strip_prefix("http://").expect("a plain URL").to_owned();
    let (id, uuid) = heartbeat(&server, "Nightly").await;
    let (_, other) = heartbeat(&server, "Other").await;
    for n in 0..12 {
        ping(&server, &format!("{uuid}/{n}")).await;
    }
    let tail = |words: &[&str]| {
        let mut command = place.command(&[&["beats", "tail"], words].concat());
        command.env("BELLWETHER_URL", &server.url);
        Talk::start(command)
    };
    let mut all = tail(&[]);
    let mut one = tail(&["--json", "--monitor", &id.to_string()]);
    for n in 2..12 {
        let word = if n == 0 { "success" } else { "fail" };
        assert_eq!(behind_time(&all.line().await), format!("Nightly  {word}  exit {n}, from 127.0.0.1"));
        let beat: Value = serde_json::from_str(&one.line().await).expect("JSON");
        assert_eq!((&beat["exit_status"], &beat["monitor"]), (&json!(n), &json!(id)));
    }
    ping(&server, &other).await;
    ping(&server, &format!("{uuid}?duration_ms=90500")).await;
    assert_eq!(behind_time(&all.line().await), "Other  success  from 127.0.0.1");
    assert!(behind_time(&all.line().await).starts_with("Nightly  success  took 90s, "));
    let beat: Value = serde_json::from_str(&one.line().await).expect("JSON");
    assert_eq!((&beat["kind"], &beat["duration_ms"]), (&json!("success"), &json!(90_500)), "not the other's");

    // Away for a moment, and back at the same address.
    assert_eq!(server.stop().await.code(), Some(0));
    let mut waits = String::new();
    let mut stderr = tokio::io::BufReader::new(all.child.stderr.take().expect("it is piped"));
    let said = tokio::io::AsyncBufReadExt::read_line(&mut stderr, &mut waits);
    tokio::time::timeout(crate::harness::PATIENCE, said).await.expect("in time").expect("a line");
    assert_eq!(waits, "the server does not answer: waiting for it\n");
    let server = Running::start(place.command(&["serve", "--listen", &address])).await;
    ping(&server, &format!("{uuid}/fail")).await;
    assert_eq!(behind_time(&all.line().await), "Nightly  fail  from 127.0.0.1");
    let beat: Value = serde_json::from_str(&one.line().await).expect("JSON");
    assert_eq!(beat["kind"], "fail");

    one.signal("-INT");
    kill("-TERM", &all.child.id().expect("it runs").to_string());
    let one = one.finish().await;
    assert_eq!((one.status, one.out.as_str()), (0, ""), "{one:?}");
    assert_eq!(one.err, waits, "it is said once");
    let ended = tokio::time::timeout(crate::harness::PATIENCE, all.child.wait()).await.expect("in time");
    assert_eq!(ended.expect("it ends").code(), Some(0));
    assert_eq!(server.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_followed() {
    let place = Place::new();
    let nothing = place.run(&["beats", "tail"]).await;
    assert!(nothing.status == 1 && nothing.err.contains("there is no database below"), "{nothing:?}");
    let server = place.serve().await;
    server.post("/api/v1/monitors", json!({"name": "Shop", "tcp": "127.0.0.1:1"})).await;
    for (id, says) in [("1", "monitor 1 is probed"), ("99", "")] {
        let mut command = place.command(&["beats", "tail", "--monitor", id]);
        command.env("BELLWETHER_URL", &server.url);
        let refused = crate::harness::ended(command).await;
        assert_eq!((refused.status, refused.err.lines().count()), (1, 1), "{refused:?}");
        assert!(refused.err.contains(says), "{refused:?}");
    }
    assert_eq!(server.stop().await.code(), Some(0));
    let alone = place.run(&["beats", "tail"]).await;
    assert!(alone.status == 1 && alone.err.contains("no server takes beats in here"), "{alone:?}");
}
