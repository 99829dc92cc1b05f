//! What the beats of a heartbeat, or their absence, mean for its health. One beat decides: there is nobody else to ask.
//!
//! It looks at what is, not at what happened: called twice, or late, it comes to the same. Only a failure is remembered
//! until it was told, so that a success right after it does not hide it.

use super::draft::Draft;
use super::tell::{self, Fall, Rise};
use super::{Health, State};
use crate::beat::{Agreement, Deaf, Fell, Kind, Terms, Track};
use crate::incident::{Scope, ScopeCode};
use crate::outcome::Code;
use crate::time::{Instant, Span};

/// What is heard.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    pub track: &'a Track,
    /// All beats received before this instant are in the track.
    pub until: Instant,
    /// When we could not hear.
    pub deaf: &'a [Deaf],
}

pub(super) fn on_heard(draft: &mut Draft<'_>, heard: Heard<'_>) {
    let Some(agreement) = draft.spec.beats().cloned() else { return };
    let mut track = heard.track.clone();
    if draft.spec.enabled {
        decide(draft, &mut track, &agreement, heard);
    } else {
        (track.fell, track.due) = (None, None);
    }
    track.health = draft.state.health;
    track.revision = track.revision.max(draft.spec.revision);
    draft.out.track = (track != *heard.track).then(|| Box::new(track));
}

fn decide(draft: &mut Draft<'_>, track: &mut Track, agreement: &Agreement, heard: Heard<'_>) {
    if let Some(fell) = track.fell.take() {
        // A success that followed is taken in by the next decision.
        track.due = (!track.failed).then_some(draft.context.now);
        if draft.state.health != Health::Down {
            return fall(draft, fell.at, Code::BEAT_FAILED, failed(&fell));
        }
    }
    let terms = &agreement.terms;
    if draft.state.health == Health::Down
        && let Some(at) = track.last_beat.filter(|at| !track.failed && *at >= draft.state.since)
    {
        // Runs that ran out of time before it were part of what it ends.
        track.runs.retain(|run| terms.overrun(run.at).is_none_or(|end| end > at));
    }
    let expectation = Expectation::of(terms, &draft.state, track, heard.deaf);
    let next = expectation.due.as_ref().map(|(at, _, _)| *at);
    let silent = expectation.due.filter(|(at, _, _)| *at <= heard.until);
    let said = expectation.said.filter(|_| !track.failed);
    // Only who knows how far all beats are in can say that there is no silence any more.
    let looks = heard.until != Instant::ZERO;
    let reconsider = looks && std::mem::take(&mut draft.state.reconsider);
    match (draft.state.health, silent, said) {
        (Health::Down, None, Some(at)) if at >= draft.state.since => {
            rise(draft, at, "a beat came");
            track.due = next;
        }
        (Health::Down, None, Some(_)) if reconsider => {
            rise(draft, draft.context.now, "by what was agreed now its last beat is in time");
            track.due = next;
        }
        (Health::Down, _, _) => track.due = None,
        (_, Some((at, code, text)), _) => {
            fall(draft, at, code, text);
            track.due = None;
            if code == Code::BEAT_OVERRUN {
                // It was told; the next beat is judged for itself, also one that came before this was decided.
                track.runs.remove(0);
                track.due = said.filter(|said| *said >= at).map(|_| draft.context.now);
            }
        }
        (health, None, said) => {
            if let (Health::Unknown, Some(at)) = (health, said) {
                rise(draft, at, "a beat came");
            }
            track.due = next;
        }
    }
}

/// What is waited for.
struct Expectation {
    /// The last word of the job that still counts.
    said: Option<Instant>,
    /// When silence speaks next, and what it says.
    due: Option<(Instant, Code, String)>,
}

impl Expectation {
    fn of(terms: &Terms, state: &State, track: &Track, deaf: &[Deaf]) -> Expectation {
        let counts = |at: &Instant| state.base.is_none_or(|base| *at >= base);
        let said = track.last_beat.filter(counts);
        // Ours is expected again from where it was resumed or edited; elsewhere it begins as a new one.
        let from = said.or(state.base.filter(|_| terms.kind == Kind::Own && track.last_beat.is_some()));
        let missed = from.filter(|_| !(track.failed && said.is_some())).and_then(|from| {
            let held = terms.missed_held(from, deaf)?;
            Some((held.deadline, Code::BEAT_MISSED, missed(terms, track.last_beat.unwrap_or(from), held.by)))
        });
        let overrun = track.runs.first().filter(|run| counts(&run.at)).and_then(|run| {
            let held = terms.overrun_held(run.at, deaf)?;
            let limit = Span(terms.run_limit?);
            let text = format!("the run that began at {} did not end within {limit}", terms.shown(run.at));
            Some((held.deadline, Code::BEAT_OVERRUN, text))
        });
        let due = [missed, overrun].into_iter().flatten().min_by_key(|(at, _, _)| *at);
        Expectation { said, due }
    }
}

fn missed(terms: &Terms, last: Instant, held: crate::time::Duration) -> String {
    let expected = terms.expected(last).map(|at| format!("; the next was expected by {}", terms.shown(at)));
    let grace =
        if terms.grace.is_zero() { String::new() } else { format!(", with {} of grace", Span(terms.grace)) };
    let held =
        if held.is_zero() { String::new() } else { format!("; the clock was held for {}", Span(held)) };
    format!("no beat since {}{}{grace}{held}", terms.shown(last), expected.unwrap_or_default())
}

fn failed(fell: &Fell) -> String {
    match fell.exit {
        Some(status) => format!("the job ended with exit status {status}"),
        None => "the job reported a failure".to_owned(),
    }
}

fn fall(draft: &mut Draft<'_>, since: Instant, code: Code, text: String) {
    let before = draft.state.clone();
    draft.settled(Health::Down, since);
    let scope = Scope { code: ScopeCode::Job, text: "the job itself reports".to_owned() };
    let confirmed = format!("DOWN: {text}");
    let first = text.clone();
    let fall = Fall { since, code, text, scope, first, confirmed, votes: Vec::new(), probe: None };
    tell::fell(draft, &before, fall);
}

fn rise(draft: &mut Draft<'_>, since: Instant, why: &str) {
    let before = draft.state.clone();
    draft.settled(Health::Up, since);
    let rise = Rise { since, text: why.to_owned(), votes: Vec::new(), probe: None };
    tell::rose(draft, &before, rise);
}
