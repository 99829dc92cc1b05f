//! What is in force, as YAML, secrets masked: the settings after all layers, and what the file declares.

use super::settings::{Broker, LogForm, Settings};
use bw_domain::secret::MASK;
use bw_domain::time::Span;
use bw_engine::usecase::apply::Declared;
use serde_json::{Value, json};

/// The document.
pub fn show(settings: &Settings, declared: &Declared) -> Value {
    let Settings { listen, data, open, log, metrics_public, self_test, guard, retention, defaults, .. } =
        settings;
    let mut document = json!({
        "listen": listen.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "data": data.display().to_string(),
        "auth": if *open { "none" } else { "default" },
        "log": if *log == LogForm::Json { "json" } else { "human" },
        "metrics": if *metrics_public { "public" } else { "token" },
        "self_test": { "anchors": self_test.anchors, "need": self_test.need },
        "guard": { "strict": guard.strict },
        "retention": {
            "outcomes": Span(retention.outcomes),
            "incidents": Span(retention.incidents),
            "deliveries": Span(retention.deliveries),
        },
        "defaults": {
            "every": Span(defaults.every),
            "confirm": {
                "failures": defaults.failures,
                "recoveries": defaults.recoveries,
                "after": Span(defaults.after),
                "min": defaults.min,
            },
        },
        "monitors": declared.monitors.iter().map(|monitor| monitor.to_json()).collect::<Vec<Value>>(),
        "actions": declared.actions.iter().map(|action| action.to_json()).collect::<Vec<Value>>(),
    });
    let mut put = |pointer: &str, key: &str, value: Value| {
        if let Some(map) = document.pointer_mut(pointer).and_then(Value::as_object_mut) {
            map.insert(key.to_owned(), value);
        }
    };
    if settings.database.is_some() {
        put("", "store", json!(MASK));
    }
    match &settings.broker {
        Some(Broker::Nats(_)) => put("", "queue", json!({ "nats": MASK })),
        Some(Broker::Sqs(url)) => put("", "queue", json!({ "sqs": url })),
        None => {}
    }
    if let Some(timeout) = defaults.timeout {
        put("/defaults", "timeout", json!(Span(timeout)));
    }
    if let Some(heartbeat) = &settings.outbound_heartbeat {
        put("", "outbound_heartbeat", json!({ "url": MASK, "every": Span(heartbeat.every) }));
    }
    document.sort_all_objects();
    document
}
