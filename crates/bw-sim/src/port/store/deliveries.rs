//! The outbox: events that wait for routes, chains of deliveries, their leases and the ledger.

use super::{Database, Waiting};
use crate::journal::Fact;
use crate::mutant::Mutant;
use crate::world::{Inner, Link};
use bw_domain::action::ActionRef;
use bw_domain::delivery::{Attempt, AttemptResult, Delivery, DeliveryState};
use bw_domain::event::Event;
use bw_domain::id::IncidentId;
use bw_domain::incident::Entry;
use bw_domain::port::store::{Answered, Deliveries, DeliveryFilter, DeliveryItem, Outgoing, Routed};
use bw_domain::time::Instant;
use std::collections::BTreeMap;

impl Deliveries for Link {
    fn raise(&self, events: Vec<Event>) -> Answered<'_, ()> {
        self.write(move |inner, _| {
            for event in events {
                inner.database.add_event(event);
            }
        })
    }

    fn unrouted(&self, limit: usize) -> Answered<'_, Vec<Event>> {
        self.read(move |inner| {
            let events = inner.database.events.iter().filter(|(_, routed)| !routed);
            events.map(|(event, _)| event.clone()).take(limit).collect()
        })
    }

    fn route(&self, routed: Vec<Routed>) -> Answered<'_, ()> {
        self.write(move |inner, _| {
            for routed in routed {
                route_one(inner, routed);
            }
        })
    }

    fn lease(&self, now: Instant, until: Instant, limit: usize) -> Answered<'_, Vec<Outgoing>> {
        self.write(move |inner, _| {
            let mut due: Vec<(Instant, Vec<usize>)> = chains(inner)
                .into_values()
                .filter_map(|chain| Some((free(inner, &chain, now)?, chain)))
                .collect();
            due.retain(|(due, _)| *due <= now);
            due.sort();
            due.truncate(limit);
            due.into_iter().map(|(_, chain)| take(inner, chain, now, until)).collect()
        })
    }

    fn record(&self, rows: Vec<Delivery>, told: Vec<(IncidentId, Entry)>) -> Answered<'_, ()> {
        self.write(move |inner, life| {
            if inner.mutant == Some(Mutant::DeliverWithoutRecord) && inner.chance.permille(300) {
                return;
            }
            inner.note(life, Fact::Recorded { rows: rows.clone() });
            let database = &mut inner.database;
            put_back(database, rows);
            for (incident, entry) in told {
                if let Some((_, timeline)) = database.incidents.get_mut(&incident) {
                    timeline.push(entry);
                }
            }
        })
    }

    fn next_due(&self) -> Answered<'_, Option<Instant>> {
        self.read(|inner| {
            let deliveries = &inner.database.deliveries;
            let due = |chain: Vec<usize>| {
                let leases = chain.iter().filter_map(|index| deliveries[*index].leased_until);
                deliveries[chain[0]].delivery.due.max(leases.max().unwrap_or(Instant::ZERO))
            };
            chains(inner).into_values().map(due).min()
        })
    }

    fn list(&self, filter: DeliveryFilter) -> Answered<'_, Vec<DeliveryItem>> {
        self.read(move |inner| {
            let newest_first = inner.database.deliveries.iter().rev().map(|waiting| &waiting.delivery);
            newest_first
                .filter(|row| filter.state.is_none_or(|state| state == row.state))
                .filter_map(|row| Some(item(row, inner.database.event(row.event)?)))
                .filter(|item| matches(&filter, item))
                .take(filter.limit)
                .collect()
        })
    }

    fn backlog(&self) -> Answered<'_, (u64, Option<Instant>)> {
        self.read(|inner| {
            let waiting = || inner.database.waiting();
            (waiting().count() as u64, waiting().map(|waiting| waiting.delivery.created_at).min())
        })
    }

    fn abandon(&self, action: ActionRef, reason: String) -> Answered<'_, u64> {
        self.write(move |inner, _| {
            let rows = inner.database.deliveries.iter_mut();
            let waiting = rows.filter(|row| row.delivery.state == DeliveryState::Waiting);
            let mut count = 0;
            for row in waiting.filter(|row| row.delivery.action == action) {
                row.delivery.give_up(reason.clone());
                row.leased_until = None;
                count += 1;
            }
            count
        })
    }
}

