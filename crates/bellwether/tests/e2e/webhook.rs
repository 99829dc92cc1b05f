//! Declared actions hear incidents, signed; and each answer of a sink has its consequence.

use crate::eventually::{PATIENCE, eventually};
use crate::installation::Installation;
use crate::message::{messages_of, results};
use crate::node::Node;
use crate::slots::ms;
use bw_testkit::server::{Answer, Recorded, Sink, Target};
use ring::hmac;
use serde_json::{Value, json};

const SECRET: &str = "between us";
/// Longer than our own schedule would wait.
const RETRY_AFTER_MS: i64 = 3_000;

/// One sink an action, by the name of the action.
struct Sinks {
    /// Takes everything, signed.
    good: Sink,
    /// Fails once.
    flaky: Sink,
    /// Wants to be asked later.
    busy: Sink,
    /// Does not know us.
    gone: Sink,
}

impl Sinks {
    async fn start() -> Self {
        let sinks = Sinks {
            good: Sink::start().await,
            flaky: Sink::start().await,
            busy: Sink::start().await,
            gone: Sink::start().await,
        };
        sinks.flaky.answer_next(Answer::status(500));
        sinks.busy.answer_next(Answer::status(429).header("retry-after", "3"));
        sinks.gone.answer_next(Answer::status(404).body("no_service"));
        sinks
    }

    fn file(&self, target: &Target) -> String {
        let action = |name: &str, sink: &Sink, more: &str| {
            format!("  - name: {name}\n    type: webhook\n    url: {}\n{more}", sink.url())
        };
        format!(
            "monitors:\n  - name: Shop\n    http: {}\n    every: 1s\n    confirm: {{ after: 500ms }}\nactions:\n{}{}{}{}",
            target.url(),
            action("good", &self.good, &format!("    secret: {SECRET}\n")),
            action("flaky", &self.flaky, ""),
            action("busy", &self.busy, ""),
            action("gone", &self.gone, ""),
        )
    }
}

/// Waits until what an action was to tell has ended so.
async fn ended(node: &Node, action: &str, kind: &str, state: &str) -> Value {
    eventually(&format!("{kind} to {action} is {state}"), PATIENCE, async || {
        let deliveries = node.deliveries().await;
        let found = deliveries
            .iter()
            .find(|delivery| delivery["action"] == action && delivery["event"]["kind"] == kind);
        found.filter(|delivery| delivery["state"] == state).cloned().ok_or_else(|| json!(deliveries))
    })
    .await
}

/// The sender proves itself as its documentation says.
fn is_signed(message: &Recorded) {
    let header = |name| message.header(name).unwrap_or_else(|| panic!("there is no {name}: {message:?}"));
    let stamp = header("x-bellwether-timestamp");
    let signature =
        header("x-bellwether-signature").strip_prefix("v1=").expect("the version of the signature");
    let bytes: Option<Vec<u8>> = (0..signature.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(signature.get(at..at + 2)?, 16).ok())
        .collect();
    let signed = [stamp.as_bytes(), b".", &message.body].concat();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    hmac::verify(&key, &signed, &bytes.expect("hexadecimal digits")).expect("the signature is ours");
}

#[tokio::test]
async fn each_answer_has_its_consequence() {
    let (target, sinks) = (Target::start().await, Sinks::start().await);
    let node = Installation::new().file(&sinks.file(&target)).start().await;
    let shop = node.items("/api/v1/monitors").await[0]["id"].as_i64().expect("an id");
    node.until(shop, "UP", PATIENCE).await;
    target.set(Answer::status(503));
    node.until(shop, "DOWN", PATIENCE).await;
    let incident = node.incidents().await[0]["id"].clone();

    let good = ended(&node, "good", "incident.opened", "sent").await;
    let opened = sinks.good.wait_for(1).await.remove(0);
    is_signed(&opened);
    let event = opened.json();
    assert_eq!(event, good["event"], "what is sent is what the ledger shows");
    assert_eq!((&event["kind"], &event["incident"]["id"]), (&json!("incident.opened"), &incident));
    assert_eq!((&event["bellwether"], &event["monitor"]["name"]), (&json!(1), &json!("Shop")));
    assert_eq!((&event["change"]["from"], &event["change"]["to"]), (&json!("UP"), &json!("DOWN")));
    assert_eq!(event["incident"]["cause"]["code"], "expect.status");

    let flaky = ended(&node, "flaky", "incident.opened", "sent").await;
    assert_eq!(results(&flaky), ["retry", "sent"]);
    assert_eq!(messages_of(&sinks.flaky.received(), &flaky).len(), 2, "the same key twice");

    let busy = ended(&node, "busy", "incident.opened", "sent").await;
    assert_eq!(results(&busy), ["retry", "sent"]);
    let waited = ms(&busy["attempts"][1]["at"]) - ms(&busy["attempts"][0]["at"]);
    assert!(waited >= RETRY_AFTER_MS, "the sink's own word wins: {waited} ms");
    assert_eq!(messages_of(&sinks.busy.received(), &busy).len(), 2);

    let gone = ended(&node, "gone", "incident.opened", "dead").await;
    assert_eq!(results(&gone), ["refused"]);
    assert!(gone["reason"].as_str().is_some_and(|reason| reason.contains("404: no_service")), "{gone}");
    assert_eq!(sinks.gone.received().len(), 1, "nobody asks again");
    shown_as_broken(&node, shop, true).await;
    let timeline = node.get(format!("/api/v1/incidents/{incident}")).await["timeline"].clone();
    let entries = timeline.as_array().expect("a timeline");
    assert!(entries.iter().any(|entry| entry["kind"] == "not-told"), "{timeline}");

    target.set(Answer::ok("ok"));
    for (action, sink) in
        [("good", &sinks.good), ("flaky", &sinks.flaky), ("busy", &sinks.busy), ("gone", &sinks.gone)]
    {
        ended(&node, action, "incident.closed", "sent").await;
        let last = sink.received().pop().expect("a message").json();
        assert_eq!(
            (&last["kind"], &last["incident"]["id"]),
            (&json!("incident.closed"), &incident),
            "{action}"
        );
        assert_eq!(last["incident"]["closed_at"], last["at"], "{action}");
    }
    sinks.good.received().iter().for_each(is_signed);
    shown_as_broken(&node, shop, false).await;
}

/// The monitor's page says which actions do not work.
async fn shown_as_broken(node: &Node, monitor: i64, broken: bool) {
    eventually(&format!("the page says that an action is broken: {broken}"), PATIENCE, async || {
        let page = node.http().get(format!("/ui/monitors/{monitor}")).await.text;
        if page.contains("broken: ") == broken { Ok(()) } else { Err(page) }
    })
    .await;
}
