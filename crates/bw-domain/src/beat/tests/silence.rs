//! What beats and silence mean for a heartbeat's health, and what is said of it.

use super::track::{beat, start};
use crate::beat::{Deaf, Signal, Standing, Status, Track};
use crate::event::EventKind;
use crate::id::{IncidentId, MonitorId, Uuid};
use crate::incident::IncidentChange;
use crate::monitor::{Declaration, Defaults, Spec, compile};
use crate::outcome::Code;
use crate::port::store::Revision;
use crate::state::{Context, Health, Heard, Observed, State, Step, Trigger, step};
use crate::time::{Duration, Instant};
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);

/// A heartbeat with its rows, moved by hand; times are seconds from the start.
struct World {
    spec: Spec,
    state: State,
    track: Track,
    deaf: Vec<Deaf>,
    seq: u64,
}

impl World {
    fn new(heartbeat: serde_json::Value) -> World {
        let declared = json!({"name": "Backup", "heartbeat": heartbeat});
        let spec = World::spec(&declared, 1);
        World { state: State::new(start(), 1), spec, track: Track::default(), deaf: Vec::new(), seq: 0 }
    }

    fn spec(document: &serde_json::Value, revision: u32) -> Spec {
        let declared = Declaration::from_json(document).expect("a declaration");
        let revision = Revision {
            id: MonitorId(1),
            uuid: Uuid(1),
            revision,
            effective_from: start(),
            created_at: start(),
            updated_at: start(),
            owner: None,
            declared: Some(declared),
        };
        compile(&revision, &Defaults::default()).expect("it compiles")
    }

    fn step(&mut self, now: Instant, trigger: Trigger<'_>) -> Step {
        let context = Context { now, spare: IncidentId(17), base_url: "", actor: "" };
        let observed = Observed { seq: self.seq, ..Observed::default() };
        let step = step(&self.spec, &observed, &self.state, trigger, &context);
        self.seq += 1;
        self.state = step.state.clone().unwrap_or_else(|| self.state.clone());
        self.track = step.track.as_deref().cloned().unwrap_or_else(|| self.track.clone());
        step
    }

    /// A beat that is decided about at once, as `ingest` does.
    fn beat(&mut self, seconds: u32, signal: Signal) -> Step {
        let agreement = self.spec.beats().expect("a heartbeat").clone();
        self.track.take(&agreement, self.spec.revision, &beat(seconds, signal, 0));
        self.decide(seconds, Instant::ZERO)
    }

    /// What `sweep` decides when all beats until then are in.
    fn look(&mut self, seconds: u32) -> Step {
        self.decide(seconds, start() + SECOND * seconds)
    }

    fn decide(&mut self, seconds: u32, until: Instant) -> Step {
        let (track, deaf) = (self.track.clone(), self.deaf.clone());
        self.step(start() + SECOND * seconds, Trigger::Heard(Heard { track: &track, until, deaf: &deaf }))
    }

    fn due(&self) -> Option<u64> {
        self.track.due.map(|due| due.since(start()).as_secs())
    }

    fn status(&self, seconds: u32) -> Status {
        let now = start() + SECOND * seconds;
        Standing::of(&self.spec, &self.state, Some(&self.track), now).expect("a heartbeat").status
    }
}

fn hourly() -> World {
    World::new(json!({"every": "1h", "grace": "10m"}))
}

fn kinds(step: &Step) -> Vec<EventKind> {
    step.events.iter().map(|event| event.kind).collect()
}

#[test]
fn new_is_silent_and_the_first_beat_too() {
    let mut world = hourly();
    assert_eq!(world.status(0), Status::New);
    let step = world.look(999_999);
    assert!(step.state.is_none() && step.events.is_empty());
    let up = world.beat(10, Signal::Success);
    assert_eq!((world.state.health, world.due()), (Health::Up, Some(10 + 4_200)));
    assert!(!up.events[0].change.as_ref().expect("a change").spoken);
    assert_eq!(
        (world.status(20), world.status(3_610), world.status(4_000)),
        (Status::Up, Status::Grace, Status::Grace)
    );
}

