//! Beats: kept before they are answered, decided at once, and silence told only once everybody has been heard.

use super::*;
use crate::beats::Kept;
use bw_domain::beat::{Beat, Deaf, Signal, Via};
use bw_domain::port::store::Incoming;
use bytes::Bytes;
use futures_channel::oneshot::Receiver;
use serde_json::json;

const ID: MonitorId = MonitorId(7);

fn world() -> World {
    let world = World::new();
    let document = json!({"name": "Backup", "heartbeat": {"every": "1h", "grace": "10m"}});
    world.declare(7, 1, Duration::ZERO, &document);
    now(world.parts.services.catalog.refresh(&world.parts.services.store)).expect("the store is there");
    world
}

impl World {
    fn beat(&self, signal: Signal) -> Receiver<Kept> {
        self.beat_of(signal, "")
    }

    fn beat_of(&self, signal: Signal, agent: &str) -> Receiver<Kept> {
        let services = &self.parts.services;
        let spec = services.catalog.get(ID).expect("it is declared");
        let via = Via { agent: agent.into(), ..Via::default() };
        let make = |at| {
            let beat = Beat {
                monitor: ID,
                at,
                happened: None,
                signal,
                ignored: false,
                run: None,
                took: None,
                via,
                body: Bytes::new(),
            };
            Incoming { spec, beat }
        };
        services.beats.offer(&*services.clock, make).expect("there is room")
    }

    fn ingest(&mut self, times: usize) {
        self.ticks(&[LoopName::Ingest], times);
    }

    fn sweep(&mut self) {
        self.ticks(&[LoopName::Sweep], 2);
    }
}

#[test]
fn a_beat_is_answered_once_it_is_kept_and_decided_right_after() {
    let mut world = world();
    let mut kept = world.beat(Signal::Success);
    assert_eq!(kept.try_recv(), Ok(None), "nothing is promised yet");
    world.ingest(2);
    assert!(matches!(kept.try_recv(), Ok(Some(Kept::Taken(taken))) if taken.number == 1));
    world.ingest(2);
    assert_eq!(world.health(7), "UP");
    assert_eq!(world.parts.services.vitals.beats()[0], 1);
}

