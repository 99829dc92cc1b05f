//! From outcomes to decisions: in order, at once, acknowledged after the commit, kept while the store is away.

use super::*;
use bw_domain::monitor::Spec;
use bw_domain::outcome::Code;
use bw_domain::port::queue::Leased;
use bw_testkit::builders::{fail, inconclusive, job, pass, spec};
use serde_json::json;

const JUDGE: LoopName = LoopName::Judge;

fn shop() -> Value {
    json!({"name": "Shop", "http": "http://shop.test/", "every": "10s", "timeout": "1s"})
}

fn world(monitors: i64) -> (World, Vec<Spec>) {
    let world = World::new();
    for id in 1..=monitors {
        world.declare(id, 1, Duration::ZERO, &shop());
    }
    now(world.parts.services.catalog.refresh(&world.store.store())).expect("the store is there");
    (world, (1..=monitors).map(|id| spec(id, &shop())).collect())
}

fn slot(n: u32) -> Instant {
    START + Duration::from_secs(10) * n
}

/// Received by `work`, and finished.
fn finish(world: &World, outcomes: Vec<Outcome>) {
    let mut around = world.ports.lock();
    let mut leased = Vec::new();
    for outcome in &outcomes {
        around.leases += 1;
        leased.push(Leased { job: outcome.job, lease: Lease(Box::new(around.leases.to_le_bytes())) });
    }
    drop(around);
    world.parts.inbox.begin(leased, Duration::ZERO);
    world.parts.inbox.finish(outcomes);
}

fn judge_all(world: &mut World) {
    while world.tick(JUDGE) == Next::Now {}
}

#[test]
fn a_batch_is_one_commit_and_one_monitor_goes_in_order() {
    let (mut world, specs) = world(3);
    let mut outcomes: Vec<Outcome> = specs.iter().map(|spec| pass(job(spec, slot(1)))).collect();
    outcomes.push(pass(job(&specs[0], slot(2))));
    outcomes.push(fail(job(&specs[0], slot(3)), Code::CONNECT_REFUSED));
    finish(&world, outcomes);
    judge_all(&mut world);
    let rows = world.store.rows();
    let commits = rows.calls.iter().filter(|call| **call == "commit").count();
    assert_eq!((rows.outcomes.len(), commits), (5, 3), "three rounds: the first monitor has three outcomes");
    let cell = &rows.states[&MonitorId(1)].0.cells[0];
    assert_eq!((cell.slot, cell.streak), (slot(3), -1));
    assert_eq!(world.ports.lock().acked.len(), 5);
    assert_eq!(world.parts.inbox.under_way(), 0);
}

#[test]
fn a_conflict_is_decided_again_before_what_came_later() {
    let (mut world, specs) = world(1);
    world.store.rows().conflicts = 1;
    finish(&world, vec![pass(job(&specs[0], slot(1))), fail(job(&specs[0], slot(2)), Code::CONNECT_REFUSED)]);
    for _ in 0..4 {
        world.tick(JUDGE);
    }
    let rows = world.store.rows();
    assert_eq!(rows.states[&MonitorId(1)].0.cells[0].slot, slot(2));
    assert_eq!(rows.outcomes.len(), 2);
}

#[test]
fn while_the_store_is_away_nothing_is_acknowledged_and_nothing_lost() {
    let (mut world, specs) = world(2);
    finish(&world, specs.iter().map(|spec| pass(job(spec, slot(1)))).collect());
    world.store.rows().away = true;
    for _ in 0..3 {
        assert!(matches!(world.tick(JUDGE), Next::At(at) if at > world.now()));
    }
    assert!(world.ports.lock().acked.is_empty() && world.parts.services.vitals.store_away().is_some());
    world.store.rows().away = false;
    judge_all(&mut world);
    assert_eq!((world.ports.lock().acked.len(), world.store.rows().outcomes.len()), (2, 2));
    assert!(world.parts.services.vitals.store_away().is_none());
}

#[test]
fn duplicates_and_monitors_that_are_gone_are_acknowledged() {
    let (mut world, specs) = world(2);
    finish(&world, vec![pass(job(&specs[0], slot(1)))]);
    judge_all(&mut world);
    let mut deleted = bw_testkit::builders::revision(2, 2, START, &shop());
    deleted.declared = None;
    world.store.rows().revisions.push(deleted);
    finish(&world, vec![fail(job(&specs[0], slot(1)), Code::CONNECT_REFUSED), pass(job(&specs[1], slot(1)))]);
    judge_all(&mut world);
    assert_eq!(world.ports.lock().acked.len(), 3);
    let rows = world.store.rows();
    assert_eq!(rows.outcomes.len(), 1);
    assert_eq!(rows.states[&MonitorId(1)].0.cells[0].streak, 1, "the first one wins");
}

#[test]
fn incidents_of_one_batch_have_ids_of_their_own() {
    let (mut world, specs) = world(4);
    for number in 1..=2 {
        finish(
            &world,
            specs.iter().map(|spec| fail(job(spec, slot(number)), Code::CONNECT_REFUSED)).collect(),
        );
        judge_all(&mut world);
    }
    let rows = world.store.rows();
    assert_eq!(rows.incidents.len(), 4);
    let of: BTreeSet<_> = rows.states.values().map(|(_, state)| state.incident).collect();
    assert_eq!(of.len(), 4);
    assert!(world.ports.lock().notified.contains(&Topic::Events));
}

#[test]
fn our_own_trouble_moves_nobody_down() {
    let (mut world, specs) = world(1);
    finish(&world, (1..=2).map(|n| pass(job(&specs[0], slot(n)))).collect());
    judge_all(&mut world);
    finish(&world, (3..=9).map(|n| inconclusive(job(&specs[0], slot(n)), Code::SELF_BLIND)).collect());
    judge_all(&mut world);
    assert_eq!(world.health(1), "UP");
    assert!(world.store.rows().incidents.is_empty());
}

#[test]
fn what_is_left_is_judged_at_the_end() {
    let (mut world, specs) = world(1);
    finish(&world, (1..=3).map(|n| pass(job(&specs[0], slot(n)))).collect());
    now(world.find(JUDGE).stop());
    assert_eq!(world.store.rows().outcomes.len(), 3);
}
