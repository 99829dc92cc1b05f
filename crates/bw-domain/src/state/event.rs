//! What may happen to a state, and what follows from it.

use super::{Health, Heard, Observed, State};
use crate::beat::Track;
use crate::event::Event;
use crate::id::IncidentId;
use crate::incident::IncidentChange;
use crate::job::Job;
use crate::outcome::{Code, Outcome};
use crate::time::Instant;
use smallvec::SmallVec;

/// Why `step` is called.
#[derive(Clone, Copy, Debug)]
pub enum Trigger<'a> {
    /// A probe ended.
    Outcome(&'a Outcome),
    /// The state's own timer is due.
    Timer,
    /// The monitor was created and is to be looked at soon, before its first slot.
    Created,
    /// Something that counts was edited: counters start again; health and incident stay.
    Edited,
    /// The monitor was paused.
    Paused,
    /// The monitor was resumed.
    Resumed,
    /// The monitor was deleted.
    Deleted,
    /// We were away and no slot was handed out since that instant.
    Away(Instant),
    /// A heartbeat: what its beats have come to, or that they did not come.
    Heard(Heard<'a>),
}

/// What `step` may know beside the state.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Now on the store's clock.
    pub now: Instant,
    /// The id that an incident gets if one opens now.
    pub spare: IncidentId,
    /// The address under which people reach the pages, without a slash at the end; may be empty.
    pub base_url: &'a str,
    /// Who did it, for edits.
    pub actor: &'a str,
}

/// Everything that follows, committed together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// The row of observations, when it moved.
    pub observed: Option<Observed>,
    /// The state, when it changed.
    pub state: Option<State>,
    /// What is known of the beats, when it moved.
    pub track: Option<Box<Track>>,
    pub transition: Option<Transition>,
    pub incident: Option<IncidentChange>,
    pub events: SmallVec<[Event; 1]>,
    /// Repeats to publish; the jobs of a timer that is due.
    pub jobs: SmallVec<[Job; 1]>,
    /// False: the outcome is recorded but counts nothing (late, or of an earlier revision).
    pub counted: bool,
    /// The outcome's evidence is worth keeping.
    pub keep_evidence: bool,
    /// True when the incident id in the context was used.
    pub spare_used: bool,
}

/// A change of health.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    pub from: Health,
    pub to: Health,
    /// When it was decided.
    pub at: Instant,
    /// From when it counts: the begin of the first probe that led to it.
    pub since: Instant,
    pub reason: Cause,
}

/// Why a health changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The code of the deciding outcome; `ok` for recoveries.
    pub code: Code,
    pub text: String,
}