#[test]
fn silence_opens_an_incident_and_the_next_beat_closes_it() {
    let mut world = hourly();
    world.beat(0, Signal::Success);
    assert!(world.look(4_199).state.is_none(), "not a second before");
    let down = world.look(4_200);
    assert_eq!((world.state.health, world.due()), (Health::Down, None));
    assert_eq!(kinds(&down), [EventKind::MonitorChanged, EventKind::IncidentOpened]);
    assert_eq!(down.transition.as_ref().map(|change| change.reason.code), Some(Code::BEAT_MISSED));
    let Some(IncidentChange::Open(incident, _)) = &down.incident else { panic!("{:?}", down.incident) };
    assert_eq!(incident.first_failure_at, start() + SECOND * 4_200);
    assert_eq!(
        incident.cause.text,
        "no beat since 2026-11-20 00:00:00 UTC; the next was expected by 2026-11-20 01:00:00 UTC, with 10m of grace"
    );
    assert_eq!(world.status(4_200), Status::Down);
    assert!(world.look(99_999).events.is_empty(), "it is said once");
    let up = world.beat(100_000, Signal::Success);
    assert_eq!(kinds(&up), [EventKind::MonitorChanged, EventKind::IncidentClosed]);
    assert_eq!((world.state.health, world.due()), (Health::Up, Some(104_200)));
    assert_eq!(up.events[1].incident.as_ref().map(|facts| facts.duration_s), Some(100_000 - 4_200));
}

#[test]
fn a_failure_is_told_even_when_a_success_follows_before_anybody_decides() {
    let mut world = hourly();
    world.beat(0, Signal::Success);
    let agreement = world.spec.beats().expect("a heartbeat").clone();
    world.track.take(&agreement, 1, &beat(60, Signal::Exit(3), 0));
    world.track.take(&agreement, 1, &beat(61, Signal::Success, 0));
    let down = world.look(62);
    assert_eq!(world.state.health, Health::Down);
    assert_eq!(
        down.transition.map(|change| change.reason.text),
        Some("the job ended with exit status 3".to_owned())
    );
    assert_eq!(world.due(), Some(62), "the success wants a decision of its own");
    let up = world.look(62);
    assert_eq!((world.state.health, kinds(&up).len(), world.due()), (Health::Up, 2, Some(61 + 4_200)));
}

#[test]
fn a_run_that_does_not_end_is_a_failure_and_the_next_success_ends_it() {
    let mut world = World::new(json!({"every": "1h", "grace": "10m", "run_limit": "5m"}));
    world.beat(0, Signal::Success);
    world.beat(100, Signal::Start);
    assert_eq!(world.due(), Some(400));
    let down = world.look(400);
    assert_eq!(down.transition.map(|change| change.reason.code), Some(Code::BEAT_OVERRUN));
    world.beat(1_000, Signal::Success);
    assert_eq!((world.state.health, world.due()), (Health::Up, Some(1_000 + 4_200)));
}

#[test]
fn a_start_leaves_down_alone() {
    let mut world = hourly();
    world.beat(0, Signal::Fail);
    assert_eq!((world.state.health, world.due()), (Health::Down, None));
    world.beat(10, Signal::Start);
    assert_eq!((world.state.health, world.due()), (Health::Down, None));
    assert!(world.look(99_999).state.is_none());
}

#[test]
fn our_absence_is_held_against_nobody() {
    let mut world = hourly();
    world.beat(0, Signal::Success);
    let at = |seconds: u32| start() + SECOND * seconds;
    world.deaf = vec![Deaf { from: at(4_190), to: at(4_300) }];
    world.look(4_300);
    assert_eq!((world.state.health, world.due()), (Health::Up, Some(4_310)), "held for 110 s");
    let down = world.look(4_310);
    assert!(
        down.transition.is_some_and(|change| change.reason.text.ends_with("; the clock was held for 110s")
            || change.reason.text.contains("the clock was held for"))
    );
}

