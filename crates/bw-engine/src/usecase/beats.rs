//! Beats as they come in from clients of any dialect, and reading those that were kept.

use super::monitors::{self, Create, MonitorView};
use super::{By, Services, UseError};
use crate::beats::Kept;
use crate::catalog::BeatKey;
use bw_domain::beat::{Beat, Kind, PulseKey, RunId, Signal, Standing, Taken, Via};
use bw_domain::id::{MonitorId, Uuid};
use bw_domain::limits;
use bw_domain::monitor::{Declaration, HeartbeatDeclared, OwnDeclared, Spec, TargetDeclared, TermsDeclared};
use bw_domain::port::store::{BeatQuery, BeatRow, Incoming, StoreError};
use bw_domain::port::wake::Topic;
use bw_domain::time::{Duration, Instant, Span};
use bytes::Bytes;
use std::sync::Arc;

/// To which heartbeat.
#[derive(Clone, Debug)]
pub enum Address<'a> {
    Uuid(Uuid),
    /// `create`: where there is none with this slug, one is made.
    Slug {
        slug: &'a str,
        create: bool,
    },
    /// One that pulses for the first time is made, with this threshold.
    Pulse {
        key: PulseKey,
        threshold: Duration,
    },
}

/// What a client says.
#[derive(Clone, Debug)]
pub struct Said {
    pub signal: Signal,
    pub is_post: bool,
    pub run: Option<RunId>,
    /// When it happened, where it could not be told at once.
    pub happened: Option<Instant>,
    pub took: Option<Duration>,
    pub via: Via,
    /// At most `limits::BEAT_BODY_MAX` bytes of it are kept.
    pub body: Bytes,
}

/// What is answered.
#[derive(Debug)]
pub enum Received {
    /// It is durable. `created`: its heartbeat was made for it.
    Kept { monitor: MonitorId, taken: Taken, created: bool },
    /// No heartbeat has this address.
    Unknown,
    /// Several have it.
    Ambiguous,
    /// Too many beats wait for the store: the client should come again.
    Busy,
    /// It was not kept, and cannot be.
    Failed(UseError),
}

/// Takes a beat: answers once it is durable.
pub async fn receive(services: &Services, address: Address<'_>, said: Said) -> Received {
    let received = match find(services, &address).await {
        Ok(Found::One(spec, created)) => keep(services, spec, created, said).await,
        Ok(Found::None) => Received::Unknown,
        Ok(Found::Several) => Received::Ambiguous,
        Err(error) => Received::Failed(error),
    };
    match &received {
        Received::Kept { .. } => {}
        Received::Unknown => services.vitals.beat("unknown"),
        Received::Ambiguous => services.vitals.beat("ambiguous"),
        Received::Busy | Received::Failed(_) => services.vitals.beat("refused"),
    }
    received
}

enum Found {
    One(Arc<Spec>, bool),
    None,
    Several,
}

async fn find(services: &Services, address: &Address<'_>) -> Result<Found, UseError> {
    let key = match address {
        Address::Uuid(uuid) => BeatKey::Uuid(*uuid),
        Address::Slug { slug, .. } => BeatKey::Slug(slug),
        Address::Pulse { key, .. } => BeatKey::Pulse(key),
    };
    let mut found = services.catalog.heartbeats(&key);
    if found.is_empty() {
        // Another node may have made it a moment ago.
        Box::pin(services.catalog.refresh(&services.store)).await?;
        found = services.catalog.heartbeats(&key);
    }
    // What is rare is on the heap: the future of every beat is moved about.
    match (found.len(), address) {
        (0, Address::Slug { slug, create: true }) => Box::pin(make(services, slug_made(slug), slug)).await,
        (0, Address::Pulse { key, threshold }) => {
            let name = key.parts().join("\u{1f}");
            Box::pin(make(services, pulse_made(key, *threshold), &name)).await
        }
        (0, _) => Ok(Found::None),
        (1, _) => Ok(found.pop().map_or(Found::None, |spec| Found::One(spec, false))),
        _ => Ok(Found::Several),
    }
}

