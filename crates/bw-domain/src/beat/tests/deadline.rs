//! Late, missed, overrun; statuses by the clock.

use super::{at, zone};
use crate::beat::{Cadence, Counted, Counting, Facts, Grace, Kind, Status, Terms};
use crate::time::{Duration, Instant, Zone};

const HOUR: Duration = Duration::from_secs(3_600);

fn every(hours: u32) -> Cadence {
    Cadence::every(HOUR * hours, Counting::all(Zone::UTC)).expect("a cadence")
}

fn nightly() -> Cadence {
    Cadence::at(["0 3 * * *"], Counting::all(zone("Europe/Berlin"))).expect("a cadence")
}

fn beat(text: &str) -> Facts {
    Facts { last_beat: Some(at(text)), ..Facts::default() }
}

#[test]
fn default_grace() {
    assert_eq!(Grace::default_of(Kind::Own, &every(10)), 2 * HOUR);
    assert_eq!(Grace::default_of(Kind::Own, &nightly()), HOUR * 24 / 5);
    let minutely = Cadence::every(Duration::from_secs(60), Counting::all(Zone::UTC)).unwrap();
    assert_eq!(Grace::default_of(Kind::Own, &minutely), Duration::from_secs(60));
    assert_eq!(Grace::default_of(Kind::Pulse, &every(24)), Duration::ZERO);
    assert_eq!(Grace::default_of(Kind::Healthchecks, &every(24)), HOUR);
}

#[test]
fn statuses() {
    let terms = Terms::new(Kind::Healthchecks, every(24), None);
    let facts = beat("2026-11-20T12:00:00Z");
    let check = |facts: &Facts, now: &str, status: Status| {
        assert_eq!(terms.status(facts, at(now)), status, "{facts:?} {now}");
    };
    check(&Facts::default(), "2026-11-20T12:00:00Z", Status::New);
    check(&facts, "2026-11-21T11:59:59.999Z", Status::Up);
    check(&facts, "2026-11-21T12:00:00Z", Status::Grace);
    check(&facts, "2026-11-21T12:59:59.999Z", Status::Grace);
    check(&facts, "2026-11-21T13:00:00Z", Status::Down);
    check(&Facts { paused: true, ..facts }, "2026-11-25T13:00:00Z", Status::Paused);
    check(&Facts { failed: true, ..facts }, "2026-11-20T12:00:01Z", Status::Down);
    assert_eq!(terms.deadline(&Facts { paused: true, ..facts }), None);
    assert_eq!(terms.deadline(&Facts::default()), None, "new is silent");

    let started = Facts { started: Some(at("2026-11-20T14:00:00Z")), ..facts };
    check(&started, "2026-11-20T14:59:59Z", Status::Up);
    check(&started, "2026-11-20T15:00:00Z", Status::Down);
    assert_eq!(terms.status_with_started(&started, at("2026-11-20T14:59:59Z")), Status::Started);
    assert_eq!(terms.status_with_started(&started, at("2026-11-20T15:00:00Z")), Status::Down);
    assert_eq!(terms.status_with_started(&facts, at("2026-11-20T15:00:00Z")), Status::Up);
    let first = Facts { last_beat: None, ..started };
    check(&first, "2026-11-20T15:00:00Z", Status::Down);
    check(&first, "2026-11-20T14:30:00Z", Status::New);
}

#[test]
fn a_deadline_is_where_the_status_turns() {
    let counting = Counting::new(Counted::Weekdays, zone("Europe/Berlin"), []);
    let weekdays = Cadence::every(24 * HOUR, counting).unwrap();
    for kind in [Kind::Own, Kind::Pulse, Kind::Healthchecks] {
        for cadence in [every(24), nightly(), weekdays.clone()] {
            for hour in 0..200u32 {
                let last = at("2026-03-25T00:17:00Z") + HOUR * hour;
                let terms = Terms::new(kind, cadence.clone(), None);
                let facts = Facts { last_beat: Some(last), ..Facts::default() };
                let deadline = terms.deadline(&facts).expect("each has a deadline");
                assert!(deadline > last, "{kind:?} {last}");
                assert_eq!(terms.status(&facts, deadline), Status::Down);
                let before = Instant::from_ms(deadline.ms() - 1);
                assert_ne!(terms.status(&facts, before), Status::Down, "{kind:?} {last} {deadline}");
                assert!(terms.expected(last).is_some_and(|expected| expected <= deadline));
            }
        }
    }
}

#[test]
fn pulses_are_overdue_when_more_than_the_threshold_has_passed() {
    let counting = Counting::new(Counted::Weekdays, Zone::UTC, []);
    let terms = Terms::new(Kind::Pulse, Cadence::every(48 * HOUR, counting.clone()).unwrap(), None);
    assert_eq!(
        terms.missed(at("2026-11-19T00:00:00Z")),
        Some(at("2026-11-23T00:00:00.001Z")),
        "not on Saturday"
    );
    assert_eq!(terms.missed(at("2026-11-16T09:00:00Z")), Some(at("2026-11-18T09:00:00.001Z")));
    let own = Terms::new(Kind::Own, Cadence::every(48 * HOUR, counting).unwrap(), Some(HOUR));
    assert_eq!(
        own.missed(at("2026-11-19T00:00:00Z")),
        Some(at("2026-11-23T01:00:00Z")),
        "grace counts as the rest"
    );
}

#[test]
fn an_early_beat_counts_for_the_coming_slot_with_us_alone() {
    let early = at("2026-11-21T01:58:00Z");
    let own = Terms::new(Kind::Own, nightly(), Some(HOUR));
    assert_eq!(own.missed(early), Some(at("2026-11-22T03:00:00Z")));
    let theirs = Terms::new(Kind::Healthchecks, nightly(), None);
    assert_eq!(theirs.missed(early), Some(at("2026-11-21T03:00:00Z")));
    let limited = Terms { run_limit: Some(HOUR), ..own };
    let facts = Facts { started: Some(early), ..beat("2026-11-21T01:00:00Z") };
    assert_eq!(limited.deadline(&facts), Some(at("2026-11-21T02:58:00Z")));
}
