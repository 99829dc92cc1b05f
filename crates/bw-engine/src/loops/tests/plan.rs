//! Every slot once, in its instant, of its revision; what cannot be published in time is written off.

use super::*;
use serde_json::json;

const S: Duration = Duration::from_secs(1);
const PLAN: LoopName = LoopName::Plan;

fn every(seconds: u64) -> Value {
    json!({"name": "Shop", "http": "http://shop.test/", "every": format!("{seconds}s"), "timeout": "1s"})
}

/// Turns the clock in steps and lets the planner tick at each.
fn run(world: &mut World, time: Duration, step: Duration) {
    for _ in 0..time.as_millis() / step.as_millis() {
        world.pass(step);
        world.ticks(&[LoopName::Lease, PLAN, PLAN], 1);
    }
}

fn distances(slots: &[(i64, i64)], id: i64) -> BTreeSet<i64> {
    let mine: Vec<i64> = slots.iter().filter(|(monitor, _)| *monitor == id).map(|(_, at)| *at).collect();
    mine.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn every_slot_once_and_then_the_mark() {
    let mut world = World::new();
    world.declare(1, 1, Duration::ZERO, &every(10));
    world.declare(2, 1, Duration::ZERO, &every(5));
    world.ready_to_plan();
    run(&mut world, S * 60, Duration::from_millis(250));
    let slots = world.slots();
    assert_eq!((distances(&slots, 1), distances(&slots, 2)), (BTreeSet::from([10]), BTreeSet::from([5])));
    assert_eq!(slots.len(), 6 + 12);
    let mark = world.store.rows().marks[&1].published;
    let last = slots.iter().filter(|(id, _)| *id == 1).map(|(_, at)| *at).max().expect("there were slots");
    assert!(mark >= START + S * last as u32 && mark <= world.now(), "{mark} is after the slot at {last}");
}

#[test]
fn a_crash_hands_over_again_and_leaves_nothing_out() {
    let mut world = World::new();
    world.declare(1, 1, Duration::ZERO, &every(1));
    world.ready_to_plan();
    let mut seen = BTreeSet::new();
    for _ in 0..6 {
        run(&mut world, S * 3, Duration::from_millis(100));
        seen.extend(world.slots());
        world = world.killed();
        world.pass(Duration::from_millis(400));
        world.ready_to_plan();
    }
    seen.extend(world.slots());
    let seconds: Vec<i64> = seen.iter().map(|(_, at)| *at).collect();
    assert!(seconds.windows(2).all(|pair| pair[1] - pair[0] == 1), "{seconds:?}");
    assert!(world.store.rows().gaps.is_empty());
}

#[test]
fn a_long_absence_is_written_off_and_told() {
    let mut world = World::new();
    world.declare(1, 1, Duration::ZERO, &every(1));
    world.ready_to_plan();
    run(&mut world, S * 10, Duration::from_millis(500));
    let rows = (
        bw_domain::state::Observed::default(),
        bw_domain::state::State {
            health: bw_domain::state::Health::Up,
            ..bw_domain::state::State::new(START, 1)
        },
    );
    world.store.rows().states.insert(MonitorId(1), rows);
    world = world.killed();
    world.pass(S * 3_600);
    world.ready_to_plan();
    assert_eq!(world.health(1), "UNKNOWN");
    assert!(world.slots().len() <= 3, "no storm about the past: {:?}", world.slots());
    assert!(
        world.store.rows().gaps.iter().all(|gap| gap.shard != 1),
        "slots before it are not accounted for yet"
    );
    world.ticks(&[LoopName::Sweep], 100);
    world.pass(S * 6);
    for _ in 0..3 {
        world.ticks(&[LoopName::Sweep], 70);
        world.pass(S * 2);
        world.tick(LoopName::Lease);
    }
    let rows = world.store.rows();
    let gap = rows.gaps.iter().find(|gap| gap.shard == 1).expect("the gap is stored");
    let lost: Vec<Instant> = rows.outcomes.keys().map(|key| key.slot).collect();
    assert!(
        lost.iter().all(|slot| *slot <= gap.from) && lost.len() >= 9,
        "{} lost until {}",
        lost.len(),
        gap.from
    );
    assert_eq!(rows.marks[&1].accounted, gap.to);
}

#[test]
fn edits_are_followed_at_their_instant() {
    let mut world = World::new();
    world.declare(1, 1, Duration::ZERO, &every(10));
    world.ready_to_plan();
    run(&mut world, S * 30, Duration::from_millis(250));
    world.declare(1, 2, S * 32, &every(2));
    let mut paused = every(2);
    paused["enabled"] = json!(false);
    world.declare(1, 3, S * 52, &paused);
    run(&mut world, S * 40, Duration::from_millis(250));
    let around = world.ports.lock();
    for (_, job) in &around.jobs {
        let second = (job.slot.ms() - START.ms()) / 1_000;
        assert_eq!(job.revision, if second < 32 { 1 } else { 2 }, "the slot at {second}");
    }
    let last = around.jobs.iter().map(|(_, job)| job.slot).max().expect("there were slots");
    assert!(last < START + S * 52 && around.jobs.len() >= 12, "{} until {last}", around.jobs.len());
}

#[test]
fn a_full_queue_holds_slots_back_and_ends_in_a_gap() {
    let mut world = World::new();
    world.declare(1, 1, Duration::ZERO, &every(1));
    world.ready_to_plan();
    world.ports.lock().queue_full = true;
    run(&mut world, S, Duration::from_millis(100));
    world.ports.lock().queue_full = false;
    run(&mut world, S * 2, Duration::from_millis(100));
    assert!(world.slots().len() >= 2, "a moment is made up for: {:?}", world.slots());
    assert_eq!(distances(&world.slots(), 1), BTreeSet::from([1]));

    world.parts.services.vitals.queue_planned.store(200_000, std::sync::atomic::Ordering::Relaxed);
    let before = world.slots().len();
    run(&mut world, S * 70, Duration::from_millis(500));
    assert_eq!(world.slots().len(), before, "nothing is added to a queue that is too deep");
    world.parts.services.vitals.queue_planned.store(0, std::sync::atomic::Ordering::Relaxed);
    run(&mut world, S * 5, Duration::from_millis(500));
    assert!(world.slots().len() > before);
    for _ in 0..12 {
        world.ticks(&[LoopName::Sweep], 70);
        world.pass(S * 5);
        world.ticks(&[LoopName::Lease], 1);
    }
    let rows = world.store.rows();
    let gap = rows.gaps.iter().find(|gap| gap.shard == 1).expect("the gap is stored");
    assert_eq!(gap.code, bw_domain::outcome::Code::SELF_OVERLOADED);
}

#[test]
fn a_clock_that_is_set_back_repeats_no_slot() {
    let mut world = World::new();
    world.declare(1, 1, Duration::ZERO, &every(1));
    world.ready_to_plan();
    run(&mut world, S * 10, Duration::from_millis(250));
    world.clock.step_to(START + S * 5);
    run(&mut world, S * 10, Duration::from_millis(250));
    let slots = world.slots();
    let distinct: BTreeSet<_> = slots.iter().collect();
    assert_eq!(slots.len(), distinct.len());
    assert_eq!(distances(&slots, 1), BTreeSet::from([1]), "and none is lost: {slots:?}");
}

#[test]
fn a_wrong_clock_does_not_plan() {
    let mut world = World::new();
    world.declare(1, 1, Duration::ZERO, &every(1));
    world.ready_to_plan();
    world.store.rows().now = world.now() + S * 5;
    world.clock.advance(S * 4);
    world.store.rows().now = world.now() + S * 5;
    world.ticks(&[LoopName::Lease, PLAN, PLAN], 2);
    let before = world.slots().len();
    world.clock.advance(S);
    world.ticks(&[PLAN], 3);
    assert_eq!(world.slots().len(), before);
}

#[test]
fn shards_that_were_not_surely_ours_for_a_while_are_planned_again() {
    let mut world = World::new();
    world.declare(1, 1, Duration::ZERO, &every(1));
    world.ready_to_plan();
    run(&mut world, S * 5, Duration::from_millis(250));
    world.store.rows().away = true;
    run(&mut world, S * 15, Duration::from_millis(250));
    let before = world.slots().len();
    world.store.rows().away = false;
    run(&mut world, S * 10, Duration::from_millis(250));
    assert!(world.slots().len() >= before + 8, "{before} and then {}", world.slots().len());
}

#[test]
fn a_full_disk_stops_no_probe() {
    let mut world = World::new();
    world.declare(1, 1, Duration::ZERO, &every(1));
    world.ready_to_plan();
    run(&mut world, S * 5, Duration::from_millis(250));
    world.store.rows().full = true;
    run(&mut world, S * 40, Duration::from_millis(250));
    assert!(world.slots().len() >= 43, "{}", world.slots().len());
    let since = world.parts.services.vitals.store_away().expect("it says so");
    assert!(world.now().since(since) > S * 30, "reading does not hide that nothing can be written");
    world.store.rows().full = false;
    run(&mut world, S * 5, Duration::from_millis(250));
    assert_eq!(world.parts.services.vitals.store_away(), None);
}
