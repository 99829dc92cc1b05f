//! One monitor with its target and its sink, from UP over DOWN to UP again, across the deaths of the process.

use crate::eventually::{PATIENCE, eventually};
use crate::installation::Installation;
use crate::message::{delivery_of, five_lines, messages_of, results, text};
use crate::node::Node;
use crate::slots;
use bw_testkit::server::{Answer, Recorded, Sink, Target};
use serde_json::{Value, json};
use std::time::Duration;

/// DOWN comes at the latest so long after the target stopped: `every + confirm.after + 2 × timeout`, and a second.
pub const DOWN_WITHIN: Duration = Duration::from_millis(1_000 + 500 + 2 * 300 + 1_000);
/// What a killed process had under way is told so soon after the next start.
const TOLD_AGAIN_WITHIN: Duration = Duration::from_secs(15);
const NAME: &str = "Shop";

/// The walk.
pub struct Walk {
    installation: Installation,
    /// `None` while it is dead.
    node: Option<Node>,
    /// `None` while nobody listens at its address.
    target: Option<Target>,
    pub sink: Sink,
    pub id: i64,
    url: String,
    address: String,
}

impl Walk {
    /// A new installation with one monitor through the interface, whose target is UP; nobody was told of that.
    pub async fn begin() -> Self {
        let (target, sink) = (Target::start().await, Sink::start().await);
        let installation = Installation::new();
        let node = installation.start().await;
        let (url, address) = (target.url(), target.address().to_string());
        let declared = json!({
            "name": NAME, "http": url, "every": "1s", "timeout": "300ms", "confirm": {"after": "500ms"},
            "webhook_url": sink.url(),
        });
        let id = node.create(&declared).await;
        node.until(id, "UP", PATIENCE).await;
        assert_eq!(sink.received(), [], "the first UP is silent");
        Walk { installation, node: Some(node), target: Some(target), sink, id, url, address }
    }

    pub fn node(&self) -> &Node {
        self.node.as_ref().expect("it lives")
    }

    /// Nobody listens any more.
    pub fn close_target(&mut self) {
        self.target = None;
    }

    /// It answers, with an error; answered requests so far.
    pub fn break_target(&self) -> usize {
        let target = self.target.as_ref().expect("it listens");
        target.set(Answer::status(503));
        target.hits()
    }

    /// It takes one request, which it never answers, and is well again.
    pub async fn silence_target_once(&self) {
        let target = self.target.as_ref().expect("it listens");
        target.next(Answer::silent());
        self.target_was_asked(target.hits() + 1).await;
    }

    /// Waits until the target was asked so often.
    pub async fn target_was_asked(&self, times: usize) {
        self.target.as_ref().expect("it listens").wait_for(times).await;
    }

    /// The target is well again, at the same address.
    pub async fn mend_target(&mut self) {
        match &self.target {
            Some(target) => target.set(Answer::ok("ok")),
            None => self.target = Some(Target::start_on(&self.address).await),
        }
    }

    /// `kill -9`.
    pub async fn kill(&mut self) {
        self.node.take().expect("it lives").kill().await;
    }

    /// Another process on the same directory.
    pub async fn start(&mut self) {
        self.node = Some(self.installation.start().await);
    }

    pub async fn kill_and_start(&mut self) {
        self.kill().await;
        self.start().await;
    }

    /// Waits until the target is seen DOWN.
    pub async fn down(&self, within: Duration) {
        self.node().until(self.id, "DOWN", within).await;
    }

    /// What became of the process is not held against the target, and no slot is missing.
    pub async fn is_still_up(&self) {
        slots::all_accounted(self.node(), self.id).await;
        assert_eq!(self.node().monitor(self.id).await["state"], "UP");
        self.nothing_was_said_of_it().await;
    }

    /// No failure, no incident, no message.
    pub async fn nothing_was_said_of_it(&self) {
        let fails = format!("/api/v1/monitors/{}/outcomes?verdict=fail", self.id);
        assert_eq!(self.node().items(fails).await, [] as [Value; 0]);
        assert_eq!(self.node().incidents().await, [] as [Value; 0]);
        assert_eq!(self.sink.received(), []);
    }

    /// One incident, which is open.
    pub async fn one_open_incident(&self) {
        let incidents = self.node().incidents().await;
        assert_eq!(incidents.len(), 1, "{incidents:?}");
        assert_eq!(
            (&incidents[0]["closed_at"], &incidents[0]["subject"]["id"]),
            (&Value::Null, &json!(self.id))
        );
    }

    /// The delivery of a change, once the ledger says that it was sent.
    pub async fn sent(&self, health: &str) -> Value {
        eventually(&format!("the change to {health} is sent"), TOLD_AGAIN_WITHIN, async || {
            let deliveries = self.node().deliveries().await;
            let sent = delivery_of(&deliveries, health).filter(|delivery| delivery["state"] == "sent");
            sent.cloned().ok_or_else(|| json!(deliveries))
        })
        .await
    }

    /// Everything received about one change. Each message is the five lines, under the key of its delivery; there is a
    /// second one only if a process died between the sink's answer and the record of it, and then the ledger has both.
    pub async fn told(&self, change: (&str, &str)) -> Vec<Recorded> {
        let delivery = self.sent(change.1).await;
        let received = self.sink.received();
        let messages = messages_of(&received, &delivery);
        let at = delivery["event"]["at"].as_str().expect("an event has its time");
        let lines = five_lines(NAME, &self.url, change, at);
        messages.iter().for_each(|message| assert_eq!(text(message), lines));
        let made = results(&delivery);
        match messages.len() {
            1 => assert!(matches!(made[..], ["sent"] | ["unknown", "sent"]), "{delivery}"),
            2 => assert_eq!(made, ["unknown", "sent"], "{delivery}"),
            other => panic!("{other} messages of {delivery}"),
        }
        messages.into_iter().cloned().collect()
    }

    /// The target recovers, the incident closes, people hear of it, and no slot is missing. Answers what was received
    /// when it went DOWN.
    pub async fn recover(mut self) -> Vec<Recorded> {
        self.one_open_incident().await;
        let down = self.told(("UP", "DOWN")).await;
        self.mend_target().await;
        self.node().until(self.id, "UP", PATIENCE).await;
        let up = self.told(("DOWN", "UP")).await;
        assert_eq!(self.sink.received().len(), down.len() + up.len(), "nothing else was told");
        let incidents = self.node().incidents().await;
        assert_eq!(incidents.len(), 1, "{incidents:?}");
        assert_ne!(incidents[0]["closed_at"], Value::Null, "{incidents:?}");
        slots::all_accounted(self.node(), self.id).await;
        down
    }
}
