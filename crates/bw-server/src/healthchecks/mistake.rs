//! What is answered instead, in the words of the original: programs and people look for them.

use axum::response::{IntoResponse, Response};
use bw_domain::read::Problem;
use bw_engine::usecase::UseError;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use std::time::Duration;

/// Why a request was not served.
#[derive(Debug)]
pub enum Mistake {
    MissingKey,
    WrongKey,
    /// Too many wrong keys, or too many requests, from one address.
    TooMany(Duration),
    NotJson,
    TooLarge,
    /// The first member that is wrong, and how.
    Invalid(String),
    /// A sentence of its own.
    Sentence(String),
    NotPaused,
    /// A filter that cannot be read.
    BadFilter,
    Forbidden,
    NotFound,
    Use(UseError),
}

impl Mistake {
    /// A member that is wrong: `is too small`, `is not a string`, …
    pub fn of(member: &str, ending: &str) -> Self {
        Mistake::Invalid(format!("{member} {ending}"))
    }
}

impl From<UseError> for Mistake {
    fn from(error: UseError) -> Self {
        match error {
            UseError::NotFound => Mistake::NotFound,
            UseError::Invalid(problems) => Mistake::Invalid(translated(&problems)),
            other => Mistake::Use(other),
        }
    }
}

/// What our own rules refuse beyond those of the original.
fn translated(problems: &[Problem]) -> String {
    let Some(problem) = problems.first() else { return "value has unexpected value".to_owned() };
    let path = problem.path.as_str();
    let (member, ending) = match path {
        "name" => ("name", "does not match pattern"),
        "heartbeat.every" => ("timeout", "has unexpected value"),
        "heartbeat.zone" => ("tz", "is not a valid timezone"),
        "heartbeat.description" => ("desc", "is too long"),
        "heartbeat.tags" => ("tags", "is too long"),
        _ if path.starts_with("heartbeat.schedule") => {
            ("schedule", "is not a valid cron or OnCalendar expression")
        }
        _ => return format!("{path} {}", problem.message),
    };
    format!("{member} {ending}")
}

impl IntoResponse for Mistake {
    fn into_response(self) -> Response {
        let wait = |seconds: u64| HeaderValue::from(seconds);
        match self {
            Mistake::MissingKey => error(StatusCode::UNAUTHORIZED, "missing api key"),
            Mistake::WrongKey => error(StatusCode::UNAUTHORIZED, "wrong api key"),
            Mistake::TooMany(after) => {
                let mut response = error(StatusCode::TOO_MANY_REQUESTS, "rate limit exceeded");
                let seconds = after.as_secs_f64().ceil().max(1.0) as u64;
                response.headers_mut().insert(RETRY_AFTER, wait(seconds));
                response
            }
            Mistake::NotJson => error(StatusCode::BAD_REQUEST, "could not parse request body"),
            Mistake::TooLarge => error(StatusCode::PAYLOAD_TOO_LARGE, "the request body is too large"),
            Mistake::Invalid(what) => {
                error(StatusCode::BAD_REQUEST, &format!("json validation error: {what}"))
            }
            Mistake::Sentence(sentence) => error(StatusCode::BAD_REQUEST, &sentence),
            Mistake::NotPaused => {
                (StatusCode::CONFLICT, [(CONTENT_TYPE, "text/plain; charset=utf-8")], "check is not paused")
                    .into_response()
            }
            Mistake::BadFilter => StatusCode::BAD_REQUEST.into_response(),
            Mistake::Forbidden => StatusCode::FORBIDDEN.into_response(),
            Mistake::NotFound => page(),
            Mistake::Use(other) => of_ours(other),
        }
    }
}

/// What the original does not know.
fn of_ours(other: UseError) -> Response {
    match other {
        UseError::Owned { .. } => {
            error(StatusCode::FORBIDDEN, &format!("this check cannot be changed here: {other}"))
        }
        UseError::Taken(_) => error(StatusCode::BAD_REQUEST, &other.to_string()),
        UseError::Store(cause) => {
            tracing::warn!(error = %cause, "a request was not served");
            let sentence = "the store does not answer: nothing was changed, try again";
            let mut response = error(StatusCode::SERVICE_UNAVAILABLE, sentence);
            if cause.retry() {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(2));
            }
            response
        }
        other => {
            let mut response = error(StatusCode::SERVICE_UNAVAILABLE, &other.to_string());
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(1));
            response
        }
    }
}

/// `{"error": "…"}`, byte for byte as the original writes it.
pub fn error(status: StatusCode, sentence: &str) -> Response {
    let text = serde_json::to_string(sentence).expect("a text serialises");
    (status, [(CONTENT_TYPE, "application/json")], format!(r#"{{"error": {text}}}"#)).into_response()
}

/// The page of what is not there.
fn page() -> Response {
    let page = "<!doctype html>\n<html lang=\"en\">\n<title>Not Found</title>\n<h1>Not Found</h1>\n\
                <p>The requested resource was not found on this server.</p>\n</html>\n";
    (StatusCode::NOT_FOUND, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}
