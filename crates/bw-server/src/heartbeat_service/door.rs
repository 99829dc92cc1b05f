//! Who may come in: whoever knows the secret, and whoever the guard lets into any page.
//!
//! The secret comes in the address, in a header, or in the document of a scheduler. A wrong one is 403 and is throttled,
//! none is 401. What comes with the secret in its address is never somebody else's page: that would have to know it.

use crate::auth::{Caller, Class, admit_to, comes_from_elsewhere, peer};
use crate::ui::frame::Frame;
use crate::ui::visit::Visit;
use crate::ui::{fault, words};
use crate::{App, limits};
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use std::time::Duration;

/// The header that may carry the secret.
const HEADER: &str = "x-heartbeat-secret";

/// Somebody who may come in.
pub(super) struct Guest {
    /// For timelines.
    pub name: String,
    /// Below which path the service was asked.
    pub base: String,
    /// The secret, where it came in the address: only then it stands in ours.
    pub secret: Option<String>,
    pub frame: Frame,
    /// The query, pair by pair.
    pub pairs: Vec<(String, String)>,
    /// Whom the guard let in; nothing where the secret did.
    caller: Option<Caller>,
}

/// Why somebody may not.
pub(super) enum Refused {
    Unknown,
    Wrong,
    Throttled(Duration),
    /// A page of another site sent it.
    Foreign,
    /// As the guard says it.
    Guard(Box<Response>),
}

impl Guest {
    /// The first value of a pair of the query.
    pub fn value(&self, wanted: &str) -> &str {
        first(&self.pairs, wanted)
    }

    /// What forms carry where a session was let in.
    pub fn csrf(&self) -> &str {
        self.caller.as_ref().map_or("", Caller::csrf)
    }

    /// Whether a form is ours.
    pub fn csrf_is(&self, sent: &str) -> bool {
        self.caller.as_ref().is_none_or(|caller| caller.csrf_is(sent))
    }

    /// Whether it may change things, and have others told.
    pub fn may_write(&self) -> bool {
        self.caller.as_ref().is_none_or(Caller::may_write)
    }

    /// The address of a page of the service, with the secret where it came so.
    pub fn address(&self, page: &str, pairs: &[(&str, &str)]) -> String {
        let secret = self.secret.iter().map(|secret| ("secret", secret.as_str()));
        let pairs = secret.chain(pairs.iter().copied()).filter(|(_, value)| !value.is_empty());
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(pairs).finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}/{page}{mark}{query}", self.base)
    }

    /// Where the address of a page holds the secret, it is told to no other place. (Elsewhere the pages' own rule
    /// stands, under which browsers name the origin of our forms.)
    pub fn closed(&self, mut response: Response) -> Response {
        if self.secret.is_some() {
            response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        }
        response
    }
}

/// Decides. `sent`: the secret in the body of a scheduler.
pub(super) async fn admit(app: &App, parts: &mut Parts, sent: Option<String>) -> Result<Guest, Refused> {
    let query = parts.uri.query().unwrap_or_default();
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let path = parts.uri.path();
    let path = path.strip_suffix('/').unwrap_or(path);
    let base = path.rsplit_once('/').map_or("", |(base, _)| base).to_owned();
    let in_address = Some(first(&pairs, "secret").to_owned()).filter(|text| !text.is_empty());
    let in_header = parts.headers.get(HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let presented = in_address.clone().or(in_header).or(sent).filter(|text| !text.is_empty());
    if let (Some(expected), Some(presented)) = (&app.beats.secret, presented) {
        let from = peer(&parts.extensions);
        app.auth.counted(from).map_err(Refused::Throttled)?;
        if !app.auth.phrase_is(from, expected, &presented).map_err(Refused::Throttled)? {
            return Err(Refused::Wrong);
        }
        let changes = parts.method == http::Method::POST;
        if in_address.is_none() && changes && comes_from_elsewhere(parts) {
            return Err(Refused::Foreign);
        }
        let Ok(visit) = Visit::from_request_parts(parts, app).await;
        let frame = Frame { inside: false, session: None, ..visit.frame };
        let name = "the heartbeat service".to_owned();
        return Ok(Guest { name, base, secret: in_address, frame, pairs, caller: None });
    }
    match admit_to(app, parts, Class::Page).await {
        Ok(caller) => {
            parts.extensions.insert(caller.clone());
            let Ok(visit) = Visit::from_request_parts(parts, app).await;
            let name = caller.name.clone();
            Ok(Guest { name, base, secret: None, frame: visit.frame, pairs, caller: Some(caller) })
        }
        // The guard leads people to the sign-in; here they may as well lack the secret.
        Err(response) if response.status() == StatusCode::SEE_OTHER => Err(Refused::Unknown),
        Err(response) => Err(Refused::Guard(response)),
    }
}

impl Refused {
    fn words(&self) -> (StatusCode, &'static str) {
        match self {
            Refused::Unknown | Refused::Guard(_) => (
                StatusCode::UNAUTHORIZED,
                "Who asks? Add ?secret=… to the address, send it as X-Heartbeat-Secret, or sign in.",
            ),
            Refused::Wrong => (StatusCode::FORBIDDEN, "This is not the secret."),
            Refused::Throttled(_) => {
                (StatusCode::TOO_MANY_REQUESTS, "Too many requests or wrong secrets: try again in a moment.")
            }
            Refused::Foreign => (
                StatusCode::FORBIDDEN,
                "A page of another site sent this: changes are taken from our own pages only.",
            ),
        }
    }

    /// The page that says so.
    pub fn page(self, app: &App) -> Response {
        let (status, sentence) = self.words();
        let wait = self.wait();
        match self {
            Refused::Guard(response) => *response,
            _ => with(wait, fault::page(Frame::outside(app.services.clock.now()), status, sentence)),
        }
    }

    /// The line that says so.
    pub fn line(self) -> Response {
        let (status, sentence) = self.words();
        let wait = self.wait();
        match self {
            Refused::Guard(response) => *response,
            _ => with(wait, text(status, sentence)),
        }
    }

    fn wait(&self) -> Option<Duration> {
        match self {
            Refused::Throttled(wait) => Some(*wait),
            _ => None,
        }
    }
}

fn with(wait: Option<Duration>, mut response: Response) -> Response {
    if let Some(wait) = wait {
        let seconds = wait.as_secs_f64().ceil().clamp(1.0, limits::WRONG_EVERY.as_secs_f64()) as u64;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    // Whatever address led here may hold a secret.
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// An answer of one line.
pub(super) fn text(status: StatusCode, line: &str) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], line.to_owned()).into_response()
}

/// The first value of this name.
pub(super) fn first<'a>(pairs: &'a [(String, String)], wanted: &str) -> &'a str {
    pairs.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value)
}

/// With a capital letter and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut sentence = words::sentence(text);
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}
