//! One index of what is due: each monitor has at most one timer, that of its state.

use super::Answered;
use crate::id::MonitorId;
use crate::time::Instant;

/// A monitor that wants attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    pub due: Instant,
    pub monitor: MonitorId,
}

/// Timers. They are set by `States::commit`.
pub trait Timers: Send + Sync {
    /// The earliest timers that are due, at most `limit`.
    fn due(&self, now: Instant, limit: usize) -> Answered<'_, Vec<Timer>>;

    /// When the earliest one is due.
    fn next(&self) -> Answered<'_, Option<Instant>>;
}
