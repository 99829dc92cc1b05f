//! What beats come to, as scripts: a line a beat, and what is known after it.

use super::at;
use crate::beat::{Agreement, Beat, Cadence, Counting, Kind, RunId, Signal, Taken, Terms, Track, Via};
use crate::id::MonitorId;
use crate::state::Health;
use crate::time::{Duration, Instant, Zone};
use bytes::Bytes;

const SECOND: Duration = Duration::from_secs(1);

pub(super) fn agreement(kind: Kind) -> Agreement {
    let cadence = Cadence::every(SECOND * 3_600, Counting::all(Zone::UTC)).expect("a cadence");
    let terms = Terms { run_limit: Some(SECOND * 600), ..Terms::new(kind, cadence, Some(SECOND * 600)) };
    Agreement { terms, post_only: false, manual_resume: false, keywords: None }
}

pub(super) fn beat(seconds: u32, signal: Signal, run: u128) -> Beat {
    Beat {
        monitor: MonitorId(1),
        at: start() + SECOND * seconds,
        happened: None,
        signal,
        ignored: false,
        run: (run > 0).then_some(RunId(run)),
        took: None,
        via: Via::default(),
        body: Bytes::new(),
    }
}

pub(super) fn start() -> Instant {
    at("2026-11-20T00:00:00Z")
}

fn take(track: &mut Track, kind: Kind, seconds: u32, signal: Signal, run: u128) -> Taken {
    track.take(&agreement(kind), 1, &beat(seconds, signal, run))
}

fn due(track: &Track) -> Option<u64> {
    track.due.map(|due| due.since(start()).as_secs())
}

#[test]
fn the_first_beat_wants_a_decision_and_later_ones_move_the_deadline() {
    let mut track = Track::default();
    let first = take(&mut track, Kind::Own, 0, Signal::Success, 0);
    assert_eq!((first.number, first.decide, due(&track)), (1, true, Some(0)));
    (track.health, track.due) = (Health::Up, Some(start() + SECOND * 4_200));
    let second = take(&mut track, Kind::Own, 3_500, Signal::Success, 0);
    assert_eq!((second.number, second.decide, due(&track)), (2, false, Some(3_500 + 4_200)));
    assert_eq!(second.slot, Some(start() + SECOND * 3_600), "100 s before the time was up");
}

#[test]
fn runs_of_healthchecks() {
    let mut track = Track { health: Health::Up, ..Track::default() };
    take(&mut track, Kind::Healthchecks, 0, Signal::Start, 7);
    assert_eq!(due(&track), Some(600), "a run has its time");
    let other = take(&mut track, Kind::Healthchecks, 10, Signal::Success, 8);
    assert_eq!((other.duration, track.runs.len()), (None, 1), "another run's end ends nothing");
    let same = take(&mut track, Kind::Healthchecks, 20, Signal::Success, 7);
    assert_eq!((same.duration, track.runs.len(), track.duration), (Some(SECOND * 20), 0, Some(SECOND * 20)));
    take(&mut track, Kind::Healthchecks, 30, Signal::Start, 7);
    let bare = take(&mut track, Kind::Healthchecks, 40, Signal::Success, 0);
    assert_eq!(
        (bare.duration, track.runs.len()),
        (None, 0),
        "without an id it ends the run and measures nothing"
    );
    take(&mut track, Kind::Healthchecks, 50, Signal::Start, 1);
    take(&mut track, Kind::Healthchecks, 51, Signal::Start, 2);
    assert_eq!(track.runs.len(), 1, "only the last start is known");
    let failed = take(&mut track, Kind::Healthchecks, 52, Signal::Exit(3), 9);
    assert_eq!((failed.decide, track.runs.len(), track.exit), (true, 0, Some(3)));
    take(&mut track, Kind::Healthchecks, 60, Signal::Start, 0);
    let long = take(&mut track, Kind::Healthchecks, 60 + 73 * 3_600, Signal::Success, 0);
    assert_eq!(long.duration, None, "nobody believes 73 hours");
}

