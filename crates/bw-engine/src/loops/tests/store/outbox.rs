//! Events waiting for routes, and deliveries waiting for sinks.

use super::MemoryStore;
use bw_domain::action::ActionRef;
use bw_domain::delivery::{Delivery, DeliveryState};
use bw_domain::event::Event;
use bw_domain::id::{DeliveryId, EventId, IncidentId};
use bw_domain::incident::Entry;
use bw_domain::port::store::*;
use bw_domain::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

impl Deliveries for MemoryStore {
    fn raise(&self, events: Vec<Event>) -> Answered<'_, ()> {
        self.write("raise", |rows| {
            let known: BTreeSet<EventId> = rows.events.iter().map(|(event, _)| event.id).collect();
            rows.events.extend(
                events.into_iter().filter(|event| !known.contains(&event.id)).map(|event| (event, false)),
            );
        })
    }

    fn unrouted(&self, limit: usize) -> Answered<'_, Vec<Event>> {
        self.read("unrouted", |rows| {
            rows.events
                .iter()
                .filter(|(_, routed)| !routed)
                .take(limit)
                .map(|(event, _)| event.clone())
                .collect()
        })
    }

    fn route(&self, routed: Vec<Routed>) -> Answered<'_, ()> {
        self.write("route", |rows| {
            for one in routed {
                let Some((_, seen)) = rows.events.iter_mut().find(|(event, _)| event.id == one.event) else {
                    continue;
                };
                if std::mem::replace(seen, true) {
                    continue;
                }
                for delivery in one.deliveries {
                    rows.order.push(delivery.id);
                    rows.deliveries.insert(delivery.id, (delivery, Instant::ZERO));
                }
            }
        })
    }

    fn lease(&self, now: Instant, until: Instant, limit: usize) -> Answered<'_, Vec<Outgoing>> {
        self.write("lease", |rows| {
            let mut chains: BTreeMap<String, Vec<DeliveryId>> = BTreeMap::new();
            for id in &rows.order {
                let (row, _) = &rows.deliveries[id];
                if row.state == DeliveryState::Waiting {
                    chains.entry(row.chain.clone()).or_default().push(*id);
                }
            }
            let due = |ids: &Vec<DeliveryId>| {
                let (row, leased) = &rows.deliveries[&ids[0]];
                row.due <= now && *leased <= now
            };
            let taken: Vec<Vec<DeliveryId>> = chains.into_values().filter(due).take(limit).collect();
            let mut outgoing = Vec::new();
            for ids in taken {
                let mut chain = Vec::new();
                for id in ids {
                    let (row, leased) = rows.deliveries.get_mut(&id).expect("it is in the order");
                    *leased = until;
                    let (event, _) =
                        rows.events.iter().find(|(event, _)| event.id == row.event).expect("it has an event");
                    chain.push((row.clone(), event.clone()));
                }
                outgoing.push(Outgoing { chain });
            }
            outgoing
        })
    }

    fn record(&self, written: Vec<Delivery>, told: Vec<(IncidentId, Entry)>) -> Answered<'_, ()> {
        self.write("record", |rows| {
            for row in written {
                rows.deliveries.insert(row.id, (row, Instant::ZERO));
            }
            rows.told.extend(told);
        })
    }

    fn next_due(&self) -> Answered<'_, Option<Instant>> {
        self.read("next_due", |rows| {
            let waiting = rows.deliveries.values().filter(|(row, _)| row.state == DeliveryState::Waiting);
            waiting.map(|(row, leased)| row.due.max(*leased)).min()
        })
    }

    fn list(&self, _: DeliveryFilter) -> Answered<'_, Vec<DeliveryItem>> {
        self.read("list", |_| Vec::new())
    }

    fn backlog(&self) -> Answered<'_, (u64, Option<Instant>)> {
        self.read("backlog", |_| (0, None))
    }

    fn abandon(&self, action: ActionRef, reason: String) -> Answered<'_, u64> {
        self.write("abandon", |rows| {
            let waiting = |row: &Delivery| row.action == action && row.state == DeliveryState::Waiting;
            let ended = rows.deliveries.values_mut().map(|(row, _)| row).filter(|row| waiting(row));
            ended.map(|row| row.give_up(reason.clone())).count() as u64
        })
    }
}
