//! `Deliveries`: the outbox and the ledger.

use super::Installation;
use super::rig::{Rig, plain};
use crate::builders::event;
use bw_domain::action::{Action, ActionKind, ActionRef};
use bw_domain::delivery::{Attempt, AttemptResult, Delivery, DeliveryState, Receipt};
use bw_domain::event::{Event, EventKind};
use bw_domain::id::{ActionId, MonitorId};
use bw_domain::incident::{Entry, EntryKind};
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{Applied, DeliveryFilter, EditKind, Outgoing, Routed};
use bw_domain::time::{Duration, Instant};
use serde_json::json;

const TO: ActionRef = ActionRef::MonitorWebhook(MonitorId(7));
const LEASE: Duration = Duration::from_secs(60);

/// An event of a monitor, so many seconds after now.
fn later(rig: &Rig<'_>, number: u64, monitor: i64, seconds: u64) -> Event {
    let at = rig.clock().now() + Duration::from_secs(seconds);
    Event { at, ..event(number, EventKind::MonitorChanged, MonitorId(monitor)) }
}

/// Writes events and their deliveries to one action.
async fn send(rig: &Rig<'_>, events: &[Event], to: ActionRef) -> Vec<Delivery> {
    rig.store.deliveries.raise(events.to_vec()).await.expect("the store is there");
    let deliveries: Vec<Delivery> = events.iter().map(|event| Delivery::new(event, to)).collect();
    let routed = deliveries
        .iter()
        .map(|delivery| Routed {
            event: delivery.event,
            deliveries: vec![delivery.clone()],
            reasons: json!([{"action": to.to_string(), "send": true, "reason": "a test"}]),
        })
        .collect();
    rig.store.deliveries.route(routed).await.expect("the store is there");
    deliveries
}

async fn lease(rig: &Rig<'_>, now: Instant) -> Vec<Outgoing> {
    rig.store.deliveries.lease(now, now + LEASE, 99).await.expect("the store is there")
}

async fn record(rig: &Rig<'_>, rows: Vec<Delivery>) {
    rig.store.deliveries.record(rows, vec![]).await.expect("the store is there");
}

async fn next_due(rig: &Rig<'_>) -> Option<Instant> {
    rig.store.deliveries.next_due().await.expect("the store is there")
}

fn attempt(at: Instant, result: AttemptResult) -> Receipt {
    let attempt = Attempt { at, took_ms: 12, result, status: 200, text: "ok".to_owned() };
    Receipt { attempt, retry_after: None }
}

fn ids(outgoing: &Outgoing) -> Vec<Delivery> {
    outgoing.chain.iter().map(|(delivery, _)| delivery.clone()).collect()
}

pub async fn an_event_is_written_once(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let events: Vec<_> = (0..5).map(|n| later(&rig, n, 7, 5 - n)).collect();
    rig.store.deliveries.raise(events[..3].to_vec()).await.expect("the store is there");
    rig.store.deliveries.raise(events.clone()).await.expect("the store is there");
    let rig = rig.kill().await;
    // In the order in which they were written, whatever their instants say.
    let seen = rig.store.deliveries.unrouted(99).await.expect("the store is there");
    assert_eq!(seen, events);
    assert_eq!(rig.store.deliveries.unrouted(2).await.expect("the store is there"), events[..2]);
}

pub async fn an_event_is_routed_once(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let event = later(&rig, 1, 7, 0);
    let sent = send(&rig, std::slice::from_ref(&event), TO).await;
    assert!(rig.store.deliveries.unrouted(9).await.expect("the store is there").is_empty());
    // Another node routes it again, and differently.
    send(&rig, std::slice::from_ref(&event), ActionRef::Declared(ActionId(3))).await;
    let rig = rig.kill().await;
    let out = lease(&rig, event.at).await;
    assert_eq!(out.len(), 1);
    assert_eq!(out[0].chain, [(sent[0].clone(), event)]);
}

pub async fn a_chain_goes_out_in_order(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let now = rig.clock().now();
    // Routed out of order, as two nodes may; and another chain beside it.
    let events: Vec<_> = [3, 1, 2].into_iter().map(|n| later(&rig, n, 7, n)).collect();
    send(&rig, &events, TO).await;
    send(&rig, &[later(&rig, 9, 8, 0)], TO).await;
    assert_eq!(next_due(&rig).await, Some(now));
    let out = lease(&rig, now + Duration::from_secs(1)).await;
    assert_eq!(out.iter().map(|out| out.chain.len()).collect::<Vec<_>>(), [1, 3]);
    let order: Vec<_> = out[1].chain.iter().map(|(delivery, _)| delivery.created_at).collect();
    assert!(order.is_sorted());

    // The oldest is sent: the next is due.
    let mut first = out[1].chain[0].0.clone();
    first.record(attempt(now, AttemptResult::Sent), now, 0);
    record(&rig, vec![first]).await;
    let out = lease(&rig, now + Duration::from_secs(5)).await;
    assert_eq!(out.len(), 1, "the other chain is still leased");
    assert_eq!(out[0].chain.len(), 2);
    // A message that says all absorbs the one before it.
    let rows = ids(&out[0]).into_iter().map(|mut delivery| {
        delivery.state = DeliveryState::Sent;
        delivery.reason = "merged".to_owned();
        delivery
    });
    record(&rig, rows.collect()).await;
    assert!(lease(&rig, now + Duration::from_secs(6)).await.is_empty());
}

