//! Bodies: bounded, of the type that is expected, and well-formed, or refused with the sentence why.

use crate::problem::Refusal;
use axum::extract::{FromRequest, Request};
use bw_domain::limits::API_BODY_MAX;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;

/// A body of at most so many bytes, whatever its type.
pub struct Bounded<const MAX: usize = API_BODY_MAX>(pub Bytes);

/// A JSON document of at most so many bytes.
pub struct Document<const MAX: usize = API_BODY_MAX>(pub Value);

impl<S: Send + Sync, const MAX: usize> FromRequest<S> for Bounded<MAX> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        match Limited::new(request.into_body(), MAX).collect().await {
            Ok(collected) => Ok(Bounded(collected.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(Refusal::too_large(MAX)),
            Err(_) => Err(Refusal::bad_request("malformed", "the body ended before it was complete")),
        }
    }
}

impl<S: Send + Sync, const MAX: usize> FromRequest<S> for Document<MAX> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let is_json = is_json(request.headers());
        let Bounded(bytes) = Bounded::<MAX>::from_request(request, state).await?;
        if !is_json {
            return Err(other_type());
        }
        parse(&bytes).map(Document)
    }
}

fn parse(bytes: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::bad_request("malformed", format!("the body is not valid JSON: {error}")))
}

fn other_type() -> Refusal {
    let detail = "the body must be JSON: say so with `Content-Type: application/json`";
    Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "Unsupported media type",
        detail,
    )
}

/// `application/json` and its relatives, such as `application/merge-patch+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
}
