//! An interval of ill health with its timeline. One is open at most for a subject.

mod cause;
mod scope;
mod timeline;

pub use cause::IncidentCause;
pub use scope::{Scope, ScopeCode};
pub use timeline::{Entry, EntryKind};

use crate::id::{IncidentId, MonitorId};
use crate::outcome::Verdict;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// Something that is or was not well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    /// What it is about; monitors only for now.
    pub monitor: MonitorId,
    /// The monitor's name when the incident opened: it outlives the monitor.
    pub monitor_name: String,
    /// When it was decided.
    pub opened_at: Instant,
    /// When the first failing probe began.
    pub first_failure_at: Instant,
    pub closed_at: Option<Instant>,
    pub cause: IncidentCause,
    pub scope: Scope,
    pub acknowledged: Option<Acknowledged>,
    /// Set while the monitor is not observed although the incident is open.
    pub not_observed_since: Option<Instant>,
}

/// Who took it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    pub at: Instant,
    pub by: String,
}

/// What a commit does to an incident.
#[derive(Clone, Debug, PartialEq)]
pub enum IncidentChange {
    Open(Box<Incident>, Vec<Entry>),
    /// New entries, and possibly new values.
    Update {
        id: IncidentId,
        cause: Option<IncidentCause>,
        not_observed_since: Option<Option<Instant>>,
        entries: Vec<Entry>,
    },
    Close {
        id: IncidentId,
        at: Instant,
        entries: Vec<Entry>,
    },
    Acknowledge {
        id: IncidentId,
        acknowledged: Acknowledged,
        entries: Vec<Entry>,
    },
}

impl IncidentChange {
    /// The incident that changes.
    pub fn id(&self) -> IncidentId {
        match self {
            IncidentChange::Open(incident, _) => incident.id,
            IncidentChange::Update { id, .. }
            | IncidentChange::Close { id, .. }
            | IncidentChange::Acknowledge { id, .. } => *id,
        }
    }

    /// The timeline entries that it adds.
    pub fn entries(&self) -> &[Entry] {
        match self {
            IncidentChange::Open(_, entries)
            | IncidentChange::Update { entries, .. }
            | IncidentChange::Close { entries, .. }
            | IncidentChange::Acknowledge { entries, .. } => entries,
        }
    }
}

/// What one vantage said in the deciding round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    pub location: String,
    pub family: crate::monitor::Family,
    pub verdict: Verdict,
    pub code: crate::outcome::Code,
    pub phase: Option<crate::outcome::Phase>,
    pub latency_ms: f64,
    pub at: Instant,
}
