//! One attempt with one chain. Its rows go out in order; once the oldest is late what it says may no longer be what
//! is true now, so the older ones are merged into the newest and told with it.

use crate::usecase::Services;
use crate::vitals::Vitals;
use bw_domain::action::ActionRef;
use bw_domain::delivery::{AttemptResult, Delivery, DeliveryState, Receipt};
use bw_domain::event::{Event, EventKind, Severity};
use bw_domain::id::{DeliveryId, EventId, IncidentId};
use bw_domain::incident::{Entry, EntryKind};
use bw_domain::port::store::{Outgoing, StoreError};
use bw_domain::port::wake::Topic;
use bw_domain::time::Instant;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// A chain under way.
pub(super) struct Sending {
    /// Told with this attempt, oldest first; the last one is the delivery that is sent.
    told: Vec<(Delivery, Arc<Event>)>,
    /// Their turn comes after it.
    later: Vec<Delivery>,
}

/// What an attempt needs to be written down.
pub(super) struct Ended {
    pub action: ActionRef,
    pub name: String,
    pub was_broken: bool,
    pub now: Instant,
    pub dice: u64,
}

/// An attempt that has ended, with everything that is to be written.
#[derive(Clone)]
pub(super) struct Attempted {
    pub action: ActionRef,
    /// The oldest row of the chain.
    pub delivery: DeliveryId,
    result: AttemptResult,
    rows: Vec<Delivery>,
    entries: Vec<(IncidentId, Entry)>,
    /// Deliveries that ended unsent.
    dead: Vec<Event>,
    /// What is now known of the action: why it is broken, or empty.
    mark: Option<String>,
}

impl Sending {
    pub fn new(outgoing: Outgoing) -> Self {
        // What `monitor` tells at a time is one message.
        let whole = outgoing.chain.first().is_some_and(|(oldest, _)| oldest.is_late() || is_report(oldest));
        let mut rows = outgoing.chain.into_iter();
        let told = if whole { rows.by_ref().collect() } else { rows.by_ref().take(1).collect::<Vec<_>>() };
        let told = told.into_iter().map(|(row, event)| (row, Arc::new(event))).collect();
        Sending { told, later: rows.map(|(row, _)| row).collect() }
    }

    fn newest(&self) -> &(Delivery, Arc<Event>) {
        self.told.last().expect("a chain that is due has a row")
    }

    pub fn delivery(&self) -> DeliveryId {
        self.newest().0.id
    }

    pub fn event(&self) -> Arc<Event> {
        self.newest().1.clone()
    }

    /// The earlier events that never went out.
    pub fn merged(&self) -> Vec<Arc<Event>> {
        self.told[..self.told.len() - 1].iter().map(|(_, event)| event.clone()).collect()
    }

    /// The attempt has ended. Every row that was told with it made it; all are written back, so that none stays
    /// leased.
    pub fn ended(self, receipt: Receipt, how: Ended) -> Attempted {
        let (oldest, newest) = (self.told[0].0.id, self.newest().0.id);
        let result = receipt.attempt.result;
        let (mut rows, mut entries, mut dead) = (Vec::new(), Vec::new(), Vec::new());
        for (mut row, event) in self.told {
            let merged = row.id != newest;
            if merged && result == AttemptResult::Sent && !is_report(&row) {
                row.give_up(format!("merged into {newest}"));
            } else {
                row.record(receipt.clone(), how.now, how.dice);
            }
            entries.extend(entry(&row, &event, &how));
            if row.state == DeliveryState::Dead && result != AttemptResult::Sent {
                dead.extend(dead_event(&row, &event, &how));
            }
            rows.push(row);
        }
        rows.extend(self.later);
        let mark = match result {
            AttemptResult::Refused => Some(receipt.attempt.text),
            AttemptResult::Sent if how.was_broken => Some(String::new()),
            _ => None,
        };
        Attempted { action: how.action, delivery: oldest, result, rows, entries, dead, mark }
    }
}

/// Rows of which a message tells each by itself: none is merged into another.
fn is_report(row: &Delivery) -> bool {
    row.action == ActionRef::HeartbeatService
}

/// What the timeline of the event's incident says of a row that has ended.
fn entry(row: &Delivery, event: &Event, how: &Ended) -> Option<(IncidentId, Entry)> {
    let incident = event.incident.as_ref()?.id;
    let entry = match row.state {
        DeliveryState::Waiting => return None,
        DeliveryState::Sent => {
            Entry::new(how.now, EntryKind::Told, format!("{} was told: {}", how.name, event.summary))
        }
        DeliveryState::Dead if row.reason.starts_with("merged") => {
            Entry::new(how.now, EntryKind::Told, format!("{} was told late: {}", how.name, event.summary))
        }
        DeliveryState::Dead => {
            let text = format!("{} could not be told: {} ({})", how.name, event.summary, row.reason);
            Entry::new(how.now, EntryKind::NotTold, text)
        }
    };
    Some((incident, entry))
}

/// A message that never went out is itself worth a message, but never one about that message.
fn dead_event(row: &Delivery, about: &Event, how: &Ended) -> Option<Event> {
    if about.kind == EventKind::DeliveryDead {
        return None;
    }
    let id = EventId::of(&[&row.id.0, EventKind::DeliveryDead.name().as_bytes()]);
    let text = format!("{} could not be told: {} ({})", how.name, about.summary, row.reason);
    let mut event = Event::new(id, EventKind::DeliveryDead, how.now, Severity::Warning, text);
    event.delivery = Some(serde_json::json!({
        "id": row.id, "event": row.event, "action": row.action.to_string(), "reason": row.reason,
        "attempts": row.attempts.len(),
    }));
    Some(event)
}

impl Attempted {
    pub fn count(&self, vitals: &Vitals) {
        match self.result {
            AttemptResult::Sent => vitals.deliveries_sent.fetch_add(1, Relaxed),
            AttemptResult::Refused | AttemptResult::Retry | AttemptResult::Unknown => {
                vitals.deliveries_failed.fetch_add(1, Relaxed)
            }
        };
        vitals.deliveries_dead.fetch_add(self.dead.len() as u64, Relaxed);
    }
}

/// Writes attempts down. What goes first is harmless when it is repeated, so the rows come last.
pub(super) async fn write(services: &Services, attempts: &[Attempted]) -> Result<(), StoreError> {
    let store = &services.store;
    for attempted in attempts {
        if let (ActionRef::Declared(id), Some(broken)) = (attempted.action, &attempted.mark) {
            if !broken.is_empty() {
                tracing::error!(action = %id, "the action is broken: {broken}");
            }
            store.catalog.mark_action(id, broken.clone()).await?;
        }
    }
    let dead: Vec<Event> = attempts.iter().flat_map(|attempted| attempted.dead.clone()).collect();
    if !dead.is_empty() {
        for event in &dead {
            tracing::warn!("{}: {}", event.kind, event.summary);
        }
        store.deliveries.raise(dead).await?;
        services.wake.notify(Topic::Events);
    }
    let rows = attempts.iter().flat_map(|attempted| attempted.rows.clone()).collect();
    let entries = attempts.iter().flat_map(|attempted| attempted.entries.clone()).collect();
    store.deliveries.record(rows, entries).await
}
