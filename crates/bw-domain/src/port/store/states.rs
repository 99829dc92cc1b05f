//! What is observed and believed, and the one commit that changes it.

use super::Answered;
use crate::beat::Track;
use crate::event::Event;
use crate::id::MonitorId;
use crate::incident::IncidentChange;
use crate::outcome::Outcome;
use crate::state::{Observed, State, Transition};

/// A monitor's rows as they were read.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub monitor: MonitorId,
    pub observed: Observed,
    pub state: State,
    /// What its beats have come to, where it is a heartbeat that ever beat.
    pub track: Option<Box<Track>>,
}

/// One decision with everything that follows from it: written together or not at all.
#[derive(Clone, Debug)]
pub struct Commit {
    pub monitor: MonitorId,
    /// `Observed::seq` of the rows that the decision was made from. The store raises it by one.
    pub expect_seq: u64,
    /// Inserted once by its key.
    pub outcome: Option<Outcome>,
    /// Keep the outcome's evidence, for the incident if one is open after this commit.
    pub keep_evidence: bool,
    pub observed: Option<Observed>,
    /// Its timer (`State::timer`) replaces the monitor's timer.
    pub state: Option<State>,
    pub transition: Option<Transition>,
    pub incident: Option<IncidentChange>,
    pub events: Vec<Event>,
    /// What is known of its beats, decided. Its count is a fence, too: a beat that came since makes a conflict.
    pub track: Option<Box<Track>>,
}

/// What became of one commit of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Durable.
    Committed,
    /// The outcome's key was known already, or its slot was accounted for: nothing was written.
    Duplicate,
    /// The rows have moved since they were loaded: load and decide again.
    Conflict,
    /// The monitor is gone.
    Gone,
}

/// Reading and committing.
pub trait States: Send + Sync {
    /// The rows of these monitors, in the same order. A monitor without rows has `State::new`; one that does not
    /// exist has none.
    fn load(&self, monitors: Vec<MonitorId>) -> Answered<'_, Vec<Option<Loaded>>>;

    /// The rows of every monitor, ordered by id: for lists, without reading outcomes.
    fn all(&self) -> Answered<'_, Vec<Loaded>>;

    /// One transaction for the batch, from which items that are not `Committed` are left out. Answers in order,
    /// after everything is durable.
    fn commit(&self, batch: Vec<Commit>) -> Answered<'_, Vec<Answer>>;
}
