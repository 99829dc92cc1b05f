//! What stands before every handler: it counts the request, finds out who asks, lets `policy` decide, and tells
//! the handler who the caller is.

use super::policy::{Class, Decision, Facts, Presented, decide, is_foreign};
use super::sign_in::session_cookie;
use super::{Caller, Via};
use crate::App;
use crate::problem::Refusal;
use crate::ui;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bw_domain::access::Scope;
use bw_engine::usecase::sessions;
use http::header::{ACCEPT, AUTHORIZATION, CONNECTION, COOKIE, HOST, LOCATION, ORIGIN, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The middleware.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    if app.process.is_stopping() {
        let mut response = Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "stopping",
            "Stopping",
            "this server is stopping: ask again in a moment",
        )
        .into_response();
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return response;
    }
    match admit(&app, &head).await {
        Ok(caller) => {
            head.extensions.insert(caller);
            next.run(Request::from_parts(head, body)).await
        }
        Err(refused) => *refused,
    }
}

/// The address of the other end. Where it is not known it is nobody's: surely not this machine.
pub(crate) fn peer(extensions: &http::Extensions) -> IpAddr {
    let known = extensions.get::<ConnectInfo<SocketAddr>>();
    known.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip().to_canonical())
}

async fn admit(app: &App, request: &Parts) -> Result<Caller, Box<Response>> {
    admit_to(app, request, Class::of(request.uri.path())).await
}

/// The same for a place of this class, wherever its path is: pages with a door of their own ask here for everybody who
/// does not come through that.
pub(crate) async fn admit_to(app: &App, request: &Parts, class: Class) -> Result<Caller, Box<Response>> {
    let peer = peer(&request.extensions);
    if !peer.is_loopback() {
        app.auth.throttle.request(peer).map_err(|wait| boxed(Refusal::too_many(wait)))?;
    }
    if class == Class::Open {
        return Ok(Caller::new("anybody", Scope::Read, Via::Open, None));
    }
    let (presented, caller) = presented(app, &request.headers).await?;
    if presented == Presented::Wrong {
        app.auth.throttle.guess(peer).map_err(|wait| boxed(Refusal::too_many(wait)))?;
    }
    match decide(&facts(request, class, peer, presented), &app.auth.doors()) {
        Decision::Allow(scope) => Ok(match caller {
            Some(caller) => caller.with_scope(scope),
            None if peer.is_loopback() => Caller::new("somebody on this machine", scope, Via::Open, None),
            None => Caller::new(format!("somebody at {peer}"), scope, Via::Open, None),
        }),
        Decision::Refuse(sentence) if class == Class::Page && reads_pages(&request.headers) => {
            Err(Box::new(ui::forbidden(app, &sentence)))
        }
        Decision::Refuse(sentence) => Err(boxed(Refusal::forbidden(sentence))),
        Decision::Ask if class == Class::Page => Err(Box::new(to_sign_in(request))),
        Decision::Ask => {
            let mut response = Refusal::unauthenticated().into_response();
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            Err(Box::new(response))
        }
    }
}

/// Whether a page of another site sent this request.
pub(crate) fn comes_from_elsewhere(request: &Parts) -> bool {
    is_foreign(&facts(request, Class::Page, peer(&request.extensions), Presented::Nothing))
}

fn boxed(refusal: Refusal) -> Box<Response> {
    Box::new(refusal.into_response())
}

async fn presented(app: &App, headers: &HeaderMap) -> Result<(Presented, Option<Caller>), Box<Response>> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let text = value.to_str().ok().and_then(bearer);
        let known = match text {
            Some(text) => app
                .auth
                .tokens
                .find(&app.services, text)
                .await
                .map_err(|error| boxed(Refusal::from(error)))?,
            None => None,
        };
        return Ok(match known {
            Some(token) => {
                (Presented::Token(token.scope), Some(Caller::new(token.name, token.scope, Via::Token, None)))
            }
            None => (Presented::Wrong, None),
        });
    }
    let Some(cookie) = headers.get(COOKIE).and_then(|value| value.to_str().ok()).and_then(session_cookie)
    else {
        return Ok((Presented::Nothing, None));
    };
    let session = sessions::find(&app.services, cookie).await.map_err(|error| boxed(Refusal::from(error)))?;
    // A session that has ended is a caller that has nothing: the pages lead to the sign-in.
    let Some(session) = session else { return Ok((Presented::Nothing, None)) };
    let caller = Caller::new("admin", Scope::Write, Via::Session, Some(session.csrf));
    let sent = text(headers, "x-csrf-token");
    // What another site sent is refused before this is asked, so naming the origin is proof enough.
    let proven = sent.is_some_and(|sent| caller.csrf_is(sent))
        || headers.contains_key(ORIGIN)
        || headers.contains_key("sec-fetch-site");
    Ok((Presented::Session { proven }, Some(caller)))
}

fn facts<'a>(request: &'a Parts, class: Class, peer: IpAddr, presented: Presented) -> Facts<'a> {
    let headers = &request.headers;
    let host =
        request.uri.authority().map(|authority| authority.as_str()).or_else(|| text(headers, HOST.as_str()));
    Facts {
        changes: !matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS),
        class,
        from_loopback: peer.is_loopback(),
        host,
        forwarded: headers
            .keys()
            .any(|name| name == "forwarded" || name.as_str().starts_with("x-forwarded-")),
        origin: headers.get(ORIGIN).map(|value| value.to_str().unwrap_or("null")),
        fetch_site: text(headers, "sec-fetch-site"),
        presented,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A browser asks, rather than a program.
fn reads_pages(headers: &HeaderMap) -> bool {
    text(headers, ACCEPT.as_str()).is_some_and(|kinds| kinds.contains("text/html"))
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// People are led to the sign-in and, after it, back to where they were.
fn to_sign_in(request: &Parts) -> Response {
    let back = match request.method {
        Method::GET => request.uri.path_and_query().map_or("/", |path| path.as_str()),
        _ => "/",
    };
    let encoded: String = back
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    (StatusCode::SEE_OTHER, [(LOCATION, format!("/ui/sign-in?next={encoded}"))]).into_response()
}
