//! A sink is told the same event again only when its answer was lost, or when the process died between the answer and
//! our record of it, or was held up there beyond its lease: from outside that is the same.

use crate::Ms;
use crate::fault::FaultKind;
use crate::journal::Fact;
use crate::past::Past;
use crate::world::Life;
use bw_domain::action::ActionRef;
use bw_domain::delivery::DeliveryState;
use bw_domain::id::{DeliveryId, EventId};
use bw_domain::limits::{SEND_LEASE, SEND_TIMEOUT};
use bw_domain::time::Duration;
use std::collections::BTreeMap;

/// One arrival of an event.
struct Arrival {
    at: Ms,
    life: Life,
    delivery: DeliveryId,
    lost: bool,
}

pub fn holds(past: &Past) -> Result<(), String> {
    let actions: BTreeMap<DeliveryId, ActionRef> =
        past.database.deliveries.iter().map(|row| (row.delivery.id, row.delivery.action)).collect();
    let mut arrivals: BTreeMap<(ActionRef, EventId), Vec<Arrival>> = BTreeMap::new();
    for line in &past.journal {
        let Fact::Reached { delivery, told, lost, .. } = &line.fact else { continue };
        let Some(action) = actions.get(delivery) else { continue };
        for event in told {
            let arrival = Arrival { at: line.at, life: line.life, delivery: *delivery, lost: *lost };
            arrivals.entry((*action, *event)).or_default().push(arrival);
        }
    }
    for ((action, event), arrivals) in &arrivals {
        let repeats = arrivals.len() - 1;
        let excused = arrivals[..repeats].iter().filter(|arrival| excused(past, arrival)).count();
        if repeats > excused {
            let times: Vec<Ms> = arrivals.iter().map(|arrival| arrival.at).collect();
            let kind = past.database.event(*event).map(|event| event.kind);
            return Err(format!(
                "{kind:?} {event} reached {action} at {times:?} ms, {excused} of these excused"
            ));
        }
    }
    Ok(())
}

/// What is left of a lease at least when the sink answers.
const LEASED: Duration = SEND_LEASE.saturating_sub(SEND_TIMEOUT);

/// Its answer was lost, or its process ended, or lost its lease, before it wrote down that it was sent.
fn excused(past: &Past, arrival: &Arrival) -> bool {
    let after = past.journal.iter().filter(|line| line.at >= arrival.at && line.life == arrival.life);
    for line in after {
        match &line.fact {
            Fact::Recorded { rows } => {
                let sent = |row: &&bw_domain::delivery::Delivery| {
                    row.id == arrival.delivery && row.state == DeliveryState::Sent
                };
                if rows.iter().any(|row| sent(&row)) {
                    let passed = Duration::from_millis(line.at - arrival.at);
                    return arrival.lost || passed > LEASED || was_set(past, arrival.at, line.at);
                }
            }
            Fact::Ended => return true,
            _ => {}
        }
    }
    arrival.lost
}

/// Leases are times of the clock: set forward, it ends them.
fn was_set(past: &Past, reached: Ms, recorded: Ms) -> bool {
    let leased = reached.saturating_sub(SEND_LEASE.as_millis() as Ms);
    let ahead = |kind: &FaultKind| matches!(kind, FaultKind::HostStep { by } if *by > 0);
    past.script.faults.iter().any(|fault| ahead(&fault.kind) && (leased..=recorded).contains(&fault.from))
}
