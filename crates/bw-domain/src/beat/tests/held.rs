//! The clock is held for the time in which we were deaf: never a false alarm by our absence, never a miss unsaid for ever.

use super::at;
use crate::beat::{Cadence, Counting, Deaf, Kind, Terms};
use crate::time::{Duration, Instant, Zone};
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn every(kind: Kind, seconds: u32, grace: u32) -> Terms {
    let cadence = Cadence::every(SECOND * seconds, Counting::all(Zone::UTC)).expect("a cadence");
    Terms::new(kind, cadence, Some(SECOND * grace))
}

fn nightly() -> Terms {
    let cadence = Cadence::at(["0 3 * * *"], Counting::all(Zone::UTC)).expect("a cadence");
    Terms::new(Kind::Own, cadence, Some(SECOND * 1_800))
}

fn deaf(from: &str, to: &str) -> Deaf {
    Deaf { from: at(from), to: at(to) }
}

#[test]
fn a_short_absence_moves_the_deadline_by_itself() {
    let last = at("2026-11-20T03:00:10Z");
    for (deaf, deadline) in [
        (vec![], "2026-11-21T03:30:00Z"),
        // Long before the beat could come: nothing was lost.
        (vec![deaf("2026-11-20T12:00:00Z", "2026-11-20T12:10:00Z")], "2026-11-21T03:30:00Z"),
        (vec![deaf("2026-11-21T02:59:58Z", "2026-11-21T03:00:02Z")], "2026-11-21T03:30:04Z"),
        // It reaches over the deadline.
        (vec![deaf("2026-11-21T03:29:59Z", "2026-11-21T03:30:05Z")], "2026-11-21T03:30:06Z"),
        // After it: what was missed then is missed.
        (vec![deaf("2026-11-21T03:30:00Z", "2026-11-21T03:40:00Z")], "2026-11-21T03:30:00Z"),
        // The moved deadline is moved again by what it reaches into.
        (
            vec![
                deaf("2026-11-21T03:29:00Z", "2026-11-21T03:31:00Z"),
                deaf("2026-11-21T03:31:30Z", "2026-11-21T03:32:30Z"),
            ],
            "2026-11-21T03:33:00Z",
        ),
    ] {
        let held = nightly().missed_held(last, &deaf).expect("a deadline");
        assert_eq!((held.deadline, held.unheard), (at(deadline), None), "{deaf:?}");
    }
}

#[test]
fn a_beat_that_may_have_come_unheard_is_neither_missed_nor_received() {
    let last = at("2026-11-20T03:00:10Z");
    let night = [deaf("2026-11-21T02:40:00Z", "2026-11-21T03:20:00Z")];
    let held = nightly().missed_held(last, &night).expect("a deadline");
    assert_eq!(held.deadline, at("2026-11-22T03:30:00Z"), "the next night is waited for");
    assert_eq!(held.unheard, Some(night[0].to));
    // Away for a month: the first night after it.
    let month = [deaf("2026-11-20T12:00:00Z", "2026-12-20T12:00:00Z")];
    assert_eq!(
        nightly().missed_held(last, &month).map(|held| held.deadline),
        Some(at("2026-12-21T03:30:00Z"))
    );
    let hour = [deaf("2026-11-20T03:00:30Z", "2026-11-20T04:00:00Z")];
    let minutely = every(Kind::Own, 60, 60).missed_held(last, &hour).expect("a deadline");
    assert_eq!(minutely.deadline, at("2026-11-20T04:02:00Z"), "as if one had come when we were back");
}

#[test]
fn a_pulse_may_come_at_any_time_before_its_threshold() {
    let (last, pulse) = (at("2026-11-20T03:00:00Z"), every(Kind::Pulse, 3_600, 0));
    let short = [deaf("2026-11-20T03:10:00Z", "2026-11-20T03:20:00Z")];
    assert_eq!(pulse.missed_held(last, &short).map(|held| held.by), Some(SECOND * 600));
    let long = [deaf("2026-11-20T03:10:00Z", "2026-11-20T03:50:00Z")];
    let held = pulse.missed_held(last, &long).expect("a deadline");
    assert_eq!(held.deadline, at("2026-11-20T04:50:00.001Z"));
}

