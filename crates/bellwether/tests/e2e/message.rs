//! The message of a monitor's own webhook, and how it stands in the ledger.

use bw_testkit::server::Recorded;
use serde_json::Value;

/// The whole text of a message.
pub fn five_lines(name: &str, url: &str, (old, new): (&str, &str), at: &str) -> String {
    format!("🔔 API Status Changed\nName: {name}\nURL: {url}\nOld: {old} -> New: {new}\nTime: {at}")
}

/// The text of a message.
pub fn text(message: &Recorded) -> String {
    message.json()["text"].as_str().expect("a message has a text").to_owned()
}

/// The messages that carry the key of this delivery.
pub fn messages_of<'m>(received: &'m [Recorded], delivery: &Value) -> Vec<&'m Recorded> {
    let id = delivery["id"].as_str();
    received.iter().filter(|message| message.header("idempotency-key") == id).collect()
}

/// How the attempts of a delivery ended.
pub fn results(delivery: &Value) -> Vec<&str> {
    let attempts = delivery["attempts"].as_array().expect("a delivery has attempts");
    attempts.iter().filter_map(|attempt| attempt["result"].as_str()).collect()
}

/// The delivery of a change to this health.
pub fn delivery_of<'d>(deliveries: &'d [Value], health: &str) -> Option<&'d Value> {
    let told = |delivery: &&Value| {
        let event = &delivery["event"];
        event["kind"] == "monitor.changed" && event["change"]["to"] == health
    };
    deliveries.iter().find(told)
}
