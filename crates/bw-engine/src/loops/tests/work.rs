//! Jobs become probes once, or outcomes of ours that say why not.

use super::*;
use bw_domain::limits::JOB_LEASE;
use bw_domain::outcome::Code;
use bw_testkit::builders::{job, pass, spec};
use serde_json::json;

const WORK: LoopName = LoopName::Work;

fn shop() -> Value {
    json!({"name": "Shop", "http": "http://shop.test/", "every": "10s", "timeout": "1s"})
}

fn world() -> World {
    let world = World::new();
    for id in 1..=9 {
        world.declare(id, 1, Duration::ZERO, &shop());
    }
    now(world.parts.services.catalog.refresh(&world.store.store())).expect("the store is there");
    world
}

fn publish(world: &World, jobs: &[Job]) {
    world.ports.lock().jobs.extend(jobs.iter().map(|job| (Lane::Planned, *job)));
}

fn codes(world: &World) -> Vec<&'static str> {
    world.parts.inbox.take(99).iter().map(|outcome| outcome.code.name()).collect()
}

fn job_of(id: i64, after: u64) -> Job {
    job(&spec(id, &shop()), START + Duration::from_secs(after))
}

#[test]
fn a_job_that_comes_twice_is_run_once() {
    let mut world = world();
    let one = job_of(1, 0);
    publish(&world, &[one, one]);
    world.ticks(&[WORK], 3);
    publish(&world, &[one]);
    world.ticks(&[WORK], 3);
    assert_eq!(world.ports.lock().started.len(), 1);
    world.ports.lock().finished.push(pass(one));
    world.ticks(&[WORK, WORK, LoopName::Judge], 2);
    assert_eq!(world.ports.lock().acked.len(), 3, "every lease is answered");
    assert_eq!(world.store.rows().outcomes.len(), 1);
}

#[test]
fn too_late_edited_paused_and_gone_are_outcomes_of_ours() {
    let mut world = world();
    world.declare(2, 2, Duration::ZERO, &shop());
    let mut paused = shop();
    paused["enabled"] = json!(false);
    world.declare(3, 2, Duration::ZERO, &paused);
    now(world.parts.services.catalog.refresh(&world.store.store())).expect("the store is there");
    world.pass(Duration::from_secs(30));
    publish(&world, &[job_of(1, 0), job_of(2, 30), job_of(3, 30), job_of(77, 30), job_of(4, 30)]);
    world.ticks(&[WORK], 2);
    assert_eq!(codes(&world), ["self.missed", "self.edited", "self.edited", "self.edited"]);
    assert_eq!(world.ports.lock().started.len(), 1);
}

#[test]
fn a_slot_before_an_edit_keeps_its_revision() {
    let mut world = world();
    world.declare(1, 2, Duration::from_secs(20), &shop());
    now(world.parts.services.catalog.refresh(&world.store.store())).expect("the store is there");
    publish(&world, &[job_of(1, 15), job_of(1, 25)]);
    world.ticks(&[WORK], 2);
    world.pass(Duration::from_secs(15));
    world.ticks(&[WORK], 2);
    assert_eq!(world.ports.lock().started[0].spec.revision, 1);
    world.pass(Duration::from_secs(10));
    world.ticks(&[WORK], 2);
    assert_eq!(codes(&world), [Code::SELF_EDITED.name()]);
}

#[test]
fn a_revision_that_is_not_here_yet_is_read() {
    let mut world = world();
    world.declare(1, 2, Duration::ZERO, &shop());
    publish(&world, &[Job { revision: 2, ..job_of(1, 0) }]);
    world.ticks(&[WORK], 2);
    assert_eq!(world.ports.lock().started[0].spec.revision, 2);
}

/// Running, and waiting in the queue.
fn counts(world: &World) -> (usize, usize) {
    let around = world.ports.lock();
    (around.started.len(), around.jobs.len())
}

#[test]
fn no_more_is_received_than_can_be_run() {
    let mut world = world();
    world.ports.lock().room = 2;
    publish(&world, &[job_of(1, 0), job_of(2, 0), job_of(3, 0)]);
    world.ticks(&[WORK], 4);
    assert_eq!(counts(&world), (2, 1));
    world.ports.lock().started.clear();
    world.ticks(&[WORK], 3);
    assert_eq!(counts(&world), (1, 0));
}

#[test]
fn what_takes_long_stays_ours() {
    let mut world = world();
    publish(&world, &[job_of(1, 0)]);
    world.ticks(&[WORK], 2);
    for _ in 0..12 {
        world.pass(JOB_LEASE / 6);
        world.ticks(&[WORK], 1);
    }
    assert!(world.ports.lock().extended.len() >= 4, "{}", world.ports.lock().extended.len());
}

#[test]
fn at_the_end_what_runs_is_waited_for() {
    let mut world = world();
    let one = job_of(1, 0);
    publish(&world, &[one]);
    world.ticks(&[WORK], 2);
    assert!(once(world.find(WORK).stop()).is_none(), "it waits for the probe");
    world.ports.lock().finished.push(pass(one));
    now(world.find(WORK).stop());
    assert_eq!(world.parts.inbox.waiting(), 1);
}

#[test]
fn a_job_of_later_waits_here_and_is_given_back_at_the_end() {
    let mut world = world();
    publish(&world, &[job_of(1, 0), job_of(2, 2)]);
    world.ticks(&[WORK], 3);
    let started =
        |world: &World| world.ports.lock().started.iter().map(|one| one.job.monitor.0).collect::<Vec<_>>();
    assert_eq!(started(&world), [1]);
    world.pass(Duration::from_secs(1));
    world.ticks(&[WORK], 2);
    assert_eq!(started(&world), [1]);
    publish(&world, &[job_of(3, 5)]);
    world.pass(Duration::from_millis(950));
    world.ticks(&[WORK], 2);
    assert_eq!(started(&world), [1, 2]);
    world.ports.lock().finished.extend([pass(job_of(1, 0)), pass(job_of(2, 2))]);
    now(world.find(WORK).stop());
    assert_eq!(world.ports.lock().released.len(), 1);
}
