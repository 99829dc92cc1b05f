//! All loops together: a target fails, somebody is told once, it recovers, somebody is told again.

use super::*;
use bw_domain::delivery::DeliveryState;
use bw_domain::event::EventKind;
use bw_domain::outcome::Code;
use bw_testkit::builders::{fail, pass};
use serde_json::json;

/// Every loop ticks, and probes end as the target is.
fn run(world: &mut World, seconds: u32, down: bool) {
    for _ in 0..seconds * 4 {
        world.pass(Duration::from_millis(250));
        world.ticks(&LoopName::ALL, 3);
        let started = std::mem::take(&mut world.ports.lock().started);
        let end = |job: Job| if down { fail(job, Code::CONNECT_REFUSED) } else { pass(job) };
        world.ports.lock().finished.extend(started.into_iter().map(|assignment| end(assignment.job)));
        world.ticks(&LoopName::ALL, 3);
    }
}

fn kinds(world: &World) -> Vec<EventKind> {
    world.store.rows().events.iter().map(|(event, _)| event.kind).collect()
}

#[test]
fn down_and_up_are_told_once_each() {
    let mut world = World::new();
    world.action(1, "http://ops.test/");
    world.declare(1, 1, Duration::ZERO, &json!({
        "name": "Shop", "http": "http://shop.test/", "every": "10s", "timeout": "1s", "webhook_url": "http://own.test/",
    }));
    run(&mut world, 40, false);
    assert_eq!((world.health(1), kinds(&world)), ("UP", vec![EventKind::MonitorChanged]));
    assert!(world.ports.lock().dispatched.is_empty(), "the first UP is silent");

    run(&mut world, 10 + 5 + 3, true);
    assert_eq!(world.health(1), "DOWN");
    run(&mut world, 30, true);
    let told = |world: &World| -> Vec<(bool, EventKind)> {
        let around = world.ports.lock();
        around.dispatched.iter().map(|dispatch| (dispatch.five_lines, dispatch.event.kind)).collect()
    };
    let mut down = told(&world);
    down.sort_by_key(|(own, _)| *own);
    assert_eq!(down, [(false, EventKind::IncidentOpened), (true, EventKind::MonitorChanged)]);

    run(&mut world, 40, false);
    assert_eq!(world.health(1), "UP");
    assert_eq!(told(&world).len(), 4);
    let rows = world.store.rows();
    assert!(rows.deliveries.values().all(|(row, _)| row.state == DeliveryState::Sent));
    assert!(rows.told.iter().any(|(_, entry)| entry.text.starts_with("action 1 was told: ")));
    assert_eq!(rows.incidents.len(), 1);
    assert!(rows.outcomes.values().all(|outcome| !outcome.code.is_ours()), "no slot came to nothing");
}

#[test]
fn a_crash_in_the_middle_of_a_failure_is_one_incident() {
    let mut world = World::new();
    world.action(1, "http://ops.test/");
    world.declare(
        1,
        1,
        Duration::ZERO,
        &json!({
            "name": "Shop", "http": "http://shop.test/", "every": "10s", "timeout": "1s",
        }),
    );
    run(&mut world, 40, false);
    for _ in 0..6 {
        run(&mut world, 7, true);
        world = world.killed();
    }
    run(&mut world, 40, true);
    assert_eq!(world.health(1), "DOWN");
    assert_eq!(world.store.rows().incidents.len(), 1);
    let opened = world
        .ports
        .lock()
        .dispatched
        .iter()
        .filter(|one| one.event.kind == EventKind::IncidentOpened)
        .count();
    assert_eq!(opened, 1);
}
