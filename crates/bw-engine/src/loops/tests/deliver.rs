//! What is told, how often, and what is written down of it.

use super::*;
use bw_domain::action::ActionRef;
use bw_domain::delivery::{Delivery, DeliveryState};
use bw_domain::event::EventKind;
use bw_testkit::builders::event;
use serde_json::json;

const DELIVER: LoopName = LoopName::Deliver;
const S: Duration = Duration::from_secs(1);

/// An event of a monitor on its way to an action.
fn put(world: &World, number: u64, action: i64, monitor: i64) -> Delivery {
    let mut event = event(number, EventKind::IncidentOpened, MonitorId(monitor));
    event.at = world.now();
    let row = Delivery::new(&event, ActionRef::Declared(ActionId(action)));
    let mut rows = world.store.rows();
    rows.events.push((event, true));
    rows.order.push(row.id);
    rows.deliveries.insert(row.id, (row.clone(), Instant::ZERO));
    row
}

fn row(world: &World, delivery: &Delivery) -> Delivery {
    world.store.rows().deliveries[&delivery.id].0.clone()
}

fn run(world: &mut World, seconds: u32) {
    for _ in 0..seconds {
        world.ticks(&[DELIVER], 4);
        world.pass(S);
    }
}

#[test]
fn a_chain_goes_out_in_order_and_each_row_once() {
    let mut world = World::new();
    world.action(1, "http://a.test/");
    let (first, second) = (put(&world, 1, 1, 5), put(&world, 2, 1, 5));
    run(&mut world, 3);
    let sent: Vec<_> = world.ports.lock().dispatched.iter().map(|dispatch| dispatch.delivery).collect();
    assert_eq!(sent, [first.id, second.id]);
    assert!([&first, &second].iter().all(|one| row(&world, one).state == DeliveryState::Sent));
}

#[test]
fn a_late_chain_is_told_together() {
    let mut world = World::new();
    world.action(1, "http://a.test/");
    world.ports.lock().sinks.insert("http://a.test/".to_owned(), AttemptResult::Retry);
    let first = put(&world, 1, 1, 5);
    run(&mut world, 4);
    let second = put(&world, 2, 1, 5);
    run(&mut world, 20);
    assert!(row(&world, &second).attempts.iter().all(|attempt| attempt.result == AttemptResult::Retry));
    world.ports.lock().sinks.clear();
    run(&mut world, 60);
    let (first, second) = (row(&world, &first), row(&world, &second));
    assert_eq!((first.state, second.state), (DeliveryState::Dead, DeliveryState::Sent));
    assert_eq!(first.reason, format!("merged into {}", second.id));
    let around = world.ports.lock();
    let last = around.dispatched.last().expect("it was sent");
    assert_eq!((last.delivery, last.merged.len()), (second.id, 1));
    assert_eq!(last.merged[0].summary, "event 1");
    drop(around);
    assert!(!world.store.rows().events.iter().any(|(event, _)| event.kind == EventKind::DeliveryDead));
}

#[test]
fn a_sick_sink_delays_no_other() {
    let mut world = World::new();
    world.action(1, "http://sick.test/");
    world.action(2, "http://well.test/");
    world.ports.lock().hanging.insert("http://sick.test/".to_owned());
    for number in 0..200 {
        put(&world, number, 1, number as i64);
    }
    world.pass(S);
    let well: Vec<Delivery> = (500..510).map(|number| put(&world, number, 2, number as i64)).collect();
    run(&mut world, 12);
    let sent = well.iter().filter(|one| row(&world, one).state == DeliveryState::Sent).count();
    assert_eq!(sent, 10);
    let around = world.ports.lock();
    let sick = around
        .dispatched
        .iter()
        .filter(|dispatch| dispatch.event.monitor.as_ref().is_some_and(|of| of.id.0 < 500));
    let sick = sick.count();
    assert!(sick <= 16, "{sick} attempts at once at the sick one");
}

#[test]
fn a_refusal_ends_it_marks_the_action_and_is_an_event_of_its_own() {
    let mut world = World::new();
    world.action(1, "http://a.test/");
    world.ports.lock().sinks.insert("http://a.test/".to_owned(), AttemptResult::Refused);
    let delivery = put(&world, 1, 1, 5);
    run(&mut world, 3);
    assert_eq!(row(&world, &delivery).state, DeliveryState::Dead);
    assert_eq!(world.store.rows().actions[0].broken, "status 503");
    let dead = |world: &World| {
        let rows = world.store.rows();
        rows.events.iter().filter(|(event, _)| event.kind == EventKind::DeliveryDead).count()
    };
    assert_eq!(dead(&world), 1);

    let about = world.store.rows().events.last().map(|(event, _)| event.clone()).expect("it is there");
    let row = Delivery::new(&about, ActionRef::Declared(ActionId(1)));
    world.store.rows().order.push(row.id);
    world.store.rows().deliveries.insert(row.id, (row, Instant::ZERO));
    run(&mut world, 3);
    assert_eq!(dead(&world), 1, "never about a message about a message");

    world.ports.lock().sinks.clear();
    now(world.parts.services.catalog.refresh(&world.store.store())).expect("the store is there");
    world.store.rows().revisions.push(bw_testkit::builders::revision(
        1,
        1,
        START,
        &json!({"name": "x", "tcp": "x.test:1"}),
    ));
    now(world.parts.services.catalog.refresh(&world.store.store())).expect("the store is there");
    put(&world, 2, 1, 5);
    run(&mut world, 3);
    assert_eq!(world.store.rows().actions[0].broken, "", "it works again");
}

#[test]
fn what_cannot_be_written_down_is_not_sent_again() {
    let mut world = World::new();
    world.action(1, "http://a.test/");
    let delivery = put(&world, 1, 1, 5);
    world.tick(DELIVER);
    world.store.rows().full = true;
    run(&mut world, 5);
    assert_eq!(row(&world, &delivery).state, DeliveryState::Waiting);
    // Its lease ends while nothing can be written.
    world.pass(S * 90);
    world.store.rows().full = false;
    run(&mut world, 5);
    assert_eq!(row(&world, &delivery).state, DeliveryState::Sent);
    assert_eq!(world.ports.lock().dispatched.len(), 1);
}

#[test]
fn an_action_that_is_no_more_ends_its_deliveries() {
    let mut world = World::new();
    let delivery = put(&world, 1, 9, 5);
    run(&mut world, 2);
    let row = row(&world, &delivery);
    assert_eq!((row.state, row.reason.as_str()), (DeliveryState::Dead, "action:9 is no more"));
}

#[test]
fn at_the_end_what_is_on_its_way_is_written_down() {
    let mut world = World::new();
    world.action(1, "http://a.test/");
    let delivery = put(&world, 1, 1, 5);
    now(world.find(DELIVER).tick());
    now(world.find(DELIVER).stop());
    assert_eq!(row(&world, &delivery).state, DeliveryState::Sent);
}
