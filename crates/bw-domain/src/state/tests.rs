//! The counting rule of the product as a table, and the rules around it. A script is a list of rounds, one letter a
//! vantage: `p` pass, `f` fail, `i` inconclusive; a health is expected after each.

use super::*;
use crate::event::EventKind;
use crate::id::{MonitorId, Uuid};
use crate::incident::IncidentChange;
use crate::job::Job;
use crate::monitor::{Declaration, Defaults, Spec, compile};
use crate::outcome::{Code, Evidence, Outcome, Phases, Verdict};
use crate::port::store::Revision;
use crate::time::{Duration, Instant};

const START: i64 = 1_000_000_000_000;

fn spec(document: serde_json::Value, revision: u32) -> Spec {
    let declared = Declaration::from_json(&document).expect("a good declaration");
    let revision = Revision {
        id: MonitorId(1),
        uuid: Uuid(1),
        revision,
        effective_from: Instant::from_ms(START),
        created_at: Instant::from_ms(START),
        updated_at: Instant::from_ms(START),
        owner: None,
        declared: Some(declared),
    };
    compile(&revision, &Defaults::default()).expect("it compiles")
}

/// A monitor with its rows, moved by hand.
struct World {
    spec: Spec,
    observed: Observed,
    state: State,
    now: Instant,
    slot: Instant,
    steps: Vec<Step>,
}

impl World {
    fn new(document: serde_json::Value) -> Self {
        let spec = spec(document, 1);
        let start = Instant::from_ms(START);
        let state = State::new(start, 1);
        World { spec, observed: Observed::default(), state, now: start, slot: start, steps: Vec::new() }
    }

    fn step(&mut self, trigger: Trigger<'_>) -> &Step {
        let context = Context { now: self.now, spare: IncidentId(17), base_url: "", actor: "" };
        let step = step(&self.spec, &self.observed, &self.state, trigger, &context);
        if let Some(observed) = &step.observed {
            self.observed = observed.clone();
        }
        if let Some(state) = &step.state {
            self.state = state.clone();
        }
        self.observed.seq += 1;
        self.steps.push(step);
        self.steps.last().expect("pushed just now")
    }

    fn outcome(&self, vantage: usize, slot: Instant, r#try: u8, letter: char) -> Outcome {
        let (verdict, code) = match letter {
            'p' => (Verdict::Pass, Code::OK),
            'f' => (Verdict::Fail, Code::EXPECT_STATUS),
            'd' => (Verdict::Fail, Code::DNS_NXDOMAIN),
            _ => (Verdict::Inconclusive, Code::SELF_BLIND),
        };
        let job = Job {
            monitor: MonitorId(1),
            revision: self.spec.revision,
            vantage: self.spec.policy.vantages[vantage],
            slot,
            r#try,
            start: slot,
            not_after: slot,
        };
        Outcome {
            job,
            at: self.now,
            verdict,
            code,
            status: 503,
            latency_us: 1_000,
            phases: Phases::default(),
            evidence: (verdict == Verdict::Fail).then(|| Box::new(Evidence::text("saw 503"))),
            certificate: None,
        }
    }

    /// One slot of the grid, every vantage with its letter.
    fn slot(&mut self, letters: &str) {
        self.now = self.now + self.spec.policy.every;
        self.slot = self.slot + self.spec.policy.every;
        for (vantage, letter) in letters.chars().enumerate() {
            let outcome = self.outcome(vantage, self.slot, 0, letter);
            self.step(Trigger::Outcome(&outcome));
        }
    }

    fn events(&self) -> Vec<EventKind> {
        self.steps.iter().flat_map(|step| step.events.iter().map(|event| event.kind)).collect()
    }
}

fn check(document: serde_json::Value, script: &[(&str, Health)]) {
    let mut world = World::new(document.clone());
    for (index, (letters, health)) in script.iter().enumerate() {
        world.slot(letters);
        assert_eq!(world.state.health, *health, "{document} after {} of {script:?}", index + 1);
    }
}

const U: Health = Health::Unknown;
const P: Health = Health::Up;
const D: Health = Health::Down;