#[test]
fn our_runs_overlap() {
    let mut track = Track { health: Health::Up, ..Track::default() };
    take(&mut track, Kind::Own, 0, Signal::Start, 1);
    take(&mut track, Kind::Own, 100, Signal::Start, 2);
    let second = take(&mut track, Kind::Own, 150, Signal::Success, 2);
    assert_eq!((second.duration, track.runs.len()), (Some(SECOND * 50), 1));
    assert_eq!(due(&track), Some(600), "the first is still under way");
    let first = take(&mut track, Kind::Own, 200, Signal::Success, 1);
    assert_eq!((first.duration, due(&track)), (Some(SECOND * 200), Some(200 + 4_200)));
}

#[test]
fn what_is_only_kept_changes_nothing() {
    let mut track = Track { health: Health::Up, ..Track::default() };
    take(&mut track, Kind::Own, 0, Signal::Success, 0);
    let before = track.clone();
    let ignored = track.take(&agreement(Kind::Own), 1, &Beat { ignored: true, ..beat(5, Signal::Fail, 0) });
    assert_eq!((ignored.number, ignored.decide), (2, false));
    assert_eq!(track, Track { count: 2, last_at: track.last_at, ..before.clone() });
    let log = take(&mut track, Kind::Own, 6, Signal::Log, 0);
    assert_eq!((log.number, log.decide, track.due), (3, false, before.due));
}

#[test]
fn a_failure_is_remembered_until_it_is_decided() {
    let mut track = Track { health: Health::Up, ..Track::default() };
    take(&mut track, Kind::Own, 0, Signal::Success, 0);
    assert!(take(&mut track, Kind::Own, 10, Signal::Exit(2), 0).decide);
    assert!(
        take(&mut track, Kind::Own, 11, Signal::Log, 0).number == 3 && due(&track) == Some(10),
        "still wanted"
    );
    assert!(take(&mut track, Kind::Own, 12, Signal::Success, 0).decide);
    let fell = track.fell.expect("the failure is known");
    assert_eq!((fell.number, fell.exit, due(&track)), (2, Some(2), Some(10)));
}

#[test]
fn a_beat_that_comes_late_says_nothing_about_now() {
    let mut track = Track { health: Health::Up, ..Track::default() };
    take(&mut track, Kind::Own, 100, Signal::Success, 0);
    let spooled = Beat { happened: Some(start()), ..beat(200, Signal::Fail, 0) };
    let taken = track.take(&agreement(Kind::Own), 1, &spooled);
    assert_eq!((taken.number, taken.decide, track.failed), (2, false, false));
    let future = Beat { happened: Some(start() + SECOND * 9_999), ..beat(300, Signal::Success, 0) };
    track.take(&agreement(Kind::Own), 1, &future);
    assert_eq!(track.last_beat, Some(start() + SECOND * 300), "nothing happens after it was received");
}

#[test]
fn an_edit_wants_a_decision_when_it_counts() {
    let mut track = Track { health: Health::Up, ..Track::default() };
    take(&mut track, Kind::Own, 0, Signal::Success, 0);
    track.edited(2, start() + SECOND * 12);
    assert_eq!(due(&track), Some(12));
    take(&mut track, Kind::Own, 10, Signal::Log, 0);
    assert_eq!(due(&track), Some(12), "a beat of the revision before does not move it");
    assert!(
        take(&mut track, Kind::Own, 11, Signal::Success, 0).decide,
        "what was decided may be otherwise now"
    );
}

#[test]
fn many_runs_forget_the_oldest() {
    let mut track = Track { health: Health::Up, ..Track::default() };
    for run in 1..=20 {
        take(&mut track, Kind::Own, run, Signal::Start, u128::from(run));
    }
    assert_eq!((track.runs.len(), track.runs[0].id), (16, Some(RunId(5))));
}
