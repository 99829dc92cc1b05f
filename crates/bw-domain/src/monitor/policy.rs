//! When a health changes and what is said of it.

use crate::time::Duration;

/// The counting rule of one monitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// Failing rounds in a row until DOWN.
    pub failures: u16,
    /// Passing rounds in a row until UP.
    pub recoveries: u16,
    /// From a first failure to its repeat in place.
    pub after: Duration,
    /// How many vantages must say *fail*.
    pub agree: Agree,
    /// With several vantages asked, fewer than this able to see means UNKNOWN.
    pub min: u16,
}

/// How the votes of one round become its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agree {
    /// More than half of those that could see.
    Majority,
    /// At least so many.
    AtLeast(u16),
}

/// What is said unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tell {
    /// Speak when a monitor is seen UP for the first time.
    pub first_up: bool,
}
