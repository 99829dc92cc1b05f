//! `/ui/sign-in` and `/ui/sign-out`.

use super::frame::Frame;
use super::shape;
use super::visit::{Deed, Visit};
use super::{fault, respond, words};
use crate::App;
use crate::auth::{self, SignInError};
use axum::extract::{ConnectInfo, Form, State};
use axum::response::Response;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The page.
#[derive(askama::Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    frame: Frame,
    /// Where to go on.
    next: String,
    wrong: String,
}

impl SignIn {
    fn new(frame: Frame, next: &str, wrong: &str) -> Self {
        let frame = Frame { inside: false, ..frame.titled(None, "Sign in").wide("narrow") };
        SignIn { frame, next: ours(next).to_owned(), wrong: words::sentence(wrong) }
    }
}

/// `GET /ui/sign-in`.
pub async fn show(visit: Visit) -> Response {
    respond::render(StatusCode::OK, &SignIn::new(visit.frame.clone(), visit.value("next"), ""))
}

/// `POST /ui/sign-in`.
pub async fn enter(
    State(app): State<App>,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    visit: Visit,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Response {
    let value = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value);
    // Where the address is not known it is nobody's: the throttle then counts all such together.
    let from = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.0.ip().to_canonical());
    let (status, wrong) = match auth::sign_in(&app.auth, &app.services, from, value("password")).await {
        Ok(cookie) => {
            let mut response = respond::go_on(ours(value("next")));
            response.headers_mut().insert(SET_COOKIE, cookie);
            return response;
        }
        Err(SignInError::Use(error)) => return fault::refused(visit.frame, &error),
        Err(error @ SignInError::Throttled(_)) => (StatusCode::TOO_MANY_REQUESTS, error),
        Err(error @ SignInError::Wrong) => (StatusCode::FORBIDDEN, error),
    };
    respond::render(status, &SignIn::new(visit.frame, value("next"), &format!("{wrong}.")))
}

/// `POST /ui/sign-out`.
pub async fn leave(State(app): State<App>, headers: HeaderMap, deed: Deed) -> Response {
    let cookies = headers.get(COOKIE).and_then(|value| value.to_str().ok());
    if let Err(error) = auth::sign_out(&app.services, &deed.visit.caller, cookies).await {
        return fault::refused(deed.visit.frame, &error);
    }
    let mut response = respond::go_on("/ui/sign-in");
    response.headers_mut().insert(SET_COOKIE, auth::clear_cookie());
    response
}

/// A path of ours: nobody is sent elsewhere by a link to our sign-in.
fn ours(next: &str) -> &str {
    let path = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t']);
    if path && next.is_ascii() { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths_are_gone_on_to() {
        for (next, gone) in [
            ("/ui/monitors/1?range=7d", "/ui/monitors/1?range=7d"),
            ("//evil.example/", "/"),
            ("https://evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("", "/"),
            ("/\n", "/"),
        ] {
            assert_eq!(ours(next), gone, "{next}");
        }
    }
}