pub async fn what_is_leased_is_leased_once(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let now = rig.clock().now();
    for n in 0..5 {
        send(&rig, &[later(&rig, n, 10 + n as i64, n)], TO).await;
    }
    let two = rig.store.deliveries.lease(now + Duration::from_secs(9), now + LEASE, 2).await;
    let two = two.expect("the store is there");
    let longest: Vec<_> = two.iter().map(|out| out.chain[0].0.created_at).collect();
    assert_eq!(longest, [now, now + Duration::from_secs(1)], "what is due longest goes first");
    assert_eq!(lease(&rig, now + Duration::from_secs(9)).await.len(), 3);
    assert!(lease(&rig, now + Duration::from_secs(9)).await.is_empty());
    assert_eq!(next_due(&rig).await, Some(now + LEASE));
    assert_eq!(rig.store.deliveries.backlog().await.expect("the store is there"), (5, Some(now)));
}

pub async fn an_attempt_that_failed_comes_again(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let now = rig.clock().now();
    send(&rig, &[later(&rig, 1, 7, 0), later(&rig, 2, 7, 1)], TO).await;
    send(&rig, &[later(&rig, 3, 8, 0)], TO).await;
    let mut out = lease(&rig, now).await;
    out.sort_by_key(|out| std::cmp::Reverse(out.chain.len()));
    assert_eq!(out.len(), 2);
    // One sink is sick: its chain waits, the other goes on.
    let mut sick = out.remove(0).chain.remove(0).0;
    sick.record(attempt(now, AttemptResult::Retry), now, 200);
    record(&rig, vec![sick.clone()]).await;
    let mut well = out.remove(0).chain.remove(0).0;
    well.record(attempt(now, AttemptResult::Sent), now, 0);
    record(&rig, vec![well]).await;
    assert!(sick.due > now);
    assert_eq!(next_due(&rig).await, Some(sick.due));
    assert!(lease(&rig, now + Duration::from_millis(1)).await.is_empty(), "what follows does not overtake");
    let rig = rig.kill().await;
    let again = lease(&rig, sick.due).await;
    assert_eq!(again[0].chain[0].0, sick);
    assert_eq!(again[0].chain.len(), 2);
    // Given up, it makes way.
    sick.give_up("no sink");
    record(&rig, vec![sick]).await;
    assert_eq!(lease(&rig, now + LEASE).await[0].chain.len(), 1);
}

pub async fn an_attempt_that_was_cut_off_is_unknown(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let now = rig.clock().now();
    send(&rig, &[later(&rig, 1, 7, 0)], TO).await;
    assert_eq!(lease(&rig, now).await.len(), 1);
    // The process dies: what it had under way is due for the next one, at once or when the lease ends, and stands in
    // the ledger.
    let rig = rig.kill().await;
    let soon = now + Duration::from_secs(1);
    let free = if at.is_shared() { now + LEASE } else { soon };
    match at.is_shared() {
        true => {
            assert_eq!(next_due(&rig).await, Some(free));
            assert!(lease(&rig, soon).await.is_empty());
        }
        false => assert!(next_due(&rig).await <= Some(now)),
    }
    let again = lease(&rig, free).await;
    let attempts = &again[0].chain[0].0.attempts;
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].at, attempts[0].result), (now, AttemptResult::Unknown));
    // The same when a lease ends without a record.
    let third = lease(&rig, free + LEASE).await;
    assert_eq!(third[0].chain[0].0.attempts.len(), 2);
    let mut row = third[0].chain[0].0.clone();
    row.record(attempt(now, AttemptResult::Sent), now, 0);
    record(&rig, vec![row.clone()]).await;
    let filter = DeliveryFilter { limit: 9, ..DeliveryFilter::default() };
    let ledger = rig.store.deliveries.list(filter).await.expect("the store is there");
    assert_eq!(ledger[0].delivery, row);
}

