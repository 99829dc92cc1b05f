//! Time from outside. One file of the binary implements it; tests turn it by hand.

use crate::time::{Duration, Instant};

/// The wall clock, for slots and records, and a clock that never steps, for waiting and measuring.
pub trait Clock: Send + Sync {
    /// Now on the wall clock.
    fn now(&self) -> Instant;

    /// Time since an arbitrary start, never going back.
    fn monotonic(&self) -> Duration;
}
