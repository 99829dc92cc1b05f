//! A request as pages see it: who asks, what the address chooses, and the frame of what is answered. Forms are read
//! here too, with the token that proves that they are ours.

use super::fault;
use super::frame::{self, Frame};
use crate::App;
use crate::auth::{Caller, Via};
use axum::extract::{Form, FromRequest, FromRequestParts, Path, Query, Request};
use axum::response::Response;
use bw_domain::time::Duration;
use http::StatusCode;
use http::request::Parts;
use std::convert::Infallible;
use std::sync::atomic::Ordering::Relaxed;

/// A page that is asked for.
pub struct Visit {
    pub frame: Frame,
    pub caller: Caller,
    /// The query, pair by pair.
    pub pairs: Vec<(String, String)>,
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
        Ok(Visit { frame, caller, pairs })
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
