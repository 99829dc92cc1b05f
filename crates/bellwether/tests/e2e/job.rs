//! A heartbeat and its job: declared through the interface, reporting to its ping address, with a sink that hears of it.

use crate::client::Request;
use crate::eventually::{PATIENCE, eventually};
use crate::node::Node;
use bw_testkit::server::Sink;
use serde_json::{Value, json};
use std::time::Duration;

/// A heartbeat.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: i64,
    pub uuid: String,
}

impl Job {
    /// Expects a beat each `every`, and is told to the sink when none has come for `grace` longer.
    pub async fn declare(node: &Node, name: &str, (every, grace): (Duration, Duration), sink: &Sink) -> Job {
        let [every, grace] = [every, grace].map(|span| format!("{}ms", span.as_millis()));
        let declared = json!({
            "name": name, "heartbeat": {"every": every, "grace": grace}, "webhook_url": sink.url(),
        });
        let reply = node.http().send(Request::new("POST", "/api/v1/monitors").json(&declared)).await;
        let made = reply.expect(201);
        let uuid = made["uuid"].as_str().expect("a monitor has an address").to_owned();
        Job { id: made["id"].as_i64().expect("a monitor has an id"), uuid }
    }

    /// One beat; the instant at which the server took it, in milliseconds.
    pub async fn beat(&self, node: &Node) -> i64 {
        let reply = node.http().get(format!("/ping/{}", self.uuid)).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, "OK"));
        let beats = node.items(format!("/api/v1/monitors/{}/beats?limit=1", self.id)).await;
        crate::slots::ms(&beats[0]["at"])
    }

    /// Waits until what its beats have come to is so.
    pub async fn is(&self, node: &Node, status: &str) -> Value {
        eventually(&format!("{} is {status}", self.id), PATIENCE, async || {
            let seen = node.monitor(self.id).await;
            if seen["beats"]["status"] == status { Ok(seen) } else { Err(seen) }
        })
        .await
    }

    /// The incidents that it has had.
    pub async fn incidents(&self, node: &Node) -> Vec<Value> {
        let all = node.incidents().await;
        all.into_iter().filter(|incident| incident["subject"]["id"] == self.id).collect()
    }
}

/// Beats of a list, oldest first, as `kind/exit status`.
pub fn kinds(beats: &[Value]) -> Vec<String> {
    let kind = |beat: &Value| match beat["exit_status"].as_u64() {
        Some(status) => format!("{}/{status}", beat["kind"].as_str().unwrap_or_default()),
        None => beat["kind"].as_str().unwrap_or_default().to_owned(),
    };
    beats.iter().rev().map(kind).collect()
}
