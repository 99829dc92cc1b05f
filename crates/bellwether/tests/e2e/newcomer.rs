//! Somebody starts it, declares a monitor, and the target stops.

use crate::harness::{Place, timed};
use bw_testkit::server::{Sink, Target};
use serde_json::json;
use std::time::Duration;

/// `every` + 5 s + 2 × `timeout` + 1 s for a monitor of one second with a timeout of 300 ms.
const DOWN_WITHIN: Duration = Duration::from_millis(1_000 + 5_000 + 600 + 1_000);
/// A busy machine takes its time to answer our own questions, too.
const SLACK_WITHIN: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn down_is_seen_and_told_in_time_and_so_is_up() {
    let (place, target, sink) = (Place::new(), Target::start().await, Sink::start().await);
    let (start, server) = timed(place.serve()).await;
    assert!(start < Duration::from_secs(5), "ready after {start:?}");
    let monitor = server
        .post(
            "/api/v1/monitors",
            json!({"name": "Shop", "http": target.at("/"), "every": "1s", "timeout": "300ms", "webhook_url": sink.url()}),
        )
        .await;
    let path = format!("/api/v1/monitors/{}", monitor["id"]);
    server.sees("UP", &path, |monitor| (monitor["state"] == "UP").then_some(())).await;
    assert!(sink.received().is_empty(), "the first UP is silent");

    let (address, url) = (target.address().to_string(), target.at("/"));
    drop(target);
    let down = server.sees_within(DOWN_WITHIN, "DOWN", &path, |monitor| (monitor["state"] == "DOWN").then_some(()));
    let (took, ()) = timed(down).await;
    let (told, messages) = timed(sink.wait_for(1)).await;
    assert!(took <= DOWN_WITHIN && told <= SLACK_WITHIN, "DOWN after {took:?}, told {told:?} later");
    let text = messages[0].json()["text"].as_str().expect("a text").to_owned();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..4], ["🔔 API Status Changed", "Name: Shop", &format!("URL: {url}"), "Old: UP -> New: DOWN"]);
    assert!(lines[4].starts_with("Time: 20") && lines[4].ends_with('Z') && lines.len() == 5, "{text}");
    server.says("[STATE CHANGE] monitor=1 UP -> DOWN").await;
    server.says("[WEBHOOK] sent status=200").await;

    let _target = Target::start_on(&address).await;
    server.sees("UP again", &path, |monitor| (monitor["state"] == "UP").then_some(())).await;
    assert!(sink.wait_for(2).await[1].json()["text"].as_str().is_some_and(|text| text.contains("Old: DOWN -> New: UP")));
    let incidents = server.get("/api/v1/incidents").await;
    assert_eq!(incidents["items"].as_array().map(Vec::len), Some(1), "{incidents:#}");
    assert!(!incidents["items"][0]["closed_at"].is_null(), "{incidents:#}");
    assert_eq!(server.stop().await.code(), Some(0));
}
