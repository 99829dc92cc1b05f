//! From the fields of a heartbeat to its document. What the form has no field for stays as it is stored: whose rules,
//! whose address, what another system keeps there.

use super::super::document::{pairs, text};
use super::Fields;
use serde_json::{Map, Value, json};

/// Writes the document over the stored one.
pub fn write(fields: &Fields, stored: Option<Value>) -> Value {
    let mut document = object(stored);
    let mut heartbeat = object(document.remove("heartbeat"));
    for (key, value) in [
        ("every", text(&fields.every)),
        ("schedule", list(&fields.schedule)),
        ("zone", text(&fields.zone)),
        ("grace", text(&fields.grace)),
        ("run_limit", text(&fields.run_limit)),
        ("count", text(&fields.count)),
        ("holidays", list(&fields.holidays)),
        ("post_only", ticked(&fields.post_only)),
        ("manual_resume", ticked(&fields.manual_resume)),
    ] {
        put(&mut heartbeat, key, value);
    }
    let keywords = keywords(fields, heartbeat.remove("keywords"));
    put(&mut heartbeat, "keywords", keywords);
    document.insert("heartbeat".to_owned(), Value::Object(heartbeat));
    put(&mut document, "name", text(&fields.name));
    put(&mut document, "webhook_url", text(&fields.webhook_url));
    put(&mut document, "labels", pairs(&fields.labels));
    let tell = if fields.first_up == "on" { json!({"first_up": true}) } else { Value::Null };
    put(&mut document, "tell", tell);
    Value::Object(document)
}

fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn put(map: &mut Map<String, Value>, key: &str, value: Value) {
    if value.is_null() {
        map.remove(key);
    } else {
        map.insert(key.to_owned(), value);
    }
}

fn ticked(typed: &str) -> Value {
    if typed == "on" { json!(true) } else { Value::Null }
}

/// One line is a text, several are a list: as they are written in files.
fn list(typed: &str) -> Value {
    let lines: Vec<&str> = typed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines[..] {
        [] => Value::Null,
        [one] => json!(one),
        _ => json!(lines),
    }
}

fn keywords(fields: &Fields, stored: Option<Value>) -> Value {
    let mut keywords = object(stored);
    let fails = fields.otherwise == "on";
    let said = fails || [&fields.failure, &fields.success, &fields.start].iter().any(|list| !list.is_empty());
    let mine = ["failure", "success", "start", "otherwise"];
    if !said && keywords.keys().all(|key| mine.contains(&key.as_str())) {
        return Value::Null;
    }
    keywords.insert("failure".to_owned(), json!(fields.failure));
    keywords.insert("success".to_owned(), json!(fields.success));
    keywords.insert("start".to_owned(), json!(fields.start));
    keywords.insert("otherwise".to_owned(), json!(if fails { "fail" } else { "ignore" }));
    Value::Object(keywords)
}
