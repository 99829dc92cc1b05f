//! Reading untyped documents with every mistake collected: where it is, what is wrong, what to write instead.
//! The file and the interface read declarations through the same code.

use crate::nearest::nearest;
use crate::time::Span;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One mistake in a document.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// `monitors[2].every`; empty for the document itself.
    pub path: String,
    pub message: String,
}

impl Problem {
    /// A mistake at a path.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { path: path.into(), message: message.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

/// A path one step deeper.
pub fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A map that is being read: each `take_…` notes its own mistake and goes on.
pub struct Fields<'a> {
    map: Option<&'a Map<String, Value>>,
    path: &'a str,
    pub problems: Vec<Problem>,
}

impl<'a> Fields<'a> {
    /// Begins to read `value` as a map with the `known` keys; keys in `later` are known but not built yet.
    pub fn new(value: &'a Value, path: &'a str, known: &[&str], later: &[(&str, &str)]) -> Self {
        let mut problems = Vec::new();
        let map = value.as_object();
        match map {
            None => problems.push(Problem::new(path, format!("must be a map of keys, not {}", kind(value)))),
            Some(map) => {
                for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
                    problems.push(Problem::new(join(path, key), unknown(key, known, later)));
                }
            }
        }
        Fields { map, path, problems }
    }

    /// The value of a key, unless absent or null.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.map?.get(key).filter(|value| !value.is_null())
    }

    /// Notes a mistake at a key.
    pub fn wrong(&mut self, key: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(join(self.path, key), message));
    }

    fn expected<T>(&mut self, key: &str, wanted: &str, value: &Value) -> Option<T> {
        self.wrong(key, format!("must be {wanted}, not {}", kind(value)));
        None
    }

    /// A text. Numbers and truth values are not taken for texts: the writer meant something else.
    pub fn text(&mut self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::String(text) => Some(text.clone()),
            other => self.expected(key, "a text", other),
        }
    }

    /// True or false.
    pub fn truth(&mut self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Value::Bool(truth) => Some(*truth),
            other => self.expected(key, "true or false", other),
        }
    }

    /// A whole number within bounds.
    pub fn number(&mut self, key: &str, low: u64, high: u64) -> Option<u64> {
        let value = self.get(key)?;
        match value.as_u64().filter(|number| (low..=high).contains(number)) {
            Some(number) => Some(number),
            None => self.expected(key, &format!("a whole number from {low} to {high}"), value),
        }
    }

    /// A duration.
    pub fn span(&mut self, key: &str) -> Option<Span> {
        match self.get(key)? {
            Value::String(text) => match text.parse() {
                Ok(span) => Some(span),
                Err(error) => {
                    self.wrong(key, format!("{error}"));
                    None
                }
            },
            Value::Number(number) => {
                self.wrong(key, format!("needs a unit: write {number}s for seconds"));
                None
            }
            other => self.expected(key, "a duration such as 30s", other),
        }
    }

    /// A text that is one of the given words.
    pub fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.wrong(key, format!("`{text}` is not one of {}", all.join(", ")));
        }
        found
    }

    /// A list of texts; a single text is a list of one.
    pub fn texts(&mut self, key: &str) -> Vec<String> {
        match self.get(key) {
            None => Vec::new(),
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(items)) => {
                let mut texts = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    match item {
                        Value::String(text) => texts.push(text.clone()),
                        other => self.wrong(
                            &format!("{key}[{index}]"),
                            format!("must be a text, not {}", kind(other)),
                        ),
                    }
                }
                texts
            }
            Some(other) => self.expected(key, "a list of texts", other).unwrap_or_default(),
        }
    }

    /// A map of texts; numbers and truth values are taken as they are written.
    pub fn text_map(&mut self, key: &str) -> BTreeMap<String, String> {
        let entries = match self.get(key) {
            None => return BTreeMap::new(),
            Some(Value::Object(map)) => map,
            Some(other) => return self.expected(key, "a map of texts", other).unwrap_or_default(),
        };
        let mut texts = BTreeMap::new();
        for (name, value) in entries {
            match value {
                Value::String(text) => drop(texts.insert(name.clone(), text.clone())),
                Value::Number(_) | Value::Bool(_) => drop(texts.insert(name.clone(), value.to_string())),
                Value::Null => drop(texts.insert(name.clone(), String::new())),
                other => self.wrong(&format!("{key}.{name}"), format!("must be a text, not {}", kind(other))),
            }
        }
        texts
    }
}

/// What a value is, in words.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn unknown(key: &str, known: &[&str], later: &[(&str, &str)]) -> String {
    if let Some((_, sentence)) = later.iter().find(|(name, _)| *name == key) {
        return (*sentence).to_owned();
    }
    match nearest(key, known.iter().copied()) {
        Some(near) => format!("unknown key; did you mean `{near}`?"),
        None => format!("unknown key; known are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_at_once() {
        let value = serde_json::json!({"a": 5, "b": "x", "c": "10", "d": 7, "aa": 1, "soon": 1});
        let mut fields = Fields::new(&value, "m", &["a", "b", "c", "d"], &[("soon", "comes later")]);
        fields.text("a");
        fields.truth("b");
        fields.span("c");
        fields.span("d");
        let told: Vec<String> = fields.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "m.aa: unknown key; did you mean `a`?",
                "m.soon: comes later",
                "m.a: must be a text, not a number",
                "m.b: must be true or false, not a text",
                "m.c: `10` is not a duration: write a number with its unit, such as 300ms, 10s, 5m, 24h or 7d",
                "m.d: needs a unit: write 7s for seconds",
            ]
        );
    }
}
