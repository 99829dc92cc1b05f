//! How long history is kept.

use bw_domain::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// Ages beyond which rows are dropped, counted in whole periods where a table is a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Outcomes and gaps.
    pub outcomes: Duration,
    /// Closed incidents with their timeline and evidence, transitions, and what is left of deleted monitors.
    pub incidents: Duration,
    /// Events and the ledger of deliveries.
    pub deliveries: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Retention { outcomes: DAY * 30, incidents: DAY * 730, deliveries: DAY * 90 }
    }
}
