//! Which actions hear an event, and why. Rego routes come later; until then declared actions hear incidents, and
//! a monitor's own webhook hears its changes.

use crate::action::{Action, ActionRef};
use crate::delivery::Delivery;
use crate::event::{Event, EventKind};
use crate::id::MonitorId;

/// One decision, with its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub action: ActionRef,
    pub send: bool,
    pub reason: String,
}

/// Decides for every action that could hear the event. `webhook` tells whether a monitor has a `webhook_url`.
pub fn decide(event: &Event, actions: &[Action], webhook: impl Fn(MonitorId) -> bool) -> Vec<Decision> {
    let mut decisions: Vec<Decision> = actions
        .iter()
        .map(|action| {
            let send = event.kind.is_incident();
            let reason =
                if send { "declared actions hear incidents" } else { "declared actions hear incidents only" };
            Decision { action: ActionRef::Declared(action.id), send, reason: reason.to_owned() }
        })
        .collect();
    if event.kind.is_pulse() {
        decisions.push(Decision {
            action: ActionRef::HeartbeatService,
            send: true,
            reason: "its monitor was asked to tell".to_owned(),
        });
    }
    if let Some(monitor) = event.monitor.as_ref().map(|subject| subject.id).filter(|id| webhook(*id))
        && event.kind == EventKind::MonitorChanged
    {
        let send = event.change.as_ref().is_some_and(|change| change.spoken);
        let reason = if send { "its own webhook hears changes" } else { "this change is not spoken about" };
        decisions.push(Decision {
            action: ActionRef::MonitorWebhook(monitor),
            send,
            reason: reason.to_owned(),
        });
    }
    decisions
}

/// The deliveries that the decisions lead to.
pub fn deliveries(event: &Event, decisions: &[Decision]) -> Vec<Delivery> {
    decisions
        .iter()
        .filter(|decision| decision.send)
        .map(|decision| Delivery::new(event, decision.action))
        .collect()
}
