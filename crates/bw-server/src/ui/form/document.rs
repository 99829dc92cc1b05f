//! From fields to the document that the file and the interface write too, so that one reader judges all three.

use super::Fields;
use serde_json::{Map, Value, json};

/// Writes the document. Keys that the form has no field for are taken over from the stored one.
pub fn write(fields: &Fields, stored: Option<Value>) -> Value {
    let mut document = match stored {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    for kind in ["http", "tcp", "tls"] {
        document.remove(kind);
    }
    let mut put = |key: &str, value: Value| match value {
        Value::Null => {
            document.remove(key);
        }
        value => {
            document.insert(key.to_owned(), value);
        }
    };
    let kind = if fields.kind.is_empty() { "http" } else { fields.kind.as_str() };
    put(kind, target(fields, kind));
    put("name", text(&fields.name));
    put("every", text(&fields.every));
    put("timeout", text(&fields.timeout));
    put("family", text(&fields.family));
    put("method", text(&fields.method));
    put("headers", pairs(&fields.headers));
    put("body", text(&fields.body));
    put("auth", auth(fields));
    put("expect", list(&fields.expect));
    put("webhook_url", text(&fields.webhook_url));
    put("labels", pairs(&fields.labels));
    put("tell", if fields.first_up == "on" { json!({"first_up": true}) } else { Value::Null });
    let least =
        document.get("confirm").and_then(|confirm| confirm.get("min")).cloned().unwrap_or(Value::Null);
    let confirm = map([
        ("failures", number(&fields.failures)),
        ("recoveries", number(&fields.recoveries)),
        ("after", text(&fields.after)),
        ("agree", text(&fields.agree)),
        ("min", least),
    ]);
    match confirm {
        Value::Null => document.remove("confirm"),
        confirm => document.insert("confirm".to_owned(), confirm),
    };
    Value::Object(document)
}

fn target(fields: &Fields, kind: &str) -> Value {
    if kind != "http" {
        return text(&fields.target);
    }
    let options = map([
        ("redirects", text(&fields.redirects)),
        ("verify", if fields.insecure == "on" { json!(false) } else { Value::Null }),
        ("resolver", text(&fields.resolver)),
    ]);
    let url = text(&with_scheme(&fields.target));
    match options {
        Value::Object(mut options) => {
            options.insert("url".to_owned(), url);
            Value::Object(options)
        }
        _ => url,
    }
}

/// A bare host is meant as a web page: nobody types the scheme in a browser either.
fn with_scheme(target: &str) -> String {
    let bare = !target.is_empty() && !target.contains("://") && !target.contains(char::is_whitespace);
    if bare { format!("https://{target}") } else { target.to_owned() }
}

fn auth(fields: &Fields) -> Value {
    match fields.auth.as_str() {
        "basic" => json!({"username": fields.username, "password": fields.password}),
        "bearer" => json!({"bearer": fields.bearer}),
        _ => Value::Null,
    }
}

/// A text, where something is typed.
pub(super) fn text(typed: &str) -> Value {
    if typed.is_empty() { Value::Null } else { json!(typed) }
}

/// What is no number stays a text, for the reader to say so.
fn number(typed: &str) -> Value {
    typed.parse::<u64>().map_or_else(|_| text(typed), |number| json!(number))
}

fn list(typed: &str) -> Value {
    let lines: Vec<&str> = typed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { Value::Null } else { json!(lines) }
}

/// Lines of `key: value` as a map; a line without a colon is a key alone.
pub(super) fn pairs(typed: &str) -> Value {
    let lines = typed.lines().map(str::trim).filter(|line| !line.is_empty());
    let pair = |line: &str| {
        let (key, value) = line.split_once(':').unwrap_or((line, ""));
        (key.trim().to_owned(), json!(value.trim()))
    };
    let map: Map<String, Value> = lines.map(pair).collect();
    if map.is_empty() { Value::Null } else { Value::Object(map) }
}

fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    let said = members.into_iter().filter(|(_, value)| !value.is_null());
    let map: Map<String, Value> = said.map(|(key, value)| (key.to_owned(), value)).collect();
    if map.is_empty() { Value::Null } else { Value::Object(map) }
}
