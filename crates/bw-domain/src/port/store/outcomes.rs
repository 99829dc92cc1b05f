//! Reading what probes saw. Writing is `States::commit`.

use super::{Answered, Gap};
use crate::id::{EvidenceId, IncidentId, MonitorId};
use crate::job::OutcomeKey;
use crate::outcome::{Certificate, Code, Evidence, Phases, Verdict};
use crate::state::Health;
use crate::time::Instant;

/// One stored outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct OutcomeRow {
    pub key: OutcomeKey,
    pub revision: u32,
    pub at: Instant,
    pub verdict: Verdict,
    pub code: Code,
    pub status: u16,
    pub latency_us: u32,
    pub phases: Phases,
    pub evidence: Option<EvidenceId>,
}

/// Which outcomes of a monitor; newest first by (slot, try, vantage).
#[derive(Clone, Debug, PartialEq)]
pub struct OutcomeQuery {
    pub monitor: MonitorId,
    /// Slots from here, inclusive.
    pub from: Instant,
    /// Slots before here, exclusive.
    pub to: Instant,
    pub verdict: Option<Verdict>,
    /// False: slots only (`try` 0), what uptime and latency are computed from.
    pub repeats: bool,
    pub limit: usize,
}

/// One stored piece of evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct EvidenceRow {
    pub id: EvidenceId,
    pub key: OutcomeKey,
    pub incident: Option<IncidentId>,
    pub at: Instant,
    pub code: Code,
    pub evidence: Evidence,
}

/// One stored change of health.
#[derive(Clone, Debug, PartialEq)]
pub struct TransitionRow {
    pub at: Instant,
    pub since: Instant,
    pub from: Health,
    pub to: Health,
    pub code: Code,
    pub text: String,
}

/// History.
pub trait Outcomes: Send + Sync {
    /// The rows of a range.
    fn range(&self, query: OutcomeQuery) -> Answered<'_, Vec<OutcomeRow>>;

    /// For each key whether its outcome is known (a row, or a slot that a gap accounts for).
    fn known(&self, keys: Vec<OutcomeKey>) -> Answered<'_, Vec<bool>>;

    /// Intervals in which every slot of the monitor's shard without a row is inconclusive.
    fn gaps(&self, monitor: MonitorId, from: Instant, to: Instant) -> Answered<'_, Vec<Gap>>;

    /// One piece of evidence.
    fn evidence(&self, id: EvidenceId) -> Answered<'_, Option<EvidenceRow>>;

    /// The newest pieces of a monitor, or all of an incident, newest first.
    fn evidence_of(
        &self,
        monitor: MonitorId,
        incident: Option<IncidentId>,
        limit: usize,
    ) -> Answered<'_, Vec<EvidenceRow>>;

    /// The certificate that was last seen at any vantage.
    fn certificate(&self, monitor: MonitorId) -> Answered<'_, Option<Certificate>>;

    /// Changes of health, newest first.
    fn transitions(&self, monitor: MonitorId, limit: usize) -> Answered<'_, Vec<TransitionRow>>;

    /// Drops what is older than the retention: whole periods. Answers how many periods went.
    fn retain(&self, now: Instant) -> Answered<'_, usize>;
}