pub async fn lists_are_newest_first(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let ops = Action {
        id: ActionId(0),
        name: "ops".to_owned(),
        owner: None,
        kind: ActionKind::Log,
        broken: String::new(),
    };
    let applied = rig.apply(vec![plain(EditKind::PutAction(Box::new(ops)))]).await;
    let Applied::Action(ops) = applied[0] else { panic!("an edit of an action") };
    let mut events = Vec::new();
    for n in 0..9 {
        events.push(later(&rig, n, 7 + n as i64 % 2, n / 3));
    }
    send(&rig, &events[..8], TO).await;
    send(&rig, &events[8..], ActionRef::Declared(ops)).await;
    rig.apply(vec![plain(EditKind::DeleteAction(ops))]).await;

    let list = |filter: DeliveryFilter| {
        let store = rig.store.clone();
        async move { store.deliveries.list(filter).await.expect("the store is there") }
    };
    let every = DeliveryFilter { limit: 99, ..DeliveryFilter::default() };
    let all = list(every.clone()).await;
    assert_eq!(all.len(), 9);
    assert!(all.is_sorted_by_key(|item| std::cmp::Reverse((item.delivery.created_at, item.delivery.id))));
    // The names outlive what they name.
    let name = |item: &bw_domain::port::store::DeliveryItem| item.action_name.clone();
    assert!(all.iter().any(|item| name(item) == "ops"));
    assert!(all.iter().any(|item| name(item) == "webhook of Monitor 7"));

    let mut paged = Vec::new();
    let mut before = None;
    loop {
        let page = list(DeliveryFilter { before, limit: 2, ..every.clone() }).await;
        let Some(last) = page.last() else { break };
        before = Some((last.delivery.created_at, last.delivery.id));
        paged.extend(page);
    }
    assert_eq!(paged, all);
    assert_eq!(list(DeliveryFilter { monitor: Some(MonitorId(8)), ..every.clone() }).await.len(), 4);
    let sent = DeliveryFilter { state: Some(DeliveryState::Sent), ..every.clone() };
    assert!(list(sent).await.is_empty());
    let waiting =
        DeliveryFilter { state: Some(DeliveryState::Waiting), monitor: Some(MonitorId(7)), ..every };
    assert_eq!(list(waiting).await.len(), 5);
}

pub async fn what_the_heartbeat_service_tells_at_a_time_is_one_chain(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let pulse = |rig: &Rig<'_>, number: u64, seconds: u64| {
        let kind = if number == 2 { EventKind::PulseRecovered } else { EventKind::PulseOverdue };
        Event { kind, ..later(rig, number, number as i64, seconds) }
    };
    let events = [pulse(&rig, 1, 0), pulse(&rig, 2, 0), pulse(&rig, 3, 1)];
    let sent = send(&rig, &events, ActionRef::HeartbeatService).await;
    let now = rig.clock().now() + Duration::from_secs(1);
    let mut chains: Vec<Vec<Delivery>> = lease(&rig, now).await.iter().map(ids).collect();
    chains.sort_by_key(Vec::len);
    assert_eq!(chains, [vec![sent[2].clone()], sent[..2].to_vec()]);
    let mut rows = chains.concat();
    for row in &mut rows {
        row.record(attempt(now, AttemptResult::Sent), now, 0);
    }
    record(&rig, rows).await;
    let rig = rig.kill().await;
    let filter = DeliveryFilter { monitor: Some(MonitorId(2)), limit: 9, ..DeliveryFilter::default() };
    let seen = rig.store.deliveries.list(filter).await.expect("the store is there").remove(0);
    assert_eq!((seen.delivery.id, seen.delivery.state), (sent[1].id, DeliveryState::Sent));
    assert_eq!((seen.action_name.as_str(), &seen.event), ("heartbeat_service", &events[1]));
    // Without an address nobody can be told.
    send(&rig, &[pulse(&rig, 4, 0)], ActionRef::HeartbeatService).await;
    let ended = rig.store.deliveries.abandon(ActionRef::HeartbeatService, "it is no more".to_owned()).await;
    assert_eq!(ended.expect("the store is there"), 1);
}

pub async fn what_waits_for_an_action_that_is_gone_is_abandoned(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let now = rig.clock().now();
    send(&rig, &[later(&rig, 1, 7, 0), later(&rig, 2, 7, 0)], TO).await;
    send(&rig, &[later(&rig, 3, 7, 0)], ActionRef::Declared(ActionId(3))).await;
    let gone = rig.store.deliveries.abandon(TO, "the action was removed".to_owned()).await;
    assert_eq!(gone.expect("the store is there"), 2);
    assert_eq!(lease(&rig, now).await.len(), 1);
    let filter = DeliveryFilter { state: Some(DeliveryState::Dead), limit: 9, ..DeliveryFilter::default() };
    let dead = rig.store.deliveries.list(filter).await.expect("the store is there");
    assert!(dead.len() == 2 && dead.iter().all(|item| item.delivery.reason == "the action was removed"));
    assert_eq!(rig.store.deliveries.backlog().await.expect("the store is there"), (1, Some(now)));
}

pub async fn timelines_hear_of_deliveries(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (_, incident) = rig.down("Shop").await;
    let now = rig.clock().now() + Duration::from_secs(60);
    let mut sent = send(&rig, &[later(&rig, 1, 7, 0)], TO).await;
    sent[0].record(attempt(now, AttemptResult::Sent), now, 0);
    let entry = Entry::new(now, EntryKind::Told, "Slack was told");
    rig.store.deliveries.record(sent, vec![(incident, entry.clone())]).await.expect("the store is there");
    let rig = rig.kill().await;
    let stored = rig.store.incidents.get(incident).await.expect("the store is there").expect("it is there");
    assert_eq!(stored.1.last(), Some(&entry));
}
