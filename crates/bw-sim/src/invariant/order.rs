//! What is about one subject is told in the order in which it happened: a recovery never overtakes its failure.

use crate::Ms;
use crate::journal::Fact;
use crate::past::Past;
use bw_domain::action::ActionRef;
use bw_domain::id::{DeliveryId, EventId};
use std::collections::BTreeMap;

pub fn holds(past: &Past) -> Result<(), String> {
    let first = first_told(past);
    let mut latest: BTreeMap<&str, (Ms, EventId)> = BTreeMap::new();
    for row in past.database.deliveries.iter().map(|row| &row.delivery) {
        let Some(at) = first.get(&(row.action, row.event)) else { continue };
        match latest.get(row.chain.as_str()) {
            Some((before, earlier)) if before > at => {
                let kind = |id: EventId| past.database.event(id).map(|event| (event.kind, event.at));
                return Err(format!(
                    "{}: {:?} was told at {at} ms, before {:?} at {before} ms",
                    row.chain,
                    kind(row.event),
                    kind(*earlier)
                ));
            }
            _ => drop(latest.insert(&row.chain, (*at, row.event))),
        }
    }
    Ok(())
}

/// When each action first heard of each event.
fn first_told(past: &Past) -> BTreeMap<(ActionRef, EventId), Ms> {
    let actions: BTreeMap<DeliveryId, ActionRef> =
        past.database.deliveries.iter().map(|row| (row.delivery.id, row.delivery.action)).collect();
    let mut first = BTreeMap::new();
    for line in &past.journal {
        let Fact::Reached { delivery, told, .. } = &line.fact else { continue };
        let Some(action) = actions.get(delivery) else { continue };
        for event in told {
            first.entry((*action, *event)).or_insert(line.at);
        }
    }
    first
}
