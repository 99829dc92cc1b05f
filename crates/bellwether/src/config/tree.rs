//! YAML as a tree in which every node knows its line and column, so that each mistake can say where it is.
//!
//! Keys that are given twice stay in the tree: they are a mistake to report beside the others, not a reason to
//! stop reading.

use super::Mistake;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Location, Options, Spanned};
use std::fmt;

/// A position in the file; both count from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

/// One value of the document.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub place: Place,
    pub kind: Kind,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Null,
    Truth(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a map with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: String,
    pub place: Place,
    pub value: Node,
}

/// Parses a file. A syntax error ends the reading: what follows it cannot be trusted.
pub fn parse(text: &str) -> Result<Node, Mistake> {
    if is_empty(text) {
        return Ok(Node { place: Place { line: 1, column: 1 }, kind: Kind::Map(Vec::new()) });
    }
    let raw: Spanned<Raw> = serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let place = error.location().map(place).unwrap_or_default();
        Mistake { place, path: String::new(), message: sentence(&error) }
    })?;
    Ok(raw.into())
}

/// Nothing but comments, blank lines and the marks of a document.
fn is_empty(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    text.lines()
        .map(str::trim)
        .all(|line| line.is_empty() || line.starts_with('#') || line == "---" || line == "...")
}

fn options() -> Options {
    // Room for a hundred thousand monitors; aliases stay bounded by the parser's own limits.
    let budget = serde_saphyr::budget! {
        max_events: 20_000_000,
        max_nodes: 10_000_000,
        max_total_scalar_bytes: 1 << 30,
    };
    serde_saphyr::options! {
        budget: budget,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        with_snippet: false,
    }
}

/// The parser's own words end with the position, which stands before the message already.
fn sentence(error: &serde_saphyr::Error) -> String {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let words = first.split(" at line ").next().unwrap_or(first).trim_start_matches("error: ");
    format!("not YAML: {words}")
}

fn place(at: Location) -> Place {
    Place { line: at.line(), column: at.column() }
}

/// The tree as the parser gives it: places stand around values.
enum Raw {
    Null,
    Truth(bool),
    Number(Number),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl From<Spanned<Raw>> for Node {
    fn from(raw: Spanned<Raw>) -> Self {
        let kind = match raw.value {
            Raw::Null => Kind::Null,
            Raw::Truth(truth) => Kind::Truth(truth),
            Raw::Number(number) => Kind::Number(number),
            Raw::Text(text) => Kind::Text(text),
            Raw::List(items) => Kind::List(items.into_iter().map(Node::from).collect()),
            Raw::Map(entries) => Kind::Map(entries.into_iter().map(Entry::from).collect()),
        };
        Node { place: place(raw.referenced), kind }
    }
}

impl From<(Spanned<String>, Spanned<Raw>)> for Entry {
    fn from((key, value): (Spanned<String>, Spanned<Raw>)) -> Self {
        Entry { place: place(key.referenced), key: key.value, value: value.into() }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Raw, E> {
        Ok(Raw::Truth(truth))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Raw, E> {
        Ok(Raw::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
        Ok(Raw::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Raw, E> {
        let number = Number::from_f64(number).ok_or_else(|| E::custom("a number must be finite"))?;
        Ok(Raw::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Raw, E> {
        Ok(Raw::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

impl Node {
    /// The same without places. Of a key that is given twice the first counts; `twice` reports the other.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Truth(truth) => Value::Bool(*truth),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(Node::to_json).collect(),
            Kind::Map(entries) => {
                let mut map = Map::new();
                for entry in entries {
                    map.entry(entry.key.clone()).or_insert_with(|| entry.value.to_json());
                }
                Value::Object(map)
            }
        }
    }

    /// Where `path` (`monitors[2].headers.X`) stands: its key, its list item, or the nearest thing around it.
    pub fn locate(&self, path: &str) -> Place {
        self.find(path, self.place)
    }

    fn find(&self, path: &str, around: Place) -> Place {
        let path = path.strip_prefix('.').unwrap_or(path);
        if path.is_empty() {
            return around;
        }
        match &self.kind {
            Kind::Map(entries) => {
                // The longest key wins, because keys may hold dots themselves.
                let mut best: Option<(&Entry, &str)> = None;
                for entry in entries {
                    if let Some(rest) = path.strip_prefix(entry.key.as_str())
                        && (rest.is_empty() || rest.starts_with(['.', '[']))
                        && best.is_none_or(|(found, _)| found.key.len() < entry.key.len())
                    {
                        best = Some((entry, rest));
                    }
                }
                best.map_or(around, |(entry, rest)| entry.value.find(rest, entry.place))
            }
            Kind::List(items) => {
                let step = path.strip_prefix('[').and_then(|rest| rest.split_once(']'));
                let item =
                    step.and_then(|(index, rest)| Some((items.get(index.parse::<usize>().ok()?)?, rest)));
                item.map_or(around, |(item, rest)| item.find(rest, item.place))
            }
            _ => around,
        }
    }

    /// Every key that is given twice in one map.
    pub fn twice(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        self.walk("", &mut |node, path| {
            let Kind::Map(entries) = &node.kind else { return };
            let mut seen = std::collections::HashMap::new();
            for entry in entries {
                if let Some(first) = seen.insert(&entry.key, entry.place) {
                    let message = format!("this key is given twice: first on line {}", first.line);
                    let path = bw_domain::read::join(path, &entry.key);
                    found.push(Mistake { place: entry.place, path, message });
                }
            }
        });
        found
    }

    fn walk(&self, path: &str, visit: &mut impl FnMut(&Node, &str)) {
        visit(self, path);
        match &self.kind {
            Kind::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.walk(&format!("{path}[{index}]"), visit);
                }
            }
            Kind::Map(entries) => {
                for entry in entries {
                    entry.value.walk(&bw_domain::read::join(path, &entry.key), visit);
                }
            }
            _ => {}
        }
    }
}