#[test]
fn a_run_whose_end_may_have_come_unheard_is_no_failure() {
    let terms = Terms { run_limit: Some(SECOND * 600), ..nightly() };
    let began = at("2026-11-20T03:00:00Z");
    let short = [deaf("2026-11-20T03:05:00Z", "2026-11-20T03:06:00Z")];
    assert_eq!(terms.overrun_held(began, &short).map(|held| held.deadline), Some(at("2026-11-20T03:11:00Z")));
    let long = [deaf("2026-11-20T03:04:00Z", "2026-11-20T03:12:00Z")];
    assert_eq!(terms.overrun_held(began, &long), None);
}

#[test]
fn what_the_clock_skipped_brings_no_beat_nearer() {
    let (last, terms) = (at("2026-11-20T03:00:00Z"), every(Kind::Own, 600, 60));
    let skipped = deaf("2026-11-20T03:01:00Z", "2026-11-20T03:03:00Z");
    let held = terms.missed_held(last, &[skipped]).expect("a deadline");
    assert_eq!((held.deadline, held.unheard), (at("2026-11-20T03:13:00Z"), None));
    // Several nodes were deaf at a time.
    let theirs = deaf("2026-11-20T03:02:00Z", "2026-11-20T03:04:00Z");
    let inside = deaf("2026-11-20T03:02:30Z", "2026-11-20T03:03:30Z");
    let held = terms.missed_held(last, &[skipped, theirs, inside]).expect("a deadline");
    assert_eq!((held.deadline, held.by), (at("2026-11-20T03:14:00Z"), SECOND * 180));
}

fn absences() -> impl Strategy<Value = Vec<Deaf>> {
    prop::collection::vec((0i64..7_200, 1i64..900), 0..6).prop_map(|mut all| {
        all.sort_unstable();
        let mut end = 0;
        all.into_iter()
            .map(|(from, length)| {
                let from = from.max(end);
                end = from + length;
                Deaf { from: Instant::from_ms(from * 1_000), to: Instant::from_ms(end * 1_000) }
            })
            .collect()
    })
}

proptest! {
    /// A job that beats on time is never missed by an absence of ours: what it sends meanwhile is lost, nothing else. Two
    /// absences within one deadline that swallow a beat each are more than its grace forgives.
    #[test]
    fn who_beats_on_time_is_never_missed(
        every_s in 20u32..600, grace in 0u32..600, phase in 0i64..600,
        (from, length) in (0i64..7_200, 1i64..3_600), own: bool,
    ) {
        let (from, to) = (Instant::from_ms(from * 1_000), Instant::from_ms((from + length) * 1_000));
        let deaf = [Deaf { from, to }];
        let kind = if own { Kind::Own } else { Kind::Healthchecks };
        let terms = every(kind, every_s, grace.max(every_s));
        let mut last = None;
        for beat in 0..60i64 {
            let at = Instant::from_ms((phase + beat * i64::from(every_s)) * 1_000);
            if deaf.iter().any(|deaf| deaf.from <= at && at < deaf.to) {
                continue;
            }
            if let Some(last) = last {
                let known: Vec<Deaf> = deaf.iter().copied().filter(|deaf| deaf.from < at).collect();
                let held = terms.missed_held(last, &known).expect("a deadline");
                prop_assert!(held.deadline > at, "last {last} next {at} held {held:?} {known:?}");
            }
            last = Some(at);
        }
    }

    /// A job that has stopped is told, at most a period, its grace and our absences after we are back for good.
    #[test]
    fn who_stops_is_missed(every_s in 20u32..600, grace in 0u32..600, deaf in absences(), pulse: bool) {
        let terms = every(if pulse { Kind::Pulse } else { Kind::Own }, every_s, grace);
        let last = Instant::from_ms(0);
        let plain = terms.missed(last).expect("a deadline");
        let held = terms.missed_held(last, &deaf).expect("a deadline");
        let end = deaf.last().map_or(last, |deaf| deaf.to);
        let away: u64 = deaf.iter().map(|deaf| deaf.to.since(deaf.from).as_secs()).sum();
        let bound = end.max(plain) + SECOND * (every_s + grace) + Duration::from_secs(away) + SECOND;
        prop_assert!(held.deadline >= plain && held.deadline <= bound, "{held:?} {bound}");
    }
}
