//! A request as pages see it: who asks, what the address chooses, and the frame of what is answered. Forms are read
//! here too, with the token that proves that they are ours.

use super::fault;
use super::frame::{self, Frame};
use crate::App;
use crate::auth::{Caller, Via};
use axum::extract::{Form, FromRequest, FromRequestParts, Path, Query, Request};
use axum::response::Response;
use bw_domain::time::Duration;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use std::convert::Infallible;
use std::sync::atomic::Ordering::Relaxed;
use url::{Host, Url};

/// A page that is asked for.
pub struct Visit {
    pub frame: Frame,
    pub caller: Caller,
    /// The query, pair by pair.
    pub pairs: Vec<(String, String)>,
    /// Where jobs reach this server, without a slash at the end.
    pub site: String,
}

/// The id in the path. A word that is no number is an id that nothing has.
pub struct Id(pub i64);

/// A form that was sent and may be obeyed.
pub struct Deed {
    pub visit: Visit,
    pub pairs: Vec<(String, String)>,
}

/// What a deed that went well says on the page that follows: a word of the address and its sentence.
const SAID: &[(&str, &str)] = &[
    ("added", "Added. The first probe begins now."),
    ("made", "Added. It stays silent until its first beat: send one from its job."),
    ("agreed", "Saved. From now on its beats are expected so."),
    ("rests", "Paused: no beat is expected and nobody is told until it is resumed."),
    ("saved", "Saved. It counts from the next slot on."),
    ("paused", "Paused: nothing is probed and nobody is told until it is resumed."),
    ("resumed", "Resumed."),
    ("deleted", "Deleted."),
    ("acknowledged", "Acknowledged."),
    ("noted", "Noted."),
];

impl Visit {
    /// The first value of a pair of the query.
    pub fn value(&self, wanted: &str) -> &str {
        first(&self.pairs, wanted)
    }
}

impl Deed {
    /// The first value of a field.
    pub fn value(&self, wanted: &str) -> &str {
        first(&self.pairs, wanted)
    }
}

fn first<'a>(pairs: &'a [(String, String)], wanted: &str) -> &'a str {
    pairs.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value)
}

impl FromRequestParts<App> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let Ok(caller) = <Caller as FromRequestParts<App>>::from_request_parts(parts, app).await;
        // A query that cannot be read chooses nothing.
        let pairs =
            Query::from_request_parts(parts, app).await.map_or_else(|_| Vec::new(), |Query(pairs)| pairs);
        let said = SAID.iter().find(|(word, _)| *word == first(&pairs, "said"));
        let lag = Duration::from_millis(app.services.vitals.schedule_lag.load(Relaxed));
        let frame = Frame {
            behind: frame::behind(lag),
            unguarded: app.auth.is_none(),
            session: (caller.via == Via::Session).then(|| caller.csrf().to_owned()),
            inside: true,
            said: said.map(|(_, sentence)| (*sentence).to_owned()),
            ..Frame::outside(app.services.clock.now())
        };
        let site = site(&app.services.base_url, &parts.headers);
        Ok(Visit { frame, caller, pairs, site })
    }
}

/// The address that is configured; else, and where that is only this machine's own, the one that the browser reached.
fn site(configured: &str, headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_of_others = Url::parse(configured).is_ok_and(|url| match url.host() {
        Some(Host::Domain(name)) => name != "localhost",
        Some(Host::Ipv4(address)) => !address.is_loopback() && !address.is_unspecified(),
        Some(Host::Ipv6(address)) => !address.is_loopback() && !address.is_unspecified(),
        None => false,
    });
    match text("host") {
        Some(host) if !is_of_others => {
            let scheme = if text("x-forwarded-proto") == Some("https") { "https" } else { "http" };
            format!("{scheme}://{host}")
        }
        _ => configured.to_owned(),
    }
}

impl FromRequestParts<App> for Id {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let text = Path::<String>::from_request_parts(parts, app).await.map(|Path(text)| text);
        Ok(Id(text.ok().and_then(|text| text.parse().ok()).unwrap_or(0)))
    }
}

impl FromRequest<App> for Deed {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(visit) = Visit::from_request_parts(&mut parts, app).await;
        let sent = Form::<Vec<(String, String)>>::from_request(Request::from_parts(parts, body), app).await;
        let Ok(Form(pairs)) = sent else {
            return Err(fault::page(
                visit.frame,
                StatusCode::BAD_REQUEST,
                "The form could not be read: send it from its page.",
            ));
        };
        if !visit.caller.may_write() || !visit.caller.csrf_is(first(&pairs, "csrf")) {
            let sentence = "The form is older than your session, or is not ours: open its page again and send it from there.";
            return Err(fault::page(visit.frame, StatusCode::FORBIDDEN, sentence));
        }
        Ok(Deed { visit, pairs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn jobs_are_told_an_address_that_reaches_us() {
        for (configured, host, scheme, expected) in [
            ("https://bw.example/base", "10.0.0.7:8080", "", "https://bw.example/base"),
            ("http://127.0.0.1:8080", "bw.example", "https", "https://bw.example"),
            ("http://0.0.0.0:8080", "10.0.0.7:8080", "", "http://10.0.0.7:8080"),
            ("http://[::1]:8080", "localhost:8080", "", "http://localhost:8080"),
            ("", "bw.example:81", "", "http://bw.example:81"),
            ("http://127.0.0.1:8080", "", "", "http://127.0.0.1:8080"),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("host", host), ("x-forwarded-proto", scheme)] {
                if !value.is_empty() {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            assert_eq!(site(configured, &headers), expected, "{configured} {host}");
        }
    }
}
