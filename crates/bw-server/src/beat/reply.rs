//! Answers to beats, built by hand: none waits for a layer, and every header value is a constant.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::time::Duration;

const BODY_LIMIT: HeaderName = HeaderName::from_static("ping-body-limit");
/// `bw_domain::limits::BEAT_BODY_MAX` as a header has it.
const BODY_LIMIT_VALUE: HeaderValue = HeaderValue::from_static("65536");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const ANYBODY: HeaderValue = HeaderValue::from_static("*");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// As Healthchecks says it.
const NEVER: HeaderValue =
    HeaderValue::from_static("max-age=0, no-cache, no-store, must-revalidate, private");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");

/// Of a ping: any page may send one and read what became of it.
pub(super) fn ping(status: StatusCode, text: impl Into<Bytes>) -> Response {
    let mut response = answer(status, TEXT, text.into());
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY);
    headers.insert(CACHE_CONTROL, NEVER);
    if status.is_success() {
        headers.insert(BODY_LIMIT, BODY_LIMIT_VALUE);
    }
    response
}

/// Plain text.
pub(super) fn text(status: StatusCode, text: impl Into<Bytes>) -> Response {
    answer(status, TEXT, text.into())
}

/// A JSON document.
pub(super) fn json(status: StatusCode, document: impl Into<Bytes>) -> Response {
    answer(status, JSON, document.into())
}

/// The same with when to come again: whole seconds, at least one.
pub(super) fn later(mut response: Response, wait: Option<Duration>) -> Response {
    if let Some(wait) = wait {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds(wait)));
    }
    response
}

/// Whole seconds that are not too few.
pub(super) fn seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

fn answer(status: StatusCode, kind: HeaderValue, body: Bytes) -> Response {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    headers.insert(REFERRER_POLICY, NO_REFERRER);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_that_is_told_is_the_one_that_counts() {
        assert_eq!(BODY_LIMIT_VALUE, bw_domain::limits::BEAT_BODY_MAX.to_string());
        assert_eq!([0, 1, 999, 1_000, 1_001].map(|ms| seconds(Duration::from_millis(ms))), [1, 1, 1, 1, 2]);
    }
}
