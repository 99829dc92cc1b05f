//! Mistakes in the shape that the original's framework gave them: status 422 and a list of `type`, `loc`, `msg`
//! and `input`.

use axum::response::{IntoResponse, Response};
use bw_domain::read::Problem;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// All mistakes of a request.
#[derive(Debug, Default, Serialize)]
pub struct Mistakes {
    detail: Vec<Mistake>,
}

#[derive(Debug, Serialize)]
struct Mistake {
    r#type: &'static str,
    loc: Vec<Value>,
    msg: String,
    input: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    ctx: Option<Value>,
}

/// What can be wrong with a member, in the framework's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Missing,
    Text,
    Number,
    NumberText,
    Fraction,
    TooSmall,
    Status,
    Truth,
    TruthText,
}

impl Kind {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Kind::Missing => ("missing", "Field required"),
            Kind::Text => ("string_type", "Input should be a valid string"),
            Kind::Number => ("int_type", "Input should be a valid integer"),
            Kind::NumberText => {
                ("int_parsing", "Input should be a valid integer, unable to parse string as an integer")
            }
            Kind::Fraction => {
                ("int_from_float", "Input should be a valid integer, got a number with a fractional part")
            }
            Kind::TooSmall => ("greater_than_equal", "Input should be greater than or equal to 0"),
            Kind::Status => ("value_error", "Input should be a status code from 100 to 999"),
            Kind::Truth => ("bool_type", "Input should be a valid boolean"),
            Kind::TruthText => ("bool_parsing", "Input should be a valid boolean, unable to interpret input"),
        }
    }
}

impl Mistakes {
    /// A mistake in a member of the body.
    pub fn add(&mut self, key: &str, kind: Kind, input: Value) {
        let (r#type, msg) = kind.words();
        self.push(r#type, vec![json!("body"), json!(key)], msg, input);
    }

    /// Fails when there are any.
    pub fn none(self) -> Result<(), Mistakes> {
        if self.detail.is_empty() { Ok(()) } else { Err(self) }
    }

    /// A body that is no JSON.
    pub fn json(body: &[u8], error: &serde_json::Error) -> Self {
        if body.is_empty() {
            return Mistakes::one("missing", vec![json!("body")], "Field required", Value::Null);
        }
        let lines = body.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
        let place = lines.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1);
        let mut mistakes =
            Mistakes::one("json_invalid", vec![json!("body"), json!(place)], "JSON decode error", json!({}));
        mistakes.detail[0].ctx = Some(json!({"error": error.to_string()}));
        mistakes
    }

    /// A body that is JSON and no object.
    pub fn not_a_map(input: Value) -> Self {
        let sentence = "Input should be a valid dictionary or object to extract fields from";
        Mistakes::one("model_attributes_type", vec![json!("body")], sentence, input)
    }

    /// An id in the path that is none.
    pub fn path_id(text: &str) -> Self {
        let (r#type, msg) = Kind::NumberText.words();
        Mistakes::one(r#type, vec![json!("path"), json!("monitor_id")], msg, json!(text))
    }

    /// What our own check found in what was sent, under the names that the form has.
    pub fn of(problems: Vec<Problem>, sent: &Map<String, Value>) -> Self {
        let mut mistakes = Mistakes::default();
        for Problem { path, message } in problems {
            let (member, r#type) = match path.split(['.', '[']).next().unwrap_or_default() {
                "http" => ("url", "url_parsing"),
                "every" => ("check_interval", "value_error"),
                "expect" => ("expected_status_code", "value_error"),
                "webhook_url" => ("webhook_url", "url_parsing"),
                "timeout" => ("timeout", "value_error"),
                "name" => ("name", "value_error"),
                _ => (path.as_str(), "value_error"),
            };
            let loc = vec![json!("body"), json!(member)];
            mistakes.push(r#type, loc, message, sent.get(member).cloned().unwrap_or_default());
        }
        mistakes
    }

    fn one(r#type: &'static str, loc: Vec<Value>, msg: &str, input: Value) -> Self {
        let mut mistakes = Mistakes::default();
        mistakes.push(r#type, loc, msg, input);
        mistakes
    }

    fn push(&mut self, r#type: &'static str, loc: Vec<Value>, msg: impl Into<String>, input: Value) {
        self.detail.push(Mistake { r#type, loc, msg: msg.into(), input, ctx: None });
    }
}

impl IntoResponse for Mistakes {
    fn into_response(self) -> Response {
        crate::api::json(StatusCode::UNPROCESSABLE_ENTITY, &self)
    }
}
