//! What happened around an incident, in order, in words.

use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// One line of the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Instant,
    pub kind: EntryKind,
    pub text: String,
}

/// What kind of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// The first failing probe.
    Observed,
    /// The health changed.
    Confirmed,
    /// The failure is now another one.
    Changed,
    /// A message reached somebody.
    Told,
    /// A message could not be delivered.
    NotTold,
    Acknowledged,
    Note,
    /// Nobody sees the monitor at present.
    NotObserved,
    /// The monitor was edited, paused or resumed.
    Edited,
    Recovered,
}

impl Entry {
    /// A line.
    pub fn new(at: Instant, kind: EntryKind, text: impl Into<String>) -> Self {
        Entry { at, kind, text: text.into() }
    }
}
