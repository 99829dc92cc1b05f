//! The ping interface of Healthchecks below `/ping/`, with its statuses and texts; where its releases differ, the
//! current one counts.
//!
//! | path | |
//! |---|---|
//! | `UUID` `UUID/` | success |
//! | `UUID/start` `/fail` `/log` `/0` … `/255` | what it says |
//! | `KEY/SLUG` `KEY/SLUG/` and the same endings | by the ping key of the configuration |
//!
//! Any method counts, OPTIONS included. Beside `rid` and `create` we take `at`, the milliseconds since 1970 at which it
//! happened, and `duration_ms`, how long the job took: for jobs that could not report at once.
//!
//! Must hold: a wrong key and an unknown slug are the same to who asks, in what is answered and in what is done for it;
//! without a configured key nothing is reached by slug.

use super::intake::{Intake, Trouble, take};
use super::query;
use super::reply;
use super::sent::Sent;
use crate::App;
use axum::response::Response;
use bw_domain::beat::{RunId, Signal};
use bw_domain::id::Uuid;
use bw_domain::secret::Secret;
use bw_domain::time::{Duration, Instant};
use bw_engine::usecase::beats::{Address, Said};
use bytes::Bytes;
use http::StatusCode;
use subtle::ConstantTimeEq;

/// Longer than any job takes; so far Kuma's clients go, too.
pub(super) const TOOK_MAX: Duration = Duration::from_secs(100_000_000);

/// Which heartbeat a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<'a> {
    Uuid(Uuid),
    Slug { key: &'a str, slug: &'a str },
}

/// Why a request is no ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    /// There is nothing at such a path.
    Nowhere,
    Url,
    Run,
}

/// Answers what comes after `/ping/`.
pub(super) async fn answer(app: &App, rest: &str, sent: &Sent, body: Bytes) -> Response {
    let rest = query::path(rest);
    let asked = place(&rest).and_then(|(place, signal)| {
        Asked::of(sent.query(), app.services.clock.now()).map(|asked| (place, signal, asked))
    });
    let (place, signal, asked) = match asked {
        Ok(asked) => asked,
        Err(mistake) => {
            app.services.vitals.beat(if mistake == Mistake::Nowhere { "unknown" } else { "refused" });
            return match mistake {
                Mistake::Nowhere => reply::ping(StatusCode::NOT_FOUND, "not found"),
                Mistake::Url => reply::ping(StatusCode::BAD_REQUEST, "invalid url format"),
                Mistake::Run => reply::ping(StatusCode::BAD_REQUEST, "invalid uuid format"),
            };
        }
    };
    let address = match place {
        Place::Uuid(uuid) => Address::Uuid(uuid),
        Place::Slug { key, slug } if is_key(app.beats.ping_key.as_ref(), key) => {
            Address::Slug { slug, create: asked.create }
        }
        // No heartbeat has this slug: it is looked for like any other.
        Place::Slug { .. } => Address::Slug { slug: "", create: false },
    };
    let Asked { run, happened, took, .. } = asked;
    let said = Said { signal, is_post: sent.is_post(), run, happened, took, via: sent.via(), body };
    match take(app, sent, address, said).await {
        Intake::Kept { created: false } => reply::ping(StatusCode::OK, "OK"),
        Intake::Kept { created: true } => reply::ping(StatusCode::CREATED, "Created"),
        Intake::Unknown => reply::ping(StatusCode::NOT_FOUND, "not found"),
        Intake::Ambiguous => reply::ping(StatusCode::CONFLICT, "ambiguous slug"),
        Intake::Trouble(trouble) => {
            let Trouble { status, wait, .. } = trouble;
            reply::later(reply::ping(status, trouble.text()), wait)
        }
    }
}

fn is_key(configured: Option<&Secret>, sent: &str) -> bool {
    configured.is_some_and(|key| bool::from(key.expose().as_bytes().ct_eq(sent.as_bytes())))
}

/// What a path says.
fn place(rest: &str) -> Result<(Place<'_>, Signal), Mistake> {
    let mut parts = rest.split('/');
    let first = parts.next().unwrap_or_default();
    let uuid = Uuid::parse(first);
    let by_slug = |slug, signal| Ok((Place::Slug { key: first, slug: of_slug(slug)? }, signal));
    match (uuid, parts.next(), parts.next(), parts.next()) {
        (Some(uuid), None | Some(""), None, None) => Ok((Place::Uuid(uuid), Signal::Success)),
        (Some(uuid), Some(word), None, None) => match action(word) {
            Some(signal) => Ok((Place::Uuid(uuid), signal?)),
            None => by_slug(word, Signal::Success),
        },
        (None, Some(slug), None, None) | (None, Some(slug), Some(""), None) => by_slug(slug, Signal::Success),
        (_, Some(slug), Some(word), None) if !word.is_empty() => match action(word) {
            Some(signal) => by_slug(slug, signal?),
            None => Err(Mistake::Nowhere),
        },
        _ => Err(Mistake::Nowhere),
    }
}

