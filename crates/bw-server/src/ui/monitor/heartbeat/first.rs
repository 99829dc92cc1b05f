//! The first lines about a heartbeat: when the next beat is due, what came last, and what stands in the way of telling.

use crate::ui::markup::{Markup, escape};
use crate::ui::words;
use bw_domain::beat::{Deaf, Standing, Status, Terms, Track};
use bw_domain::time::Instant;
use bw_engine::usecase::monitors::MonitorView;

/// `Nightly backup is up: the next beat is due in 3 hours`.
pub fn headline(view: &MonitorView, standing: &Standing, now: Instant) -> String {
    let name = view.spec.name();
    let due = standing.expected.map(|expected| {
        if expected > now {
            (true, words::long(expected.since(now)))
        } else {
            (false, words::long(now.since(expected)))
        }
    });
    let failed = view.track.as_deref().is_some_and(|track| track.failed);
    match (standing.status, due) {
        (Status::Paused, _) => format!("{name} is paused"),
        (Status::Down, Some((true, ahead))) if failed => {
            format!("{name} failed; the next beat is due in {ahead}")
        }
        (Status::Down, Some((true, ahead))) => format!("{name} is down; the next beat is due in {ahead}"),
        (Status::Down, Some((false, ago))) if !failed => {
            format!("{name} is down: its beat was due {ago} ago")
        }
        (Status::Down, _) => format!("{name} failed"),
        (Status::Grace, Some((_, ago))) => format!("{name} is late: its beat was due {ago} ago"),
        (Status::New, None) => format!("{name} waits for its first beat"),
        (Status::New, Some((_, ahead))) => format!("{name} waits for a beat: it is due in {ahead}"),
        (_, Some((_, ahead))) => format!("{name} is up: the next beat is due in {ahead}"),
        (_, None) => format!("{name} is up, and no further beat is expected"),
    }
}

/// When exactly, what is under way, and what came last.
pub fn detail(view: &MonitorView, terms: &Terms, standing: &Standing, now: Instant) -> Markup {
    let mut said: Vec<String> = Vec::new();
    if let Some(expected) = standing.expected {
        let word = if expected > now { "Expected at" } else { "It was expected at" };
        said.push(format!("{word} {}.", escape(&terms.shown(expected))));
    }
    if let Some(deadline) = standing.deadline.filter(|deadline| *deadline > now) {
        said.push(format!("Without it, people are told {}.", words::ahead(deadline, now)));
    }
    if standing.expected.is_none() && standing.status == Status::New {
        said.push("Until then it is silent: nothing is expected of a job that never ran.".to_owned());
    }
    if let Some(started) = standing.started {
        said.push(format!("A run is under way, begun {}.", words::ago(started, now)));
    }
    said.extend(view.track.as_deref().and_then(|track| last(track, now)));
    Markup(said.join(" "))
}

fn last(track: &Track, now: Instant) -> Option<String> {
    let at = track.last_beat?;
    let said = match (track.failed, track.exit) {
        (false, _) => "success".to_owned(),
        (true, Some(status)) => format!("failure with exit status {status}"),
        (true, None) => "failure".to_owned(),
    };
    let took = track.duration.map(|took| format!(" after {}", words::took(took))).unwrap_or_default();
    Some(format!("The last beat, {}, told of {said}{took}.", words::ago(at, now)))
}

/// The sentence about a clock that is held, because nobody could hear while the beat may have come.
pub fn held(terms: &Terms, standing: &Standing, deaf: &[Deaf]) -> Option<String> {
    let last = standing.last.filter(|_| matches!(standing.status, Status::Up | Status::Grace))?;
    let held = terms.missed_held(last, deaf)?;
    if held.by.is_zero() && held.unheard.is_none() {
        return None;
    }
    let blind: Vec<&Deaf> = deaf.iter().filter(|deaf| deaf.to > last && deaf.from < held.deadline).collect();
    let (first, end) = (blind.first()?.from, blind.last()?.to);
    let mut said = format!(
        "The clock is held: we could not hear from {} to {}.",
        words::instant(first),
        words::instant(end)
    );
    if held.unheard.is_some() {
        said.push_str(" A beat may have come meanwhile, so the one after it is waited for.");
    }
    said.push_str(&format!(" Nobody is told of silence before {}.", words::instant(held.deadline)));
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::beat::{Cadence, Counting, Kind};
    use bw_domain::time::{Duration, Zone};

    #[test]
    fn a_clock_is_held_only_for_time_in_which_the_beat_could_come() {
        let at = |s: i64| Instant::from_ms(s * 1_000);
        let cadence = Cadence::at(["0 * * * *"], Counting::all(Zone::UTC)).expect("good");
        let terms = Terms::new(Kind::Own, cadence, Some(Duration::from_secs(600)));
        let standing = Standing {
            status: Status::Up,
            started: None,
            last: Some(at(0)),
            expected: Some(at(3_600)),
            deadline: Some(at(4_200)),
        };
        let said = |from: i64, to: i64| held(&terms, &standing, &[Deaf { from: at(from), to: at(to) }]);
        assert_eq!(said(100, 200), None, "the beat could not come so early");
        let sentence = said(3_500, 3_560).expect("it is held");
        assert!(sentence.contains("from 1970-01-01 00:58:20Z to 1970-01-01 00:59:20Z"), "{sentence}");
        assert!(sentence.ends_with("before 1970-01-01 01:11:00Z."), "{sentence}");
        assert!(said(3_000, 9_000).expect("held").contains("the one after it is waited for"));
        let down = Standing { status: Status::Down, ..standing };
        assert_eq!(held(&terms, &down, &[Deaf { from: at(3_500), to: at(3_560) }]), None);
    }
}
