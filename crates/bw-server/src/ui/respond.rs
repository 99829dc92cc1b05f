//! From templates to answers, with the headers that every page carries.

use super::fault;
use super::frame::Frame;
use askama::Template;
use axum::response::{IntoResponse, Response};
use bw_engine::usecase::UseError;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, REFERRER_POLICY,
};
use http::{HeaderValue, StatusCode};

/// Everything from here and nothing inline.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Addresses of ours stay with us. Not `no-referrer`: under it browsers name no origin with our own forms either,
/// and those are refused.
const REFERRER: &str = "same-origin";

const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_TYPE, "text/html; charset=utf-8"),
    (CONTENT_SECURITY_POLICY, POLICY),
    (REFERRER_POLICY, REFERRER),
    (CACHE_CONTROL, "no-store"),
];

/// Renders a page.
pub fn render(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))), html)
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Renders what was loaded, or the page that says why it was not.
pub fn page<T: Template>(frame: Frame, loaded: Result<T, UseError>) -> Response {
    match loaded {
        Ok(page) => render(StatusCode::OK, &page),
        Err(error) => fault::refused(frame, &error),
    }
}

/// After a deed: the browser goes on to a page, so that reloading it does nothing twice.
pub fn go_on(address: &str) -> Response {
    let location = HeaderValue::from_str(address).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response()
}
