//! The health monitor's interface, walked as its users did: bodies, statuses, thresholds of the environment, the
//! message about the first UP, and the fixed lines of the log.

use crate::client::Request;
use crate::eventually::{PATIENCE, eventually};
use crate::installation::Installation;
use crate::message::{five_lines, text};
use crate::node::Node;
use bw_testkit::server::{Answer, Sink, Target};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DECLARED: [&str; 10] = [
    "check_interval",
    "created_at",
    "enabled",
    "expected_status_code",
    "id",
    "name",
    "status",
    "timeout",
    "url",
    "webhook_url",
];
const SEEN: [&str; 3] = ["consecutive_failures", "consecutive_successes", "last_checked_at"];

async fn post(node: &Node, form: &Value) -> Value {
    node.http().send(Request::new("POST", "/monitors").json(form)).await.expect(200)
}

fn has_exactly(answer: &Value, members: &[&str]) {
    let found: BTreeSet<&str> = answer.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(found, members.iter().copied().collect(), "{answer}");
}

/// Waits until a monitor has this status, and answers it.
async fn status(node: &Node, id: i64, status: &str) -> Value {
    eventually(&format!("status {status}"), PATIENCE, async || {
        let monitor = node.get(format!("/monitors/{id}")).await;
        if monitor["status"] == status { Ok(monitor) } else { Err(monitor) }
    })
    .await
}

#[tokio::test]
async fn a_walk_through_monitors() {
    let node = Installation::new().start().await;
    assert_eq!(node.get("/health").await, json!({"status": "ok"}));
    assert_eq!(node.get("/monitors").await, json!([]));

    let hook = "http://127.0.0.1:9/hook";
    let created =
        post(&node, &json!({"name": "One", "url": "http://127.0.0.1:9", "webhook_url": hook})).await;
    has_exactly(&created, &DECLARED);
    assert_eq!(
        (&created["id"], &created["url"], &created["webhook_url"], &created["status"]),
        (&json!(1), &json!("http://127.0.0.1:9/"), &json!(hook), &json!("UNKNOWN"))
    );
    assert_eq!(
        (
            &created["check_interval"],
            &created["timeout"],
            &created["expected_status_code"],
            &created["enabled"]
        ),
        (&json!(60), &json!(5), &json!(200), &json!(true))
    );

    let shown = node.get("/monitors/1").await;
    has_exactly(&shown, &[&DECLARED[..], &SEEN[..]].concat());
    assert_eq!(node.get("/monitors").await, json!([shown]));

    let edit = json!({"name": "Two", "url": "http://127.0.0.1:9/x", "check_interval": 30, "expected_status_code": 204});
    let edited = node.http().send(Request::new("PUT", "/monitors/1").json(&edit)).await.expect(200);
    assert_eq!(
        (&edited["name"], &edited["check_interval"], &edited["expected_status_code"], &edited["webhook_url"]),
        (&json!("Two"), &json!(30), &json!(204), &Value::Null)
    );

    let deleted = node.http().send(Request::new("DELETE", "/monitors/1")).await.expect(200);
    assert_eq!(deleted, json!({"message": "deleted"}));
    assert_eq!(node.http().get("/monitors/1").await.expect(404), json!({"detail": "Monitor not found"}));
    assert_eq!(node.get("/monitors").await, json!([]));
}

#[tokio::test]
async fn mistakes_in_the_form() {
    let node = Installation::new().start().await;
    let url = "http://127.0.0.1:9/";
    for (form, place, kind) in [
        (json!({"name": "a"}), "url", "missing"),
        (json!({"name": 5, "url": url}), "name", "string_type"),
        (json!({"name": "a", "url": "nowhere"}), "url", "url_parsing"),
        (json!({"name": "a", "url": url, "check_interval": "often"}), "check_interval", "int_parsing"),
        (json!({"name": "a", "url": url, "check_interval": 0}), "check_interval", "value_error"),
        (json!({"name": "a", "url": url, "check_interval": 5, "timeout": 6}), "timeout", "value_error"),
        (json!({"name": "a", "url": url, "webhook_url": "hook"}), "webhook_url", "url_parsing"),
    ] {
        let refusal = node.http().send(Request::new("POST", "/monitors").json(&form)).await.expect(422);
        let mistake = &refusal["detail"][0];
        assert_eq!((&mistake["loc"], &mistake["type"]), (&json!(["body", place]), &json!(kind)), "{refusal}");
    }
    let refusal = node.http().send(Request::new("POST", "/monitors").body("{\"name\": ")).await.expect(422);
    assert_eq!(refusal["detail"][0]["type"], "json_invalid", "{refusal}");
    assert_eq!(node.get("/monitors").await, json!([]));
}

#[tokio::test]
async fn thresholds_messages_and_lines() {
    let (target, sink) = (Target::start().await, Sink::start().await);
    let installation = Installation::new().variable("FAIL_THRESHOLD", "1").variable("SUCCESS_THRESHOLD", "3");
    let node = installation.start().await;
    let form = json!({
        "name": "Google Homepage", "url": target.url(), "check_interval": 1, "timeout": 1, "webhook_url": sink.url(),
    });
    let id = post(&node, &form).await["id"].as_i64().expect("an id");
    let up = status(&node, id, "UP").await;
    assert!(up["consecutive_successes"].as_i64() >= Some(3) && target.hits() >= 3, "{up}");
    sink.wait_for(1).await;

    // One failure is enough for DOWN.
    target.next(Answer::status(500));
    sink.wait_for(2).await;
    let received = sink.wait_for(3).await;
    for (message, change) in received.iter().zip([("UNKNOWN", "UP"), ("UP", "DOWN"), ("DOWN", "UP")]) {
        let said = text(message);
        let at = said.rsplit_once("Time: ").map_or("", |(_, at)| at).to_owned();
        assert!(at.len() == 24 && at.ends_with('Z'), "{said}");
        assert_eq!(said, five_lines("Google Homepage", &target.url(), change, &at));
    }
    status(&node, id, "UP").await;

    // The line stands alone after the time; a message has one line.
    let sent = || node.lines_with("[WEBHOOK] sent status=200").len();
    eventually(
        "the last message is logged",
        PATIENCE,
        async || if sent() >= 3 { Ok(()) } else { Err(node.log()) },
    )
    .await;
    assert_eq!(sent(), 3, "{}", node.log());
    let changes = node.lines_with("[STATE CHANGE]");
    let after_the_time: Vec<&str> = changes.iter().filter_map(|line| Some(line.split_once(' ')?.1)).collect();
    assert_eq!(
        after_the_time,
        [
            "[STATE CHANGE] monitor=1 UNKNOWN -> UP",
            "[STATE CHANGE] monitor=1 UP -> DOWN",
            "[STATE CHANGE] monitor=1 DOWN -> UP",
        ]
    );
}