#[test]
fn paused_is_silent_and_a_resumed_heartbeat_has_its_time() {
    let mut world = hourly();
    world.beat(0, Signal::Success);
    world.spec = World::spec(
        &json!({"name": "Backup", "enabled": false, "heartbeat": {"every": "1h", "grace": "10m"}}),
        2,
    );
    world.step(start() + SECOND * 100, Trigger::Paused);
    assert_eq!(world.state.health, Health::Unknown);
    assert!(world.look(99_999).events.is_empty());
    assert_eq!(world.due(), None);
    assert_eq!(world.status(99_999), Status::Paused);
    world.spec = World::spec(&json!({"name": "Backup", "heartbeat": {"every": "1h", "grace": "10m"}}), 3);
    world.step(start() + SECOND * 100_000, Trigger::Resumed);
    world.look(100_002);
    assert_eq!(world.due(), Some(104_200), "from where it was resumed");
    assert_eq!(world.look(104_200).transition.map(|change| change.to), Some(Health::Down));
}

#[test]
fn a_resumed_check_of_healthchecks_is_new() {
    let mut world = World::new(json!({"every": "1h", "grace": "10m", "rules": "healthchecks"}));
    world.beat(0, Signal::Success);
    world.step(start() + SECOND * 100, Trigger::Paused);
    world.step(start() + SECOND * 200, Trigger::Resumed);
    assert_eq!(world.status(300), Status::New);
    assert!(world.look(999_999).events.is_empty());
    let up = world.beat(1_000_000, Signal::Success);
    assert!(!up.events[0].change.as_ref().expect("a change").spoken, "paused -> up is silent");
}

#[test]
fn an_edited_schedule_does_not_look_back() {
    let mut world = World::new(json!({"every": "24h", "grace": "1h"}));
    world.beat(0, Signal::Success);
    world.spec = World::spec(&json!({"name": "Backup", "heartbeat": {"every": "1h", "grace": "10m"}}), 2);
    world.step(start() + SECOND * 50_000, Trigger::Edited);
    world.track.edited(2, start() + SECOND * 50_002);
    world.look(50_002);
    assert_eq!((world.state.health, world.due()), (Health::Up, Some(54_200)));
}

#[test]
fn a_raised_threshold_takes_back_what_is_no_silence_any_more() {
    for rules in ["pulse", "healthchecks"] {
        let mut world = World::new(json!({"every": "1h", "grace": "1m", "rules": rules}));
        world.beat(0, Signal::Success);
        world.look(4_000);
        assert_eq!(world.state.health, Health::Down);
        let longer = json!({"name": "Backup", "heartbeat": {"every": "24h", "grace": "1m", "rules": rules}});
        world.spec = World::spec(&longer, 2);
        world.step(start() + SECOND * 5_000, Trigger::Edited);
        world.track.edited(2, start() + SECOND * 5_002);
        world.decide(5_001, Instant::ZERO);
        assert_eq!(world.state.health, Health::Down, "who does not know all beats takes nothing back");
        let up = world.look(5_002);
        assert_eq!((world.state.health, kinds(&up).len()), (Health::Up, 2), "{rules}");
        assert!(world.look(80_000).state.is_none());
        assert_eq!(world.look(90_000).transition.map(|change| change.to), Some(Health::Down), "{rules}");
    }
}

#[test]
fn nobody_looks_at_a_heartbeat() {
    let mut world = hourly();
    for trigger in [Trigger::Timer, Trigger::Created, Trigger::Away(start())] {
        let step = world.step(start() + SECOND * 9, trigger);
        assert!(step.jobs.is_empty() && world.state.round.is_none() && world.state.stale_at.is_none());
    }
    assert!(world.spec.policy.vantages.is_empty());
}
