//! Pages that could not be: what went wrong, in the manner of the others.

use super::frame::Frame;
use super::respond;
use super::shape;
use super::words;
use axum::response::Response;
use bw_engine::usecase::UseError;
use http::StatusCode;

/// The page.
#[derive(askama::Template)]
#[template(path = "fault.html")]
struct Fault {
    frame: Frame,
    headline: &'static str,
    sentence: String,
}

/// Answers with a sentence.
pub fn page(frame: Frame, status: StatusCode, sentence: &str) -> Response {
    let headline = match status {
        StatusCode::NOT_FOUND => "There is nothing here",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::CONFLICT => "Not done",
        StatusCode::SERVICE_UNAVAILABLE => "The store does not answer",
        status if status.is_client_error() => "This could not be understood",
        _ => "Something is wrong with us",
    };
    let frame = frame.titled(None, headline).wide("narrow");
    respond::render(status, &Fault { frame, headline, sentence: sentence.to_owned() })
}

/// Answers with what a verb refused.
pub fn refused(frame: Frame, error: &UseError) -> Response {
    let (status, sentence) = match error {
        UseError::NotFound => {
            (StatusCode::NOT_FOUND, "It was deleted, or the address is not right.".to_owned())
        }
        UseError::Invalid(_) => (StatusCode::BAD_REQUEST, words::sentence(&error.to_string())),
        UseError::Owned { .. } | UseError::Stale { .. } | UseError::Taken(_) | UseError::Refused(_) => {
            (StatusCode::CONFLICT, words::sentence(&error.to_string()))
        }
        UseError::Store(error) => {
            tracing::warn!(%error, "a page was not served");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "Nothing was changed. Probes go on; try again in a moment.".to_owned(),
            )
        }
    };
    page(frame, status, &sentence)
}
