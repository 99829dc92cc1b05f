//! From the document to an [`Action`], and back.

use super::{Action, ActionKind};
use crate::id::ActionId;
use crate::limits;
use crate::read::{Fields, Problem};
use crate::secret::{MASK, Secret};
use serde_json::{Map, Value, json};

/// The keys of an action, in the order of the documentation.
pub const KNOWN_KEYS: &[&str] = &["name", "type", "url", "headers", "secret"];

const TYPES: &[(&str, &str)] = &[("slack", "slack"), ("webhook", "webhook"), ("log", "log")];

impl Action {
    /// Reads a document; all mistakes at once, with paths below `path`.
    pub fn read(value: &Value, path: &str) -> Result<Action, Vec<Problem>> {
        let mut fields = Fields::new(value, path, KNOWN_KEYS, &[]);
        let name = fields.text("name").unwrap_or_default();
        if name.trim().is_empty() || name.chars().count() > limits::NAME_MAX {
            fields.wrong("name", format!("is needed: one line of at most {} characters", limits::NAME_MAX));
        }
        if fields.get("type").is_none() {
            fields.wrong("type", "is missing: slack, webhook or log");
        }
        let kind = fields.word("type", TYPES);
        let url = fields.text("url");
        let headers = fields.text_map("headers");
        let secret = fields.text("secret");
        let only_webhook = kind.is_some_and(|kind| kind != "webhook");
        for (key, given) in [("headers", !headers.is_empty()), ("secret", secret.is_some())] {
            if given && only_webhook {
                fields.wrong(key, "belongs to actions of type webhook");
            }
        }
        let kind = match kind {
            Some("log") => {
                if url.is_some() {
                    fields.wrong("url", "belongs to actions of type slack or webhook");
                }
                Some(ActionKind::Log)
            }
            Some(word) => address(&mut fields, url).map(|url| match word {
                "slack" => ActionKind::Slack { url },
                _ => ActionKind::Webhook {
                    url,
                    headers: headers.into_iter().map(|(name, value)| (name, Secret::new(value))).collect(),
                    secret: secret.map(Secret::new),
                },
            }),
            None => None,
        };
        match kind {
            Some(kind) if fields.problems.is_empty() => {
                Ok(Action { id: ActionId(0), name, owner: None, kind, broken: String::new() })
            }
            _ => Err(fields.problems),
        }
    }

    /// Reads a document of its own.
    pub fn from_json(value: &Value) -> Result<Action, Vec<Problem>> {
        Action::read(value, "")
    }

    /// The document, secrets as `***`.
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("name".to_owned(), json!(self.name));
        map.insert("type".to_owned(), json!(self.kind.word()));
        match &self.kind {
            ActionKind::Log => {}
            ActionKind::Slack { .. } => drop(map.insert("url".to_owned(), json!(MASK))),
            ActionKind::Webhook { headers, secret, .. } => {
                map.insert("url".to_owned(), json!(MASK));
                if !headers.is_empty() {
                    let masked: Map<String, Value> =
                        headers.keys().map(|name| (name.clone(), json!(MASK))).collect();
                    map.insert("headers".to_owned(), Value::Object(masked));
                }
                if secret.is_some() {
                    map.insert("secret".to_owned(), json!(MASK));
                }
            }
        }
        Value::Object(map)
    }
}

fn address(fields: &mut Fields<'_>, url: Option<String>) -> Option<Secret> {
    let Some(url) = url else {
        if fields.get("url").is_none() {
            fields.wrong("url", "is missing: where to send");
        }
        return None;
    };
    let good = url == MASK
        || url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !good || url.len() > limits::URL_MAX {
        fields.wrong("url", "is not an address: write http:// or https:// and a host");
        return None;
    }
    Some(Secret::new(url))
}
