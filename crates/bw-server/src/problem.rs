//! The one envelope of errors: problem documents (RFC 9457) with a stable `code` for programs, a sentence for
//! people, and every mistake with its path.

use axum::response::{IntoResponse, Response};
use bw_domain::read::Problem;
use bw_engine::usecase::UseError;
use http::header::{CONTENT_TYPE, ETAG, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// The media type of problem documents.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A problem document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Document {
    /// `urn:bellwether:` and the code.
    r#type: String,
    title: &'static str,
    status: u16,
    /// Stable: what programs decide by.
    code: &'static str,
    detail: String,
    errors: Vec<Mistake>,
}

/// One mistake in what was sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProblemError)]
pub struct Mistake {
    /// Where: `confirm.failures`, or empty for the whole.
    path: String,
    message: String,
}

/// Why a request was not served.
#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub title: &'static str,
    pub detail: String,
    pub errors: Vec<Problem>,
    retry_after: Option<Duration>,
    /// The revision that is there, beside a 412.
    revision: Option<u32>,
}

impl Refusal {
    /// A refusal with a sentence.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let detail = detail.into();
        Refusal { status, code, title, detail, errors: Vec::new(), retry_after: None, revision: None }
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Refusal::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Refusal::new(StatusCode::BAD_REQUEST, code, "Bad request", detail)
    }

    pub fn forbidden(detail: impl Into<String>) -> Self {
        Refusal::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden", detail)
    }

    pub fn unauthenticated() -> Self {
        let detail = "say who you are: send `Authorization: Bearer TOKEN`, or sign in at /ui/sign-in";
        Refusal::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Unauthenticated", detail)
    }

    pub fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs_f64().ceil().max(1.0);
        let detail = format!("too many requests: try again in {seconds} s");
        let retry_after = Some(wait);
        let status = StatusCode::TOO_MANY_REQUESTS;
        Refusal { retry_after, ..Refusal::new(status, "too-many-requests", "Too many requests", detail) }
    }

    pub fn too_large(most: usize) -> Self {
        let detail = format!("the body has more than {most} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Body too large", detail)
    }

    /// Several mistakes in a query or body.
    pub fn mistakes(status: StatusCode, title: &'static str, errors: Vec<Problem>) -> Self {
        let detail = match &errors[..] {
            [one] => one.to_string(),
            several => format!("{} mistakes", several.len()),
        };
        Refusal { errors, ..Refusal::new(status, "invalid", title, detail) }
    }

    /// A fault of ours; what it was is in the log and not in the answer.
    pub fn fault() -> Self {
        let detail = "a fault of the server: its log says more";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "fault", "Internal fault", detail)
    }

    fn document(self) -> Document {
        Document {
            r#type: format!("urn:bellwether:{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail,
            errors: self
                .errors
                .into_iter()
                .map(|one| Mistake { path: one.path, message: one.message })
                .collect(),
        }
    }
}

impl From<UseError> for Refusal {
    fn from(error: UseError) -> Self {
        let conflict = |code, detail| Refusal::new(StatusCode::CONFLICT, code, "Conflict", detail);
        match error {
            UseError::NotFound => Refusal::not_found("there is no such thing"),
            UseError::Stale { revision } => Refusal {
                revision: Some(revision),
                ..Refusal::new(
                    StatusCode::PRECONDITION_FAILED,
                    "stale",
                    "Edited meanwhile",
                    error.to_string(),
                )
            },
            UseError::Invalid(problems) => {
                Refusal::mistakes(StatusCode::UNPROCESSABLE_ENTITY, "Mistakes in what was sent", problems)
            }
            UseError::Owned { .. } => conflict("owned", error.to_string()),
            UseError::Taken(_) => conflict("taken", error.to_string()),
            UseError::Refused(sentence) => conflict("refused", sentence),
            UseError::Store(error) => {
                tracing::warn!(%error, "a request was not served");
                let detail = "the store does not answer: nothing was changed, try again";
                let title = "Store unavailable";
                let retry_after = error.retry().then_some(Duration::from_secs(2));
                Refusal {
                    retry_after,
                    ..Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "store-unavailable", title, detail)
                }
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, retry_after, revision) = (self.status, self.retry_after, self.revision);
        let body = serde_json::to_vec(&self.document()).expect("a document of texts and numbers serialises");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(wait) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs_f64().ceil().max(1.0) as u64));
        }
        if let Some(revision) = revision {
            headers.insert(ETAG, crate::api::etag(revision));
        }
        response
    }
}
