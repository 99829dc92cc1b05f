//! How a heartbeat stands now, for people and for clients: what was said last, what is expected when, and one word.

use super::deadline::{Kind, Status};
use super::track::Track;
use crate::monitor::Spec;
use crate::state::{Health, State};
use crate::time::{Duration, Instant};

/// What is to be said of a heartbeat. Before its first decision a beat shows here already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub status: Status,
    /// When the earliest run under way began.
    pub started: Option<Instant>,
    /// The last success or failure that still counts.
    pub last: Option<Instant>,
    /// When the next beat is expected.
    pub expected: Option<Instant>,
    /// From when on its absence is told.
    pub deadline: Option<Instant>,
}

impl Standing {
    /// Nothing for monitors that are probed.
    pub fn of(spec: &Spec, state: &State, track: Option<&Track>, now: Instant) -> Option<Standing> {
        let agreement = spec.beats()?;
        let terms = &agreement.terms;
        let blank = Track::default();
        let track = track.unwrap_or(&blank);
        let counts = |at: &Instant| state.base.is_none_or(|base| *at >= base);
        let last = track.last_beat.filter(counts);
        let started = track.runs.first().map(|run| run.at).filter(counts);
        let from = last.or(state.base.filter(|_| terms.kind == Kind::Own && track.last_beat.is_some()));
        let expected = from.and_then(|from| terms.expected(from));
        let reckoned = from.and_then(|from| terms.missed(from));
        // What was decided may be later than what is reckoned: the clock was held.
        let deadline = match (reckoned, track.due) {
            (Some(reckoned), Some(due)) if started.is_none() => Some(reckoned.max(due)),
            (reckoned, _) => reckoned,
        };
        let failed = track.failed && last.is_some();
        let status = if !spec.enabled {
            Status::Paused
        } else if failed || state.health == Health::Down && last.is_none_or(|last| last < state.since) {
            Status::Down
        } else if last.is_none() && started.is_none() && from.is_none() {
            Status::New
        } else if expected.is_some_and(|expected| now >= expected) {
            Status::Grace
        } else if last.is_none() {
            Status::New
        } else {
            Status::Up
        };
        let open = spec.enabled && status != Status::Down;
        Some(Standing {
            status,
            started,
            last,
            expected: expected.filter(|_| spec.enabled),
            deadline: deadline.filter(|_| open),
        })
    }

    /// How late the expected beat is.
    pub fn late(&self, now: Instant) -> Option<Duration> {
        self.expected.filter(|expected| *expected < now).map(|expected| now.since(expected))
    }
}
