//! What was found when a store was opened, whichever it is.

use bw_domain::time::Instant;

/// What was found at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenReport {
    /// The random identity of the installation.
    pub installation: u128,
    pub first_start: Instant,
    pub schema: i64,
    pub monitors: usize,
    /// Sentences for the log.
    pub warnings: Vec<String>,
}