#[test]
fn counting_with_one_vantage() {
    let one = |failures: u16, recoveries: u16| {
        serde_json::json!({"name": "a", "http": "http://a/", "every": "60s",
            "confirm": {"failures": failures, "recoveries": recoveries}})
    };
    // Two of a kind in a row, from UNKNOWN in both directions.
    check(one(2, 2), &[("p", U), ("p", P), ("f", P), ("f", D), ("p", D), ("p", P)]);
    check(one(2, 2), &[("f", U), ("f", D), ("p", D), ("f", D), ("p", D), ("p", P)]);
    check(one(1, 1), &[("p", P), ("f", D), ("p", P)]);
    check(one(3, 2), &[("p", U), ("p", P), ("f", P), ("f", P), ("p", P), ("f", P), ("f", P), ("f", D)]);
    // Inconclusive neither counts nor resets.
    check(
        one(2, 2),
        &[("p", U), ("i", U), ("p", P), ("f", P), ("i", P), ("f", D), ("i", D), ("p", D), ("p", P)],
    );
    // An alternation never becomes a streak.
    check(one(2, 2), &[("p", U), ("p", P), ("f", P), ("p", P), ("f", P), ("p", P)]);
    // After three cadences without a pass or fail the health is UNKNOWN, and a streak that old is forgotten.
    check(one(2, 2), &[("p", U), ("p", P), ("f", P), ("i", P), ("i", P), ("i", U), ("f", U), ("f", D)]);
}

#[test]
fn counting_with_several_vantages() {
    let two = |agree: &str| {
        let agree = if agree.is_empty() { serde_json::Value::Null } else { agree.into() };
        serde_json::json!({"name": "a", "http": "http://a/", "every": "60s", "family": "both",
            "confirm": {"failures": 2, "recoveries": 2, "agree": agree, "min": 1}})
    };
    // A strict majority of those that could see; ties keep the health.
    check(
        two(""),
        &[("pp", U), ("pp", P), ("fp", P), ("fp", P), ("ff", P), ("ff", D), ("fp", D), ("pp", D), ("pp", P)],
    );
    check(two(""), &[("pp", U), ("pp", P), ("fi", P), ("if", D)]);
    check(two(""), &[("pp", U), ("pp", P), ("ff", P), ("fp", P), ("ff", P), ("ff", D)]);
    check(two("1 of 2"), &[("pp", U), ("pp", P), ("fp", P), ("pf", D)]);
    check(two("2 of 2"), &[("pp", U), ("pp", P), ("fi", P), ("fi", P), ("ff", P), ("ff", D)]);
    // Fewer than `min` able to see: UNKNOWN.
    let strict = serde_json::json!({"name": "a", "http": "http://a/", "every": "60s", "family": "both"});
    check(strict, &[("pp", U), ("pp", P), ("fi", U), ("ff", U), ("ff", D)]);
}

