//! The JSON schema of `bellwether.yaml`, for editors that complete and check while one writes.

use super::keys::{ACTION, DECLARATIONS, Key, Kind, MONITOR, SETTINGS};
use serde_json::{Map, Value, json};

/// What durations look like.
const SPAN: &str = "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d) *)+$|^\\$\\{.+\\}$";

/// The whole schema.
pub fn schema() -> Value {
    let mut properties = object(SETTINGS, "");
    for key in DECLARATIONS {
        let items = if key.path == "monitors" { MONITOR } else { ACTION };
        let item =
            json!({ "type": "object", "additionalProperties": false, "properties": object(items, "") });
        properties.insert(
            key.path.to_owned(),
            json!({ "description": key.doc, "type": ["array", "null"], "items": item }),
        );
    }
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bellwether.yaml",
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": properties,
    });
    // The same text from every build, whether its maps keep their order or not.
    schema.sort_all_objects();
    schema
}

/// The properties directly below a path.
fn object(table: &[Key], parent: &str) -> Map<String, Value> {
    table
        .iter()
        .filter(|key| key.parent() == parent)
        .map(|key| {
            let mut property = shape(table, key);
            property.insert("description".to_owned(), json!(key.doc));
            if !key.default.is_empty() {
                property.insert("default".to_owned(), typed(key));
            }
            (key.name().to_owned(), Value::Object(property))
        })
        .collect()
}

fn shape(table: &[Key], key: &Key) -> Map<String, Value> {
    let below =
        || json!({ "type": "object", "additionalProperties": false, "properties": object(table, key.path) });
    let shape = match key.kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Texts => {
            json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
        }
        Kind::Truth => json!({ "type": "boolean" }),
        Kind::Number(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
        Kind::Span => json!({ "type": "string", "pattern": SPAN }),
        Kind::Words(words) => json!({ "enum": words }),
        Kind::TextMap => {
            json!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean", "null"] } })
        }
        Kind::Map => below(),
        Kind::Maps => json!({ "type": "array", "items": { "type": "object" } }),
        Kind::TextOrMap => json!({ "anyOf": [{ "type": "string" }, below()] }),
        Kind::TextOrNumber => json!({ "type": ["string", "integer"] }),
    };
    match shape {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The default as the value that it is.
fn typed(key: &Key) -> Value {
    match key.kind {
        Kind::Truth | Kind::Number(..) => serde_json::from_str(key.default).unwrap_or(Value::Null),
        _ => json!(key.default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_it() {
        let schema = schema();
        for (table, base) in [
            (SETTINGS, "/properties"),
            (MONITOR, "/properties/monitors/items/properties"),
            (ACTION, "/properties/actions/items/properties"),
        ] {
            for key in table {
                let found =
                    |step: &str| schema.pointer(&format!("{base}/{}", key.path.replace('.', step))).is_some();
                assert!(found("/properties/") || found("/anyOf/1/properties/"), "{}", key.path);
            }
        }
        assert_eq!(schema.pointer("/properties/self_test/properties/need/default"), Some(&json!(1)));
    }
}