fn route_one(inner: &mut Inner, routed: Routed) {
    let forgets = inner.mutant == Some(Mutant::RoutingNotOnce) && inner.chance.permille(500);
    let database = &mut inner.database;
    let Some(index) = database.event_index.get(&routed.event).copied() else { return };
    if std::mem::replace(&mut database.events[index].1, !forgets) {
        return;
    }
    for delivery in routed.deliveries {
        let known = database.delivery_index.get(&delivery.id).copied();
        match known.filter(|_| inner.mutant == Some(Mutant::RoutingNotOnce)) {
            Some(index) => database.deliveries[index] = Waiting::new(delivery),
            None => database.add_delivery(delivery),
        }
    }
}

/// The waiting rows of each chain, oldest first.
fn chains(inner: &Inner) -> BTreeMap<&str, Vec<usize>> {
    let mut chains: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let rows = inner.database.deliveries.iter().enumerate();
    for (index, row) in rows.filter(|(_, row)| row.delivery.state == DeliveryState::Waiting) {
        chains.entry(&row.delivery.chain).or_default().push(index);
    }
    if inner.mutant == Some(Mutant::ChainOrderIgnored) {
        chains.values_mut().for_each(|chain| chain.reverse());
    }
    chains
}

/// When the chain is due, if nobody has it.
fn free(inner: &Inner, chain: &[usize], now: Instant) -> Option<Instant> {
    let rows = &inner.database.deliveries;
    let leased = chain.iter().any(|index| rows[*index].leased_until.is_some_and(|until| until > now));
    (!leased).then(|| rows[chain[0]].delivery.due)
}

/// Leases a chain whole. An attempt that was begun and never recorded ends as unknown.
fn take(inner: &mut Inner, chain: Vec<usize>, now: Instant, until: Instant) -> Outgoing {
    let database = &mut inner.database;
    let mut rows = Vec::with_capacity(chain.len());
    for (place, index) in chain.into_iter().enumerate() {
        let row = &mut database.deliveries[index];
        if let Some(at) = row.sending_since.take() {
            let text = "the process ended before the answer was recorded".to_owned();
            let result = AttemptResult::Unknown;
            row.delivery.attempts.push(Attempt { at, took_ms: 0, result, status: 0, text });
        }
        row.sending_since = (place == 0).then_some(now);
        row.leased_until = Some(until);
        let delivery = row.delivery.clone();
        let event = database.event_index.get(&delivery.event).map(|event| database.events[*event].0.clone());
        rows.push((delivery, event.expect("a delivery is of an event that is stored")));
    }
    Outgoing { chain: rows }
}

/// Writes rows back and frees their chains.
fn put_back(database: &mut Database, rows: Vec<Delivery>) {
    for row in rows {
        let chain = row.chain.clone();
        if let Some(index) = database.delivery_index.get(&row.id) {
            database.deliveries[*index] = Waiting::new(row);
        }
        for other in database.deliveries.iter_mut().filter(|other| other.delivery.chain == chain) {
            (other.leased_until, other.sending_since) = (None, None);
        }
    }
}

fn item(row: &Delivery, event: &Event) -> DeliveryItem {
    DeliveryItem { delivery: row.clone(), event: event.clone(), action_name: row.action.to_string() }
}

fn matches(filter: &DeliveryFilter, item: &DeliveryItem) -> bool {
    let monitor = item.event.monitor.as_ref().map(|subject| subject.id);
    let incident = item.event.incident.as_ref().map(|facts| facts.id);
    let place = (item.delivery.created_at, item.delivery.id);
    (filter.monitor.is_none() || filter.monitor == monitor)
        && (filter.incident.is_none() || filter.incident == incident)
        && filter.before.is_none_or(|before| place < before)
}