/// Makes the heartbeat of a first beat, once even when several first beats come at a time.
async fn make(services: &Services, declared: Declaration, key: &str) -> Result<Found, UseError> {
    let by = By::hand("a first beat");
    let create = Create { declared: declared.clone(), idempotency_key: Some(key) };
    let made = match monitors::create(services, create, by).await {
        // One of this key was made before, and was deleted since.
        Err(UseError::Refused(_)) => {
            monitors::create(services, Create { declared, idempotency_key: None }, by).await?
        }
        other => other?,
    };
    Ok(Found::One(made.spec, true))
}

fn slug_made(slug: &str) -> Declaration {
    let terms = TermsDeclared { rules: Some(Kind::Healthchecks), ..TermsDeclared::default() };
    let heartbeat = HeartbeatDeclared::new(terms, OwnDeclared::default());
    Declaration {
        name: slug.to_owned(),
        slug: Some(slug.to_owned()),
        target: TargetDeclared::Heartbeat(heartbeat),
        ..Declaration::default()
    }
}

fn pulse_made(key: &PulseKey, threshold: Duration) -> Declaration {
    let terms = TermsDeclared {
        every: Some(Span(threshold)),
        count: Some(bw_domain::beat::Counted::Weekdays),
        rules: Some(Kind::Pulse),
        ..TermsDeclared::default()
    };
    let own = OwnDeclared { pulse: Some(key.clone()), ..OwnDeclared::default() };
    let heartbeat = HeartbeatDeclared::new(terms, own);
    let name: String =
        key.parts().join(" / ").chars().filter(|c| !c.is_control()).take(limits::NAME_MAX).collect();
    Declaration { name, target: TargetDeclared::Heartbeat(heartbeat), ..Declaration::default() }
}

async fn keep(services: &Services, spec: Arc<Spec>, created: bool, mut said: Said) -> Received {
    let Some(agreement) = spec.beats() else { return Received::Unknown };
    said.body.truncate(limits::BEAT_BODY_MAX);
    // Who is paused by a file is resumed there.
    let manual = agreement.manual_resume || spec.owner.is_some();
    let (signal, ignored) = if !spec.enabled && manual {
        (said.signal, true)
    } else {
        agreement.classify(said.signal, said.is_post, false, &said.body)
    };
    let speaks = !ignored && (signal.is_success() || signal.is_failure());
    if !spec.enabled && speaks && !manual {
        match Box::pin(monitors::resume(services, spec.id, By::hand("a beat"))).await {
            Ok(_) => {}
            Err(UseError::NotFound) => return Received::Unknown,
            Err(error) => return Received::Failed(error),
        }
    }
    let monitor = spec.id;
    let kept = services.beats.offer(&*services.clock, |at| {
        let spec = services.catalog.in_force(monitor, at).unwrap_or(spec);
        let Said { run, happened, took, via, body, .. } = said;
        Incoming { spec, beat: Beat { monitor, at, happened, signal, ignored, run, took, via, body } }
    });
    let Some(kept) = kept else { return Received::Busy };
    services.wake.notify(Topic::Beats);
    match kept.await {
        Ok(Kept::Taken(taken)) => Received::Kept { monitor, taken, created },
        Ok(Kept::Gone) => Received::Unknown,
        Ok(Kept::Refused) => {
            let error = StoreError::Invalid("the store cannot keep this beat".to_owned());
            Received::Failed(UseError::Store(error))
        }
        // The process ends: nothing was promised.
        Err(_) => Received::Busy,
    }
}

impl MonitorView {
    /// How it stands, where it is a heartbeat.
    pub fn standing(&self, now: Instant) -> Option<Standing> {
        Standing::of(&self.spec, &self.state, self.track.as_deref(), now)
    }
}

/// The beats of a heartbeat, newest first.
pub async fn list(
    services: &Services,
    monitor: MonitorId,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<BeatRow>, UseError> {
    heartbeat(services, monitor)?;
    let limit = limit.clamp(1, limits::PAGE_MAX);
    Ok(services.store.beats.list(BeatQuery { monitor, before, limit }).await?)
}

/// What a beat brought along.
pub async fn body(services: &Services, monitor: MonitorId, number: u64) -> Result<Bytes, UseError> {
    heartbeat(services, monitor)?;
    services.store.beats.body(monitor, number).await?.ok_or(UseError::NotFound)
}

/// The heartbeat with this id.
pub fn heartbeat(services: &Services, monitor: MonitorId) -> Result<Arc<Spec>, UseError> {
    services.catalog.get(monitor).filter(|spec| spec.beats().is_some()).ok_or(UseError::NotFound)
}
