//! `route` turns each event into deliveries, exactly once, in a transaction of its own, and writes down why each
//! action does or does not hear it.

use super::{Next, Parts, Tick, noted, written};
use crate::usecase::Services;
use crate::vitals::LoopName;
use bw_domain::action::ActionRef;
use bw_domain::event::Event;
use bw_domain::id::MonitorId;
use bw_domain::port::Fut;
use bw_domain::port::store::{Routed, StoreError};
use bw_domain::port::wake::Topic;
use bw_domain::route::{Decision, decide, deliveries};
use bw_domain::time::Duration;

/// Events in one transaction.
const BATCH: usize = 256;
const IDLE: Duration = Duration::from_secs(1);
/// After an error of the store.
const AGAIN: Duration = Duration::from_millis(500);

/// The loop.
pub(super) struct Router {
    services: Services,
}

impl Router {
    pub fn new(parts: &Parts) -> Self {
        Router { services: parts.services.clone() }
    }

    /// True when there may be more.
    async fn route(&self) -> Result<bool, StoreError> {
        let Services { store, catalog, .. } = &self.services;
        let events = noted(&self.services, store.deliveries.unrouted(BATCH).await)?;
        if events.is_empty() {
            return Ok(false);
        }
        // Who hears an event is decided once: with the newest declarations.
        noted(&self.services, catalog.refresh(store).await)?;
        let actions = catalog.actions();
        let webhook = |id: MonitorId| catalog.get(id).is_some_and(|spec| spec.declared.webhook_url.is_some());
        let routed: Vec<Routed> = events
            .iter()
            .map(|event| {
                let decisions = decide(event, &actions, webhook);
                let deliveries = deliveries(event, &decisions);
                Routed { event: event.id, deliveries, reasons: reasons(&decisions) }
            })
            .collect();
        let any = routed.iter().any(|routed| !routed.deliveries.is_empty());
        written(&self.services, store.deliveries.route(routed).await)?;
        self.log(&events);
        if any {
            self.services.wake.notify(Topic::Deliveries);
        }
        Ok(events.len() >= BATCH)
    }

    fn log(&self, events: &[Event]) {
        for event in events {
            tracing::debug!(event = %event.id, kind = %event.kind, "{}", event.summary);
        }
    }
}

fn reasons(decisions: &[Decision]) -> serde_json::Value {
    let reason = |decision: &Decision| {
        let action: ActionRef = decision.action;
        serde_json::json!({"action": action.to_string(), "send": decision.send, "reason": decision.reason})
    };
    decisions.iter().map(reason).collect()
}

impl Tick for Router {
    fn name(&self) -> LoopName {
        LoopName::Route
    }

    fn topics(&self) -> &[Topic] {
        &[Topic::Events]
    }

    fn tick(&mut self) -> Fut<'_, Next> {
        Box::pin(async move {
            let wait = match self.route().await {
                Ok(true) => return Next::Now,
                Ok(false) => IDLE,
                Err(error) => {
                    tracing::debug!("events wait for the store: {error}");
                    AGAIN
                }
            };
            Next::At(self.services.clock.now() + wait)
        })
    }
}
