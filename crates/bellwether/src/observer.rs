//! The observer speaks of its own blindness once, and once of its end: while it lasts, outcomes are inconclusive and
//! nobody is paged by it.

use bw_domain::event::{Event, EventKind, Severity};
use bw_domain::id::EventId;
use bw_domain::port::wake::Topic;
use bw_domain::time::{Instant, Span};
use bw_engine::usecase::Services;
use bw_probe::{Gate, State};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// While blind, how often we look whether it is over.
const LOOK: Duration = Duration::from_secs(3);

/// Raises one event for each change of sight.
pub async fn run(gate: Arc<Gate>, services: Services) {
    let mut changes = gate.changes();
    let mut blind_since = None;
    loop {
        let state = *changes.borrow_and_update();
        let now = services.clock.now();
        match (state, blind_since) {
            (State::Blind { since }, None) => {
                blind_since = Some(since);
                tracing::warn!("this observer is blind: its anchors are out of reach, outcomes are inconclusive");
                raise(&services, blind(since, now)).await;
            }
            (State::Sighted, Some(since)) => {
                blind_since = None;
                tracing::info!("this observer sees again");
                raise(&services, back(since, now)).await;
            }
            _ => {}
        }
        services.vitals.blind.store(blind_since.is_some(), Relaxed);
        let changed = changes.changed();
        if blind_since.is_none() {
            if changed.await.is_err() {
                return;
            }
            continue;
        }
        tokio::select! {
            changed = changed => {
                if changed.is_err() {
                    return;
                }
            }
            () = tokio::time::sleep(LOOK) => drop(gate.sighted().await),
        }
    }
}

fn blind(since: Instant, now: Instant) -> Event {
    let summary = "local is blind: its own network is out of reach, so its probes say nothing";
    event(EventKind::LocationBlind, since, now, Severity::Warning, summary.to_owned())
}

fn back(since: Instant, now: Instant) -> Event {
    let seconds = Duration::from_secs(now.since(since).as_secs());
    event(EventKind::LocationBack, since, now, Severity::Info, format!("local sees again after {}", Span(seconds)))
}

fn event(kind: EventKind, since: Instant, now: Instant, severity: Severity, summary: String) -> Event {
    let id = EventId::of(&[kind.name().as_bytes(), b"local", &since.ms().to_le_bytes()]);
    let location = Some(json!({ "name": "local", "since": since }));
    Event { location, ..Event::new(id, kind, now, severity, summary) }
}

/// The ledger of a store that is away hears nothing; the log has it.
async fn raise(services: &Services, event: Event) {
    match services.store.deliveries.raise(vec![event]).await {
        Ok(()) => services.wake.notify(Topic::Events),
        Err(error) => tracing::warn!("the event could not be recorded: {error}"),
    }
}
