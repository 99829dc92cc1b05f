//! Every event was routed, everybody who hears it has exactly one delivery of it, and each delivery reached its sink or
//! is dead with a reason that is so.

use crate::journal::Fact;
use crate::past::Past;
use bw_domain::action::ActionRef;
use bw_domain::delivery::{AttemptResult, Delivery, DeliveryState};
use bw_domain::event::{Event, EventKind};
use bw_domain::id::{DeliveryId, EventId};
use bw_domain::limits::SEND_HORIZON;
use std::collections::{BTreeMap, BTreeSet};

pub fn holds(past: &Past) -> Result<(), String> {
    let reached = reached(past);
    for (event, routed) in &past.database.events {
        let what = format!("{} of {:?}", event.kind, event.monitor.as_ref().map(|subject| subject.id));
        if !routed {
            return Err(format!("{what} was not routed"));
        }
        let rows = past.database.deliveries.iter().map(|row| &row.delivery);
        let rows: Vec<&Delivery> = rows.filter(|row| row.event == event.id).collect();
        let heard: BTreeSet<ActionRef> = rows.iter().map(|row| row.action).collect();
        for action in hearers(past, event) {
            // Who is deleted before the event is routed has no webhook any more.
            let gone =
                event.monitor.as_ref().is_some_and(|subject| !past.database.rows.contains_key(&subject.id));
            if !(heard.contains(&action) || gone && matches!(action, ActionRef::MonitorWebhook(_))) {
                return Err(format!("{what} has no delivery to {action}"));
            }
        }
        for row in rows {
            ended(past, row, &reached).map_err(|why| format!("{what} to {}: {why}", row.action))?;
        }
    }
    Ok(())
}

/// The events that each delivery told its sink.
fn reached(past: &Past) -> BTreeMap<DeliveryId, BTreeSet<EventId>> {
    let mut reached: BTreeMap<DeliveryId, BTreeSet<EventId>> = BTreeMap::new();
    for line in &past.journal {
        if let Fact::Reached { delivery, told, .. } = &line.fact {
            reached.entry(*delivery).or_default().extend(told);
        }
    }
    reached
}

/// Declared actions hear incidents; a monitor's own webhook hears its changes that are spoken about.
fn hearers(past: &Past, event: &Event) -> Vec<ActionRef> {
    if event.kind.name().starts_with("incident.") {
        return past.database.actions.keys().map(|id| ActionRef::Declared(*id)).collect();
    }
    let spoken = event.change.as_ref().is_some_and(|change| change.spoken);
    let Some(monitor) = event.monitor.as_ref().map(|subject| subject.id) else { return Vec::new() };
    let revisions = past.database.revisions.get(&monitor).into_iter().flatten();
    let webhook =
        revisions.filter_map(|revision| revision.declared.as_ref()).any(|d| d.webhook_url.is_some());
    if event.kind == EventKind::MonitorChanged && spoken && webhook {
        vec![ActionRef::MonitorWebhook(monitor)]
    } else {
        Vec::new()
    }
}

fn ended(
    past: &Past,
    row: &Delivery,
    reached: &BTreeMap<DeliveryId, BTreeSet<EventId>>,
) -> Result<(), String> {
    let told_by = |delivery: &DeliveryId| reached.get(delivery).is_some_and(|told| told.contains(&row.event));
    let last = row.attempts.last().map(|attempt| attempt.result);
    match row.state {
        DeliveryState::Waiting => Err("it is still waiting".to_owned()),
        DeliveryState::Sent if told_by(&row.id) => Ok(()),
        DeliveryState::Sent => Err("it counts as sent, and the sink never had it".to_owned()),
        DeliveryState::Dead if row.reason.starts_with("merged into") => {
            let newer = row.reason.trim_start_matches("merged into ").parse();
            let told = newer.is_ok_and(|newer: DeliveryId| told_by(&newer));
            if told { Ok(()) } else { Err(format!("{}, and that never told it", row.reason)) }
        }
        DeliveryState::Dead => {
            let refused = last == Some(AttemptResult::Refused);
            let too_late = row.due.since(row.created_at) > SEND_HORIZON;
            let gone = match row.action {
                ActionRef::MonitorWebhook(id) => !past.database.rows.contains_key(&id),
                ActionRef::Declared(id) => !past.database.actions.contains_key(&id),
                // The world has no heartbeat service.
                ActionRef::HeartbeatService => true,
            };
            let reason = !row.reason.is_empty() && (refused || too_late || gone);
            if reason { Ok(()) } else { Err(format!("it is dead without cause: `{}`", row.reason)) }
        }
    }
}
