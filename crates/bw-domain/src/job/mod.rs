//! "Probe this for that slot, before then": ids only, nothing secret, small enough for hundreds in one message.

mod budget;

pub use budget::{Window, window};

use crate::id::{JobId, MonitorId};
use crate::monitor::Vantage;
use crate::time::Instant;

/// The identity of one probe. The revision says what was planned and is no part of the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Job {
    pub monitor: MonitorId,
    pub revision: u32,
    pub vantage: Vantage,
    /// The planned instant; for a repeat the slot that it repeats.
    pub slot: Instant,
    /// 0 is the slot itself, 1… are the repeats of its rounds.
    pub r#try: u8,
    /// When to begin: the slot itself, or the instant of the repeat.
    pub start: Instant,
    /// Too late to begin after this: the outcome is then *inconclusive: missed*.
    pub not_after: Instant,
}

/// What makes two outcomes the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutcomeKey {
    pub monitor: MonitorId,
    pub vantage: Vantage,
    pub slot: Instant,
    pub r#try: u8,
}

impl Job {
    /// The key of the outcome that this job leads to.
    pub fn key(&self) -> OutcomeKey {
        OutcomeKey { monitor: self.monitor, vantage: self.vantage, slot: self.slot, r#try: self.r#try }
    }

    /// 128 bits that mean (monitor, vantage, slot, try).
    pub fn id(&self) -> JobId {
        self.key().id()
    }
}

impl OutcomeKey {
    /// The job's id.
    pub fn id(&self) -> JobId {
        JobId::of(&[
            &self.monitor.0.to_le_bytes(),
            &self.vantage.number().to_le_bytes(),
            &self.slot.ms().to_le_bytes(),
            &[self.r#try],
        ])
    }
}
