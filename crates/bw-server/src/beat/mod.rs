//! Where jobs report: every client's way to say that a job ran. One shape behind all of them: an address, what was said,
//! and an answer once it is durable.
//!
//! These routes stand outside of the guard: a beat's key is its right, and its answer must not depend on who else may come
//! in. Listeners hand a beat to [`answer`] before any router sees it; the routes are for those who have the router alone.
//!
//! The path of a ping is a secret: nothing here logs one.

mod buckets;
mod intake;
mod ping;
mod pulse;
mod push;
mod query;
mod rates;
mod reply;
mod sent;
mod settings;

pub use rates::Rates;
pub use settings::BeatSettings;

use crate::{App, BeatPaths};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use http::StatusCode;
use sent::Sent;

const PING: &str = "/ping/";
const PUSH: &str = "/api/push/";
const PULSE: &str = "/pulse";

/// Whose words a client speaks, with the rest of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect<'a> {
    Ping(&'a str),
    Push(&'a str),
    Pulse,
}

impl<'a> Dialect<'a> {
    /// By the path alone: what is a beat's is so with any method.
    fn of(path: &'a str, settings: &BeatSettings) -> Option<Dialect<'a>> {
        if let Some(rest) = path.strip_prefix(PING) {
            return Some(Dialect::Ping(rest));
        }
        if let Some(rest) = path.strip_prefix(PUSH) {
            return Some(Dialect::Push(rest));
        }
        let is_pulse = |base: &String| {
            path.strip_prefix(base.as_str())
                .and_then(|rest| rest.strip_prefix(PULSE))
                .is_some_and(|rest| matches!(rest, "" | "/"))
        };
        settings.bases.iter().any(is_pulse).then_some(Dialect::Pulse)
    }
}

/// The routes of all dialects.
pub fn router(app: &App) -> Router<App> {
    let bases = app.beats.bases.iter();
    let pulses = bases.flat_map(|base| [format!("{base}{PULSE}"), format!("{base}{PULSE}/")]);
    let beats = [PING, PUSH].into_iter().flat_map(|path| [path.to_owned(), format!("{path}{{*rest}}")]);
    beats.chain(pulses).fold(Router::new(), |router, path| router.route(&path, any(routed)))
}

async fn routed(State(app): State<App>, request: Request) -> Response {
    answer(&app, request).await
}

/// Where beats are expected, for the front of a listener.
pub(crate) fn paths(app: &App) -> BeatPaths {
    let bases = app.beats.bases.iter().map(|base| format!("{base}/"));
    BeatPaths::new(bases.chain([PING, PUSH].map(str::to_owned)))
}

/// Whether a path is a beat's.
pub(crate) fn takes(app: &App, path: &str) -> bool {
    Dialect::of(path, &app.beats).is_some()
}

/// Answers a beat, once it is durable.
pub async fn answer(app: &App, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let sent = Sent::new(parts);
    let Some(dialect) = Dialect::of(sent.path(), &app.beats) else {
        return reply::text(StatusCode::NOT_FOUND, "not found");
    };
    let Ok(body) = sent::body(body).await else {
        app.services.vitals.beat("refused");
        return reply::text(StatusCode::BAD_REQUEST, "the body ended before it was complete");
    };
    match dialect {
        Dialect::Ping(rest) => ping::answer(app, rest, &sent, body).await,
        Dialect::Push(rest) => push::answer(app, rest, &sent).await,
        Dialect::Pulse => pulse::answer(app, &sent, body).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_path_it_is() {
        let bases = vec!["/heartbeat".to_owned(), "/v1/heartbeat".to_owned()];
        let settings = BeatSettings { bases, ..BeatSettings::default() };
        for (path, dialect) in [
            ("/ping/", Some(Dialect::Ping(""))),
            ("/ping/a/b", Some(Dialect::Ping("a/b"))),
            ("/ping", None),
            ("/api/push/x/", Some(Dialect::Push("x/"))),
            ("/heartbeat/pulse", Some(Dialect::Pulse)),
            ("/v1/heartbeat/pulse/", Some(Dialect::Pulse)),
            ("/heartbeat/pulses", None),
            ("/heartbeat/pulse//", None),
            ("/heartbeat/dashboard", None),
            ("/pulse", None),
        ] {
            assert_eq!(Dialect::of(path, &settings), dialect, "{path}");
        }
    }
}