#[test]
fn a_first_failure_is_repeated_in_place() {
    let mut world = World::new(serde_json::json!({"name": "a", "http": "http://a/", "every": "60s"}));
    world.slot("p");
    world.slot("p");
    world.slot("f");
    let first = world.now;
    let round = world.state.round.clone().expect("a repeat");
    assert_eq!((round.slot, round.r#try), (world.slot, 1));
    let due = world.state.timer().expect("its timer");
    assert_eq!(due.since(first), Duration::from_secs(5), "confirm.after past the end of the probe");

    world.now = due;
    let jobs = world.step(Trigger::Timer).jobs.clone();
    assert_eq!(jobs.len(), 1);
    assert_eq!((jobs[0].slot, jobs[0].r#try, jobs[0].start), (world.slot, 1, due));
    assert!(world.step(Trigger::Timer).jobs.is_empty(), "published once");

    let outcome = world.outcome(0, world.slot, 1, 'f');
    world.step(Trigger::Outcome(&outcome));
    assert_eq!(world.state.health, Health::Down);
    assert_eq!(world.state.since, first, "back-dated to the first failing probe");
    assert_eq!(
        world.events(),
        [EventKind::MonitorChanged, EventKind::MonitorChanged, EventKind::IncidentOpened]
    );
    let Some(IncidentChange::Open(incident, entries)) = &world.steps.last().expect("steps").incident else {
        panic!("an incident opens");
    };
    assert_eq!((incident.id, incident.first_failure_at, entries.len()), (IncidentId(17), first, 2));
}

#[test]
fn a_repeat_that_never_answers_counts_nothing() {
    let mut world = World::new(serde_json::json!({"name": "a", "http": "http://a/", "every": "60s"}));
    world.slot("p");
    world.slot("p");
    world.slot("f");
    world.now = world.state.timer().expect("the repeat");
    world.step(Trigger::Timer);
    world.now = world.state.timer().expect("its end");
    world.step(Trigger::Timer);
    assert_eq!((world.state.health, world.state.round.as_ref()), (Health::Up, None));
    assert_eq!(world.state.streak.map(|streak| streak.rounds), Some(1), "neither counted nor reset");
}

#[test]
fn late_and_old_outcomes_count_nothing() {
    let mut world = World::new(
        serde_json::json!({"name": "a", "http": "http://a/", "every": "60s", "confirm": {"failures": 1}}),
    );
    world.slot("p");
    world.slot("p");
    let late = world.outcome(0, world.slot - Duration::from_secs(60), 0, 'f');
    assert!(!world.step(Trigger::Outcome(&late)).counted);
    assert_eq!(world.state.health, Health::Up);
    world.spec = spec(
        serde_json::json!({"name": "a", "http": "http://b/", "every": "60s", "confirm": {"failures": 1}}),
        2,
    );
    world.step(Trigger::Edited);
    let mut old = world.outcome(0, world.slot + Duration::from_secs(60), 0, 'f');
    old.job.revision = 1;
    assert!(!world.step(Trigger::Outcome(&old)).counted);
    assert_eq!((world.state.health, world.observed.cells[0].streak), (Health::Up, 0));
}

#[test]
fn what_is_spoken_about() {
    let spoken = |world: &World| -> Vec<(Health, bool)> {
        let changes = world.steps.iter().flat_map(|step| &step.events);
        changes
            .filter(|e| e.kind == EventKind::MonitorChanged)
            .filter_map(|e| e.change.as_ref())
            .map(|c| (c.to, c.spoken))
            .collect()
    };
    let quiet = serde_json::json!({"name": "a", "http": "http://a/", "every": "60s", "confirm": {"failures": 1, "recoveries": 1}});
    let mut world = World::new(quiet.clone());
    for letters in ["p", "f", "i", "i", "i", "f", "i", "i", "i", "p", "i", "i", "i", "p"] {
        world.slot(letters);
    }
    assert_eq!(
        spoken(&world),
        [(P, false), (D, true), (U, false), (D, false), (U, false), (P, true), (U, false), (P, false)]
    );
    let opened = world.events().iter().filter(|kind| **kind == EventKind::IncidentOpened).count();
    assert_eq!(opened, 1, "an incident that is only unobserved stays the same incident");
    let mut first = quiet;
    first["tell"] = serde_json::json!({"first_up": true});
    let mut world = World::new(first);
    world.slot("p");
    assert_eq!(spoken(&world), [(P, true)]);
}

#[test]
fn pause_silences_and_resume_looks_soon() {
    let document = serde_json::json!({"name": "a", "http": "http://a/", "every": "60s", "confirm": {"failures": 1, "recoveries": 1}});
    let mut world = World::new(document.clone());
    world.slot("f");
    let mut paused = document.clone();
    paused["enabled"] = false.into();
    world.spec = spec(paused, 2);
    world.step(Trigger::Paused);
    assert_eq!(
        (world.state.health, world.state.incident, world.state.timer()),
        (U, Some(IncidentId(17)), None)
    );
    world.slot("f");
    assert_eq!(world.state.health, U);
    world.spec = spec(document, 3);
    world.spec.effective_from = world.now + Duration::from_secs(2);
    world.step(Trigger::Resumed);
    assert_eq!(world.state.timer(), Some(world.spec.effective_from));
    world.now = world.spec.effective_from;
    let job = world.step(Trigger::Timer).jobs[0];
    let pass = world.outcome(0, job.slot, job.r#try, 'p');
    world.step(Trigger::Outcome(&pass));
    assert_eq!((world.state.health, world.state.incident), (P, None));
    assert_eq!(world.events().last(), Some(&EventKind::IncidentClosed));
    let closed =
        world.steps.last().and_then(|step| step.events.last()).and_then(|event| event.incident.clone());
    assert!(closed.expect("facts").duration_s > 0);
}

#[test]
fn absence_is_counted_from_what_was_seen_last() {
    // Seconds from the last slot: nobody planned since, a probe failed, we are back; then the health, and whether
    // anything changed.
    for (absent, seen, back, health, kept) in [
        (0, None, 100, P, true),
        (0, None, 400, U, false),
        (0, Some(330), 400, P, true),
        (0, Some(330), 700, U, false),
    ] {
        let mut world = World::new(
            serde_json::json!({"name": "a", "http": "http://a/", "every": "60s", "confirm": {"failures": 2, "recoveries": 1}}),
        );
        world.slot("p");
        let begun = world.now;
        let after = |seconds: u64| begun + Duration::from_secs(seconds);
        if let Some(seen) = seen {
            world.now = after(seen);
            let fail = world.outcome(0, world.slot + world.spec.policy.every, 0, 'f');
            world.step(Trigger::Outcome(&fail));
        }
        let before = world.state.clone();
        world.now = after(back);
        world.step(Trigger::Away(after(absent)));
        let context = format!("{absent} {seen:?} {back}");
        assert_eq!((world.state.health, world.state == before), (health, kept), "{context}");
    }
    let mut world = World::new(serde_json::json!({"name": "a", "http": "http://a/", "every": "1h"}));
    world.step(Trigger::Created);
    let looked_at = world.state.timer();
    world.now = world.now + Duration::from_secs(86_400);
    world.step(Trigger::Away(world.slot));
    assert!(looked_at.is_some() && world.state.timer() == looked_at, "the first look is still to come");
}
