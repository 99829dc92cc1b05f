//! The fields of a heartbeat's form, and what a document says in them.

use super::super::fields::{fields, lines, listed};
use serde_json::Value;

fields! {
    name, every, schedule, zone, grace, run_limit, count, holidays, post_only, manual_resume, failure, success, start,
    otherwise, webhook_url, labels, first_up,
}

/// What is asked first.
const FIRST: [&str; 4] = ["name", "every", "schedule", "zone"];

impl Fields {
    /// The fields of a document of a declaration.
    pub fn of(document: &Value) -> Self {
        let text = |pointer: &str| match document.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            _ => String::new(),
        };
        let ticked = |said: bool| if said { "on".to_owned() } else { String::new() };
        let is = |pointer: &str| ticked(document.pointer(pointer).and_then(Value::as_bool) == Some(true));
        // One of a list stands without it.
        let list = |pointer: &str| match text(pointer) {
            one if one.is_empty() => listed(document, pointer),
            one => one,
        };
        Fields {
            name: text("/name"),
            every: text("/heartbeat/every"),
            schedule: list("/heartbeat/schedule"),
            zone: text("/heartbeat/zone"),
            grace: text("/heartbeat/grace"),
            run_limit: text("/heartbeat/run_limit"),
            count: text("/heartbeat/count"),
            holidays: list("/heartbeat/holidays"),
            post_only: is("/heartbeat/post_only"),
            manual_resume: is("/heartbeat/manual_resume"),
            failure: text("/heartbeat/keywords/failure"),
            success: text("/heartbeat/keywords/success"),
            start: text("/heartbeat/keywords/start"),
            otherwise: ticked(text("/heartbeat/keywords/otherwise") == "fail"),
            webhook_url: text("/webhook_url"),
            labels: lines(document, "/labels"),
            first_up: is("/tell/first_up"),
        }
    }

    /// Whether a field is folded away.
    pub fn is_beyond(name: &str) -> bool {
        !name.is_empty() && !FIRST.contains(&name)
    }

    /// Whether anything is said that is folded away.
    pub fn says_more(&self) -> bool {
        let first = Fields {
            name: self.name.clone(),
            every: self.every.clone(),
            schedule: self.schedule.clone(),
            zone: self.zone.clone(),
            ..Fields::default()
        };
        *self != first
    }
}
