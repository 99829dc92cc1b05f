//! The walkthrough of the original: a monitor by curl, UP with a message, DOWN after two failures; its roles, its
//! variables, its log lines, on PostgreSQL and SQS.

use crate::client::Request;
use crate::eventually::{PATIENCE, eventually};
use crate::fleet::Fleet;
use crate::message::text;
use bw_testkit::server::{Answer, Sink, Target};
use serde_json::{Value, json};
use std::time::Duration;

/// A slot a second, two seconds ahead through the broker, the first look and its repeat.
const UP_WITHIN: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_goes_up_and_down_and_people_hear_of_it() {
    let fleet = Fleet::with_sqs().await;
    let (target, sink) = (Target::start().await, Sink::start().await);
    let api = fleet.start("api").await;
    let scheduler = fleet.start("scheduler").await;
    let worker = fleet.start("worker").await;

    let create = json!({
        "name": "Shop", "url": target.url(), "check_interval": 2, "timeout": 1, "expected_status_code": 200,
        "webhook_url": sink.url(),
    });
    let made = api.http().send(Request::new("POST", "/monitors").json(&create)).await.expect(200);
    assert_eq!(made["status"], "UNKNOWN", "{made}");
    let id = made["id"].as_i64().expect("an id");
    let status = async |status: &str| {
        eventually(status, UP_WITHIN, async || {
            let seen = api.get(format!("/monitors/{id}")).await;
            if seen["status"] == status { Ok(seen) } else { Err(seen) }
        })
        .await
    };
    let up = status("UP").await;
    assert_eq!((&up["consecutive_failures"], &up["enabled"]), (&json!(0), &Value::Bool(true)), "{up}");

    target.set(Answer::status(500));
    let down = status("DOWN").await;
    assert!(down["consecutive_failures"].as_i64().is_some_and(|failures| failures >= 2), "{down}");
    target.set(Answer::ok("ok"));
    status("UP").await;
    let messages = sink.wait_for(3).await;
    let changes = ["Old: UNKNOWN -> New: UP", "Old: UP -> New: DOWN", "Old: DOWN -> New: UP"];
    for (message, change) in messages.iter().zip(changes) {
        assert!(text(message).contains(change), "{}", text(message));
    }

    // Any of the three may have sent; a worker judges.
    assert_ne!(worker.lines_with(&format!("[STATE CHANGE] monitor={id} UP -> DOWN")), Vec::<String>::new());
    eventually("the log says that it was sent", PATIENCE, async || {
        let logs = [&api, &scheduler, &worker].map(|node| node.lines_with("[WEBHOOK] sent status=200").len());
        if logs.iter().sum::<usize>() >= 3 { Ok(()) } else { Err(format!("{logs:?}")) }
    })
    .await;
    for node in [api, scheduler, worker] {
        node.stop().await;
    }
}