/// The end of a path, unless it is no such word at all.
fn action(word: &str) -> Option<Result<Signal, Mistake>> {
    match Signal::of_path(word) {
        Some(signal) if !word.is_empty() => Some(Ok(signal)),
        None if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) => Some(Err(Mistake::Url)),
        _ => None,
    }
}

fn of_slug(slug: &str) -> Result<&str, Mistake> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if slug.is_empty() || !slug.bytes().all(known) {
        return Err(Mistake::Nowhere);
    }
    if slug.bytes().any(|byte| byte.is_ascii_uppercase()) { Err(Mistake::Url) } else { Ok(slug) }
}

/// What a query says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    run: Option<RunId>,
    create: bool,
    happened: Option<Instant>,
    took: Option<Duration>,
}

impl Asked {
    /// What we have added is ignored where it makes no sense: a beat is worth more than its details.
    fn of(query: &str, now: Instant) -> Result<Asked, Mistake> {
        let mut asked = Asked::default();
        for (key, value) in query::pairs(query) {
            match &*key {
                "rid" => asked.run = Some(RunId::parse(&value).ok_or(Mistake::Run)?),
                "create" => asked.create = value == "1",
                "at" => {
                    let at = value.parse().ok().filter(|ms| (1..=now.ms()).contains(ms));
                    asked.happened = at.map(Instant::from_ms);
                }
                "duration_ms" => {
                    let took = value.parse().ok().map(Duration::from_millis);
                    asked.took = took.filter(|took| *took <= TOOK_MAX);
                }
                _ => {}
            }
        }
        Ok(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "728b3763-ea80-4113-9fc0-f49b4adb226e";

    #[test]
    fn paths() {
        let uuid = Place::Uuid(Uuid::parse(UUID).unwrap());
        let slug = |key, slug| Place::Slug { key, slug };
        let check = |path: &str, expected: Result<(Place<'_>, Signal), Mistake>| {
            assert_eq!(place(&path.replace("UUID", UUID)), expected, "{path}");
        };
        let nowhere = || Err(Mistake::Nowhere);
        let url = || Err(Mistake::Url);
        check("UUID", Ok((uuid, Signal::Success)));
        check("UUID/", Ok((uuid, Signal::Success)));
        check("UUID/start", Ok((uuid, Signal::Start)));
        check("UUID/fail", Ok((uuid, Signal::Fail)));
        check("UUID/log", Ok((uuid, Signal::Log)));
        check("UUID/0", Ok((uuid, Signal::Exit(0))));
        check("UUID/255", Ok((uuid, Signal::Exit(255))));
        check("UUID/0007", Ok((uuid, Signal::Exit(7))));
        check("UUID/256", url());
        check("UUID/99999999999999999999999", url());
        check("UUID/-1", Ok((slug(UUID, "-1"), Signal::Success)));
        check("UUID/abc", Ok((slug(UUID, "abc"), Signal::Success)));
        check("UUID/fail/", nowhere());
        check("UUID/abc/", nowhere());
        check("UUID//", nowhere());
        check("UUID/fail/x", nowhere());
        check("k/job", Ok((slug("k", "job"), Signal::Success)));
        check("k/job/", Ok((slug("k", "job"), Signal::Success)));
        check("k/a_b-9/fail", Ok((slug("k", "a_b-9"), Signal::Fail)));
        check("k/start", Ok((slug("k", "start"), Signal::Success)));
        check("k/7/7", Ok((slug("k", "7"), Signal::Exit(7))));
        check("k/job/256", url());
        check("k/Job", url());
        check("k/JOB/start", url());
        check("k/job/abc", nowhere());
        check("k/job/-1", nowhere());
        check("k/job/fail/", nowhere());
        check("k/j.b", nowhere());
        check("k//", nowhere());
        check("k/", nowhere());
        check("k", nowhere());
        check("", nowhere());
        assert_eq!(place(&UUID.to_uppercase()), nowhere());
        assert_eq!(place(&UUID.replace('-', "")), nowhere());
        let upper = UUID.to_uppercase();
        assert_eq!(place(&format!("{upper}/fail")), Ok((slug(&upper, "fail"), Signal::Success)));
    }

    #[test]
    fn queries() {
        let now = Instant::from_ms(1_000_000);
        let of = |query: &str| Asked::of(query, now);
        assert_eq!(of(""), Ok(Asked::default()));
        assert_eq!(of(&format!("rid={UUID}")).unwrap().run, RunId::parse(UUID));
        assert_eq!(of("rid=1"), Err(Mistake::Run));
        assert_eq!(of("rid="), Err(Mistake::Run));
        assert!(of("create=1").unwrap().create);
        assert!(!of("create=true").unwrap().create && !of("create=1&create=0").unwrap().create);
        for (at, happened) in [
            ("999999", Some(999_999)),
            ("1000000", Some(1_000_000)),
            ("1000001", None),
            ("0", None),
            ("-5", None),
            ("soon", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(of(&format!("at={at}")).unwrap().happened, happened.map(Instant::from_ms), "{at}");
        }
        for (text, ms) in [("1500", Some(1_500)), ("0", Some(0)), ("-1", None), ("100000000001", None)] {
            assert_eq!(of(&format!("duration_ms={text}")).unwrap().took, ms.map(Duration::from_millis));
        }
    }
}
