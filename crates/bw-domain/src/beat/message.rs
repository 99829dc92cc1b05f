//! One message of a job, as it came in.

use super::signal::{RunId, Signal};
use crate::id::MonitorId;
use crate::time::{Duration, Instant};
use bytes::Bytes;

/// A beat on its way to the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Beat {
    pub monitor: MonitorId,
    /// When it was received, taken at the edge.
    pub at: Instant,
    /// When it happened, where the client says so because it could not tell at once. Never later than `at`.
    pub happened: Option<Instant>,
    pub signal: Signal,
    /// Kept, and changes nothing: no keyword was found, the method does not count, or a person must resume first.
    pub ignored: bool,
    pub run: Option<RunId>,
    /// How long the run took, where the client says so; else it is known from the start.
    pub took: Option<Duration>,
    pub via: Via,
    pub body: Bytes,
}

/// How a beat came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Via {
    /// `http` or `https`.
    pub scheme: Box<str>,
    pub method: Box<str>,
    /// Who sent it, as far as we can tell.
    pub remote: Box<str>,
    pub agent: Box<str>,
}

impl Beat {
    /// The instant that counts.
    pub fn instant(&self) -> Instant {
        self.happened.map_or(self.at, |happened| happened.min(self.at))
    }

    /// As it is stored and shown: `success`, `start`, `fail`, `log` or `ign`.
    pub const fn word(&self) -> &'static str {
        if self.ignored { "ign" } else { self.signal.word() }
    }
}
