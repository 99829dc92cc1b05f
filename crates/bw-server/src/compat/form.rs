//! The body of POST and PUT, read as leniently as the original read it: numbers and truth values may be texts,
//! unknown members are ignored. What it leaves out has the original's defaults.

use super::answer::status_in;
use super::mistake::{Kind, Mistakes};
use bw_domain::monitor::{Declaration, Spec, TargetDeclared, TellDeclared};
use bw_domain::secret::Secret;
use bw_domain::time::{Duration, Span};
use serde_json::{Map, Value};

/// The members that can be written.
#[derive(Debug, PartialEq)]
pub struct Form {
    pub name: String,
    pub url: String,
    pub check_interval: u64,
    pub timeout: u64,
    pub expected_status_code: u64,
    pub webhook_url: Option<String>,
    pub enabled: bool,
}

impl Form {
    /// Reads a body; all mistakes at once. The map is what was sent.
    pub fn read(body: &[u8]) -> Result<(Form, Map<String, Value>), Mistakes> {
        let value: Value = serde_json::from_slice(body).map_err(|error| Mistakes::json(body, &error))?;
        let Value::Object(map) = value else { return Err(Mistakes::not_a_map(value)) };
        let mut reader = Reader { map: &map, mistakes: Mistakes::default() };
        let form = Form {
            name: reader.needed("name", Reader::text).unwrap_or_default(),
            url: reader.needed("url", Reader::text).unwrap_or_default(),
            check_interval: reader.or("check_interval", 60, Reader::number),
            timeout: reader.or("timeout", 5, Reader::number),
            expected_status_code: reader.or("expected_status_code", 200, Reader::status),
            webhook_url: reader.optional("webhook_url", Reader::text).filter(|url| !url.is_empty()),
            enabled: reader.or("enabled", true, Reader::truth),
        };
        reader.mistakes.none()?;
        Ok((form, map))
    }

    /// A new monitor. Those made here speak of their first UP, as the original did.
    pub fn declare(self) -> Declaration {
        let declared = Declaration { tell: TellDeclared { first_up: Some(true) }, ..Declaration::default() };
        self.written_onto(declared)
    }

    /// A declared monitor with everything that the form says replaced, and what it cannot say kept.
    pub fn onto(self, spec: &Spec) -> Declaration {
        self.written_onto((*spec.declared).clone())
    }

    fn written_onto(self, mut declared: Declaration) -> Declaration {
        let seconds = |s| Some(Span(Duration::from_secs(s)));
        declared.name = self.name;
        declared.target = TargetDeclared::Http(normal(&self.url));
        let probing = declared.probing_mut();
        probing.every = seconds(self.check_interval);
        probing.timeout = seconds(self.timeout);
        probing.expect = with_status(std::mem::take(&mut probing.expect), self.expected_status_code);
        declared.webhook_url = self.webhook_url.as_deref().map(normal).map(Secret::new);
        declared.enabled = Some(self.enabled);
        declared
    }
}

/// URLs are kept as the original kept them: an empty path is `/`. What is no URL is left for the check to name.
fn normal(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(parsed) => parsed.into(),
        Err(_) => url.to_owned(),
    }
}

/// The expected status takes the place of the one before; other expectations stay.
fn with_status(expect: Vec<String>, status: u64) -> Vec<String> {
    let place = expect.iter().position(|text| status_in(text).is_some());
    let mut expect: Vec<String> = expect;
    let text = format!("status == {status}");
    match place {
        Some(place) => expect[place] = text,
        None => expect.insert(0, text),
    }
    expect
}

struct Reader<'a> {
    map: &'a Map<String, Value>,
    mistakes: Mistakes,
}

impl Reader<'_> {
    fn needed<T>(&mut self, key: &'static str, read: fn(&Value) -> Result<T, Kind>) -> Option<T> {
        match self.map.get(key) {
            None => {
                self.mistakes.add(key, Kind::Missing, Value::Object(self.map.clone()));
                None
            }
            Some(value) => self.take(key, value, read),
        }
    }

    /// Null is a value like any other here, and the wrong one: that is what the original said.
    fn or<T>(&mut self, key: &'static str, default: T, read: fn(&Value) -> Result<T, Kind>) -> T {
        match self.map.get(key) {
            None => default,
            Some(value) => self.take(key, value, read).unwrap_or(default),
        }
    }

    fn optional<T>(&mut self, key: &'static str, read: fn(&Value) -> Result<T, Kind>) -> Option<T> {
        let value = self.map.get(key).filter(|value| !value.is_null())?;
        self.take(key, value, read)
    }

    fn take<T>(
        &mut self,
        key: &'static str,
        value: &Value,
        read: fn(&Value) -> Result<T, Kind>,
    ) -> Option<T> {
        match read(value) {
            Ok(read) => Some(read),
            Err(kind) => {
                self.mistakes.add(key, kind, value.clone());
                None
            }
        }
    }

    fn text(value: &Value) -> Result<String, Kind> {
        value.as_str().map(str::to_owned).ok_or(Kind::Text)
    }

    fn number(value: &Value) -> Result<u64, Kind> {
        match value {
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => u64::try_from(whole).map_err(|_| Kind::TooSmall),
                (None, Some(real)) if real.fract() == 0.0 && (0.0..1e15).contains(&real) => Ok(real as u64),
                _ => Err(Kind::Fraction),
            },
            Value::String(text) => match text.trim().parse::<i64>() {
                Ok(whole) => u64::try_from(whole).map_err(|_| Kind::TooSmall),
                Err(_) => Err(Kind::NumberText),
            },
            _ => Err(Kind::Number),
        }
    }

    fn status(value: &Value) -> Result<u64, Kind> {
        Reader::number(value)
            .and_then(|code| if (100..=999).contains(&code) { Ok(code) } else { Err(Kind::Status) })
    }

    fn truth(value: &Value) -> Result<bool, Kind> {
        let word = match value {
            Value::Bool(truth) => return Ok(*truth),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.to_ascii_lowercase(),
            _ => return Err(Kind::Truth),
        };
        match word.as_str() {
            "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
            "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
            _ => Err(Kind::TruthText),
        }
    }
}
