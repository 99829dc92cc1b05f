//! What time demands: timers, and an outcome for every slot.

use super::*;
use bw_domain::outcome::Verdict;
use bw_testkit::builders::{fail, job, pass, spec};
use serde_json::json;

const SWEEP: LoopName = LoopName::Sweep;
const S: Duration = Duration::from_secs(1);

fn shop() -> Value {
    json!({"name": "Shop", "http": "http://shop.test/", "every": "10s", "timeout": "1s"})
}

/// Monitor 1, planned for a minute, and what its slots were.
fn planned() -> (World, Vec<Job>) {
    let mut world = World::new();
    world.declare(1, 1, Duration::ZERO, &shop());
    world.ready_to_plan();
    for _ in 0..120 {
        world.pass(S / 2);
        world.ticks(&[LoopName::Lease, LoopName::Plan, LoopName::Plan], 1);
    }
    let jobs: Vec<Job> = world.ports.lock().jobs.drain(..).map(|(_, job)| job).collect();
    (world, jobs)
}

fn account(world: &mut World) {
    for _ in 0..5 {
        world.tick(LoopName::Lease);
        world.ticks(&[SWEEP], 70);
        world.pass(S * 2);
    }
    world.tick(LoopName::Lease);
}

fn judge(world: &mut World, outcomes: Vec<Outcome>) {
    world.parts.inbox.finish(outcomes);
    world.ticks(&[LoopName::Judge], 12);
}

#[test]
fn slots_that_came_to_nothing_are_lost_and_others_are_left_alone() {
    let (mut world, jobs) = planned();
    judge(&mut world, vec![pass(jobs[0]), pass(jobs[2])]);
    world.pass(S * 40);
    account(&mut world);
    let rows = world.store.rows();
    let verdicts: Vec<&str> = jobs.iter().map(|job| rows.outcomes[&job.key()].code.name()).collect();
    assert_eq!(verdicts, ["ok", "self.lost", "ok", "self.lost", "self.lost", "self.lost"]);
    assert_eq!(rows.outcomes.len(), jobs.len());
    assert!(rows.marks[&1].accounted >= jobs[5].slot && rows.marks[&1].accounted <= rows.marks[&1].published);
}

#[test]
fn the_mark_stops_before_a_slot_that_may_still_be_answered() {
    let (mut world, jobs) = planned();
    judge(&mut world, jobs[..3].iter().map(|job| pass(*job)).collect());
    let leased =
        jobs[3..].iter().map(|job| bw_domain::port::queue::Leased { job: *job, lease: Lease(Box::new([9])) });
    world.parts.inbox.begin(leased.collect(), Duration::ZERO);
    world.pass(S * 300);
    account(&mut world);
    {
        let rows = world.store.rows();
        assert_eq!(rows.outcomes.len(), 3, "this process still runs the others");
        let accounted = rows.marks[&1].accounted;
        assert!(accounted >= jobs[2].slot && accounted < jobs[3].slot, "{accounted}");
    }
    judge(&mut world, jobs[3..].iter().map(|job| pass(*job)).collect());
    account(&mut world);
    let rows = world.store.rows();
    assert!(rows.marks[&1].accounted >= jobs[5].slot);
    assert!(rows.outcomes.values().all(|outcome| outcome.verdict == Verdict::Pass));
}

#[test]
fn a_repeat_is_handed_over_before_its_timer_is_gone() {
    let (mut world, jobs) = planned();
    let code = bw_domain::outcome::Code::CONNECT_REFUSED;
    judge(&mut world, vec![fail(jobs[5], code)]);
    world.pass(S * 6);
    world.ports.lock().queue_full = true;
    world.ticks(&[SWEEP], 3);
    assert!(world.ports.lock().jobs.is_empty());
    let open = world.store.rows().states[&MonitorId(1)].1.round.clone().expect("the round is open");
    assert!(!open.asked[0].published, "the queue did not take it, so it is still to be asked");
    world.ports.lock().queue_full = false;
    world.ticks(&[SWEEP], 2);
    let around = world.ports.lock();
    let (lane, repeat) = around.jobs[0];
    assert_eq!((lane, repeat.slot, repeat.r#try), (Lane::Now, jobs[5].slot, 1));
}

#[test]
fn a_monitor_that_nobody_knows_does_not_hide_the_timers_of_others() {
    let mut world = World::new();
    world.declare(1, 1, Duration::ZERO, &shop());
    world.declare(
        2,
        1,
        Duration::ZERO,
        &json!({"name": "Bad", "http": "http://x.test/", "every": "1s", "timeout": "9s"}),
    );
    now(world.parts.services.catalog.refresh(&world.store.store())).expect("the store is there");
    for id in 1..=2 {
        let state = bw_domain::state::State {
            health: bw_domain::state::Health::Up,
            stale_at: Some(START + S),
            ..bw_domain::state::State::new(START, 1)
        };
        world.store.rows().states.insert(MonitorId(id), (Default::default(), state));
    }
    world.pass(S * 600);
    assert_eq!(job(&spec(1, &shop()), START).monitor, MonitorId(1));
    let next = world.tick(SWEEP);
    assert_eq!((world.health(1), world.health(2)), ("UNKNOWN", "UP"));
    world.tick(SWEEP);
    assert!(matches!(next, Next::Now | Next::At(_)));
}

#[test]
fn nothing_is_passed_over_that_may_not_be_known_yet() {
    let (mut world, jobs) = planned();
    judge(&mut world, jobs.iter().map(|job| pass(*job)).collect());
    let planned_at = world.now();
    // Another process went on planning; here the edits are not read.
    for marks in world.store.rows().marks.values_mut() {
        marks.published = planned_at + S * 600;
    }
    world = World::process(world.store, world.ports, world.clock, 2);
    now(world.parts.services.catalog.refresh(&world.store.store())).expect("the store is there");
    world.store.rows().now = world.now();
    world.ticks(&[LoopName::Lease, LoopName::Plan], 3);
    let known = world.now() + S * 2;
    for _ in 0..30 {
        world.pass(S * 5);
        world.tick(LoopName::Lease);
        world.ticks(&[SWEEP], 70);
    }
    world.tick(LoopName::Lease);
    let rows = world.store.rows();
    assert!(rows.marks.values().all(|marks| marks.accounted <= known), "{known}");
    assert!(rows.marks[&1].accounted > planned_at - S * 20, "but up to there");
}
