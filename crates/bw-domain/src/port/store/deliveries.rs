//! Events waiting for routes, and deliveries waiting for sinks.

use super::Answered;
use crate::action::ActionRef;
use crate::delivery::{Delivery, DeliveryState};
use crate::event::Event;
use crate::id::{DeliveryId, EventId, IncidentId, MonitorId};
use crate::incident::Entry;
use crate::time::Instant;

/// What routing made of one event, written once.
#[derive(Clone, Debug)]
pub struct Routed {
    pub event: EventId,
    pub deliveries: Vec<Delivery>,
    /// Why each action does or does not hear it: `[{"action","send","reason"}]`.
    pub reasons: serde_json::Value,
}

/// A chain whose turn it is: the delivery to send and those that it may absorb.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// All waiting rows of the chain, oldest first, with their events. Leased together.
    pub chain: Vec<(Delivery, Event)>,
}

/// Which rows of the ledger; newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeliveryFilter {
    pub state: Option<DeliveryState>,
    pub monitor: Option<MonitorId>,
    pub incident: Option<IncidentId>,
    /// Created before this, and for equal instants with a smaller id.
    pub before: Option<(Instant, DeliveryId)>,
    pub limit: usize,
}

/// A row with what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryItem {
    pub delivery: Delivery,
    pub event: Event,
    /// The action's name, or `webhook of NAME`.
    pub action_name: String,
}

/// The outbox.
pub trait Deliveries: Send + Sync {
    /// Writes events that no monitor's commit causes (`system.*`, `location.*`, `delivery.dead`); known ids are
    /// left as they are.
    fn raise(&self, events: Vec<Event>) -> Answered<'_, ()>;

    /// Events that no route has seen, oldest first.
    fn unrouted(&self, limit: usize) -> Answered<'_, Vec<Event>>;

    /// Writes the deliveries of events and marks them routed; an event that is routed already is left as it is.
    fn route(&self, routed: Vec<Routed>) -> Answered<'_, ()>;

    /// Leases at most `limit` chains whose oldest waiting row is due, until `until`.
    fn lease(&self, now: Instant, until: Instant, limit: usize) -> Answered<'_, Vec<Outgoing>>;

    /// Writes rows back after an attempt and frees their lease, with what the timelines of their incidents say.
    fn record(&self, rows: Vec<Delivery>, told: Vec<(IncidentId, Entry)>) -> Answered<'_, ()>;

    /// The next instant at which a chain is due, leases included.
    fn next_due(&self) -> Answered<'_, Option<Instant>>;

    fn list(&self, filter: DeliveryFilter) -> Answered<'_, Vec<DeliveryItem>>;

    /// Counts by state, and the age base of the oldest waiting row.
    fn backlog(&self) -> Answered<'_, (u64, Option<Instant>)>;

    /// Waiting rows of actions that no longer exist end as dead with this reason. Answers how many.
    fn abandon(&self, action: ActionRef, reason: String) -> Answered<'_, u64>;
}
