//! What all dialects share: a beat is bounded by rate, received, and what became of it is told in one shape that each
//! dialect puts into its own words.
//!
//! Who beats a heartbeat that is known is never held up by what others at the same address do wrong.

use super::reply::seconds;
use super::sent::Sent;
use crate::App;
use bw_domain::port::store::StoreError;
use bw_engine::catalog::BeatKey;
use bw_engine::usecase::UseError;
use bw_engine::usecase::beats::{Address, Received, Said, receive};
use http::StatusCode;
use std::borrow::Cow;
use std::time::Duration;

/// What became of a beat.
#[derive(Debug)]
pub(super) enum Intake {
    /// It is durable. `created`: so is its heartbeat, which was made for it.
    Kept {
        created: bool,
    },
    Unknown,
    Ambiguous,
    Trouble(Trouble),
}

/// Why it was not kept, in words that are the same everywhere.
#[derive(Debug)]
pub(super) struct Trouble {
    pub status: StatusCode,
    /// When it is worth to come again.
    pub wait: Option<Duration>,
    pub sentence: Cow<'static, str>,
}

/// When to come again after what passes soon.
const SOON: Duration = Duration::from_secs(1);

/// Takes a beat in.
pub(super) async fn take(app: &App, sent: &Sent, address: Address<'_>, said: Said) -> Intake {
    if let Err(wait) = bounded(app, sent, &address) {
        app.services.vitals.beat("throttled");
        let sentence = format!("too many beats: come again in {} s", seconds(wait));
        return trouble(StatusCode::TOO_MANY_REQUESTS, Some(wait), sentence);
    }
    match receive(&app.services, address, said).await {
        Received::Kept { created, .. } => Intake::Kept { created },
        Received::Unknown => Intake::Unknown,
        Received::Ambiguous => Intake::Ambiguous,
        Received::Busy => away("too many beats wait to be kept: send it again in a second"),
        Received::Failed(error) => failed(error),
    }
}

fn bounded(app: &App, sent: &Sent, address: &Address<'_>) -> Result<(), Duration> {
    let (catalog, now) = (&app.services.catalog, app.services.clock.monotonic());
    match catalog.heartbeats(&key(address)).as_slice() {
        [spec] => app.rates.beat(spec.id, now),
        // While the catalog is still empty nothing can be known.
        [] if catalog.is_filled() => match address {
            Address::Pulse { .. } | Address::Slug { create: true, .. } => app.rates.made(sent.remote, now),
            _ => app.rates.unknown(sent.remote, now),
        },
        _ => Ok(()),
    }
}

/// By which key the catalog knows an address.
pub(super) fn key<'a>(address: &'a Address<'_>) -> BeatKey<'a> {
    match address {
        Address::Uuid(uuid) => BeatKey::Uuid(*uuid),
        Address::Slug { slug, .. } => BeatKey::Slug(slug),
        Address::Pulse { key, .. } => BeatKey::Pulse(key),
    }
}

fn failed(error: UseError) -> Intake {
    match error {
        UseError::NotFound => Intake::Unknown,
        UseError::Store(error) => store(&error),
        UseError::Stale { .. } => away("its heartbeat is being edited: send it again in a second"),
        UseError::Invalid(_) => trouble(StatusCode::BAD_REQUEST, None, error.to_string()),
        UseError::Owned { .. } | UseError::Taken(_) | UseError::Refused(_) => {
            trouble(StatusCode::CONFLICT, None, error.to_string())
        }
    }
}

/// The store did not do it.
pub(super) fn store(error: &StoreError) -> Intake {
    if error.retry() {
        return away("the store does not answer: send it again in a second");
    }
    tracing::error!("a beat could not be kept: {error}");
    trouble(StatusCode::INTERNAL_SERVER_ERROR, None, "it could not be kept: the server's log says why")
}

fn away(sentence: &'static str) -> Intake {
    trouble(StatusCode::SERVICE_UNAVAILABLE, Some(SOON), sentence)
}

fn trouble(status: StatusCode, wait: Option<Duration>, sentence: impl Into<Cow<'static, str>>) -> Intake {
    Intake::Trouble(Trouble { status, wait, sentence: sentence.into() })
}

impl Trouble {
    /// The sentence as a body.
    pub fn text(self) -> bytes::Bytes {
        match self.sentence {
            Cow::Borrowed(text) => bytes::Bytes::from_static(text.as_bytes()),
            Cow::Owned(text) => text.into(),
        }
    }
}