#[test]
fn what_waits_is_kept_together() {
    let mut world = world();
    let mut all: Vec<_> = (0..50).map(|_| world.beat(Signal::Success)).collect();
    world.ingest(2);
    let appends = world.store.rows().calls.iter().filter(|call| **call == "append").count();
    assert_eq!(appends, 1);
    let numbers: Vec<u64> = all
        .iter_mut()
        .map(|kept| match kept.try_recv() {
            Ok(Some(Kept::Taken(taken))) => taken.number,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(numbers, (1..=50).collect::<Vec<_>>(), "in the order in which they came");
}

#[test]
fn while_the_store_is_away_beats_wait_and_nobody_hears_further() {
    let mut world = world();
    world.ingest(2);
    world.store.rows().away = true;
    let received = world.now();
    let mut kept = world.beat(Signal::Success);
    for _ in 0..40 {
        world.pass(Duration::from_millis(500));
        world.ingest(2);
    }
    assert_eq!(kept.try_recv(), Ok(None), "the answer waits");
    world.store.rows().away = false;
    world.pass(Duration::from_millis(500));
    world.ingest(4);
    assert!(matches!(kept.try_recv(), Ok(Some(Kept::Taken(_)))));
    let rows = world.store.rows();
    assert_eq!(rows.beats.kept[0].beat.at, received, "it counts from when it was received");
    assert!(rows.beats.deaf.is_empty(), "we heard all the time");
}

#[test]
fn a_beat_that_the_store_can_never_keep_does_not_take_others_along() {
    let mut world = world();
    let mut good = world.beat(Signal::Success);
    let mut bad = world.beat_of(Signal::Success, "unstorable");
    let mut after = world.beat(Signal::Success);
    world.ingest(8);
    assert!(matches!(good.try_recv(), Ok(Some(Kept::Taken(_)))));
    assert_eq!(bad.try_recv(), Ok(Some(Kept::Refused)));
    assert!(matches!(after.try_recv(), Ok(Some(Kept::Taken(_)))));
}

#[test]
fn silence_is_told_when_all_have_been_heard_and_not_before() {
    let mut world = world();
    drop(world.beat(Signal::Success));
    world.ingest(4);
    world.sweep();
    for _ in 0..4_199 {
        world.pass(Duration::from_secs(1));
        world.ingest(2);
        // What passes between two ticks is no deafness: the clock of this test jumps a second at a time.
        world.store.rows().beats.deaf.clear();
    }
    world.sweep();
    assert_eq!(world.health(7), "UP");
    world.pass(Duration::from_millis(1_000));
    world.sweep();
    assert_eq!(world.health(7), "UP", "the deadline has passed, and a beat may still be on its way in");
    let mut late = world.beat(Signal::Success);
    world.ingest(1);
    assert_eq!(late.try_recv(), Ok(None));
    world.sweep();
    assert_eq!(world.health(7), "UP");
    drop(late);
    world.store.rows().beats.tracks.get_mut(&ID).expect("a track").due = Some(world.now());
    world.pass(Duration::from_millis(250));
    world.ingest(3);
    world.sweep();
    assert_eq!(world.health(7), "UP", "it beat just now");
}

#[test]
fn a_miss_is_told_once_the_horizon_has_passed_it() {
    let mut world = world();
    drop(world.beat(Signal::Success));
    world.ingest(4);
    let node = world.parts.node;
    world.pass(Duration::from_secs(4_198));
    world.store.rows().beats.hearing.insert(node, START + Duration::from_secs(4_200));
    world.sweep();
    world.pass(Duration::from_millis(1_999));
    world.sweep();
    assert_eq!(
        world.health(7),
        "UP",
        "the store was not asked for so long that leases may have run out unheard"
    );
    world.pass(Duration::from_millis(1));
    world.store.rows().beats.hearing.insert(node, START + Duration::from_secs(4_199));
    world.sweep();
    assert_eq!(world.health(7), "UP");
    world.store.rows().beats.hearing.insert(node, START + Duration::from_secs(4_200));
    world.sweep();
    assert_eq!(world.health(7), "DOWN");
    let events = world.store.rows().events.len();
    world.sweep();
    assert_eq!(world.store.rows().events.len(), events, "once");
}

#[test]
fn where_nobody_hears_nobody_is_missed() {
    let mut world = world();
    drop(world.beat(Signal::Success));
    world.ingest(4);
    world.store.rows().beats.hearing.clear();
    world.pass(Duration::from_secs(99_999));
    world.sweep();
    assert_eq!(world.health(7), "UP");
}

#[test]
fn a_process_that_was_held_up_or_killed_was_deaf() {
    let mut world = world();
    world.ingest(3);
    world.pass(Duration::from_millis(250));
    world.ingest(3);
    let asleep = world.now();
    world.pass(Duration::from_secs(30));
    world.ingest(3);
    assert_eq!(world.store.rows().beats.deaf, [Deaf { from: asleep, to: world.now() }]);
    let died = world.now();
    let mut world = world.killed();
    world.store.rows().beats.hearing.clear();
    world.pass(Duration::from_secs(60));
    world.ingest(3);
    assert_eq!(world.store.rows().beats.deaf[1], Deaf { from: died, to: world.now() });
}

#[test]
fn what_a_killed_process_has_kept_and_not_decided_is_decided_by_sweep() {
    let mut world = world();
    drop(world.beat(Signal::Exit(3)));
    world.ingest(1);
    assert_eq!(world.store.rows().beats.kept.len(), 1);
    assert_eq!(world.health(7), "none");
    let mut world = world.killed();
    now(world.parts.services.catalog.refresh(&world.parts.services.store)).expect("the store is there");
    world.pass(Duration::from_millis(300));
    world.ingest(4);
    world.sweep();
    assert_eq!(world.health(7), "DOWN");
}

#[test]
fn at_the_end_everything_that_was_heard_is_kept() {
    let mut world = world();
    world.ingest(2);
    let mut kept = world.beat(Signal::Success);
    now(world.find(LoopName::Ingest).stop());
    assert!(matches!(kept.try_recv(), Ok(Some(Kept::Taken(_)))));
    assert_eq!(world.health(7), "UP");
    assert!(world.store.rows().beats.hearing.is_empty(), "nobody waits for us");
}
