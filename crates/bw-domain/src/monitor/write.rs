//! From a [`Declaration`] to its document: what was said and nothing else, secrets as `***`.

use super::declaration::{Auth, ConfirmDeclared, Declaration, TargetDeclared};
use super::vantage::Families;
use crate::secret::MASK;
use serde_json::{Map, Value, json};

impl Declaration {
    /// The document, in the order of the documentation where the reader keeps order.
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        let mut put = |key: &str, value: Value| {
            if !value.is_null() {
                map.insert(key.to_owned(), value);
            }
        };
        put("id", json!(self.id));
        put("name", json!(self.name));
        put("slug", json!(self.slug));
        match &self.target {
            TargetDeclared::Missing => {}
            TargetDeclared::Heartbeat(heartbeat) => put("heartbeat", heartbeat.to_json()),
            TargetDeclared::Tcp(address) => put("tcp", json!(address)),
            TargetDeclared::Tls(address) => put("tls", json!(address)),
            TargetDeclared::Http(url) if self.probing.http == Default::default() => put("http", json!(url)),
            TargetDeclared::Http(url) => {
                let options = &self.probing.http;
                let mut http = Map::from_iter([("url".to_owned(), json!(url))]);
                http.extend(options.redirects.map(|policy| ("redirects".to_owned(), json!(policy))));
                http.extend(options.verify.map(|verify| ("verify".to_owned(), json!(verify))));
                http.extend(options.resolver.as_ref().map(|servers| ("resolver".to_owned(), json!(servers))));
                put("http", Value::Object(http));
            }
        }
        put("method", json!(self.probing.method));
        put("headers", some_map(self.probing.headers.keys().map(|name| (name.clone(), json!(MASK)))));
        put("body", json!(self.probing.body));
        put(
            "auth",
            match &self.probing.auth {
                None => Value::Null,
                Some(Auth::Basic { username, .. }) => json!({"username": username, "password": MASK}),
                Some(Auth::Bearer(_)) => json!({"bearer": MASK}),
            },
        );
        put("every", json!(self.probing.every));
        put("timeout", json!(self.probing.timeout));
        put("family", json!(self.probing.family.map(family)));
        put("from", some_list(&self.probing.from));
        put("expect", some_list(&self.probing.expect));
        put("confirm", confirm(&self.probing.confirm));
        put("tell", self.tell.first_up.map_or(Value::Null, |first_up| json!({"first_up": first_up})));
        put("webhook_url", self.webhook_url.as_ref().map_or(Value::Null, |_| json!(MASK)));
        put("labels", some_map(self.labels.iter().map(|(key, value)| (key.clone(), json!(value)))));
        put("enabled", json!(self.enabled));
        Value::Object(map)
    }
}

fn family(families: Families) -> &'static str {
    match families {
        Families::Any => "any",
        Families::V4 => "v4",
        Families::V6 => "v6",
        Families::Both => "both",
    }
}

fn some_list(texts: &[String]) -> Value {
    if texts.is_empty() { Value::Null } else { json!(texts) }
}

fn some_map(entries: impl Iterator<Item = (String, Value)>) -> Value {
    let map: Map<String, Value> = entries.collect();
    if map.is_empty() { Value::Null } else { Value::Object(map) }
}

fn confirm(declared: &ConfirmDeclared) -> Value {
    some_map(
        [
            ("failures", json!(declared.failures)),
            ("recoveries", json!(declared.recoveries)),
            ("after", json!(declared.after)),
            ("agree", json!(declared.agree)),
            ("min", json!(declared.min)),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.to_owned(), value)),
    )
}
