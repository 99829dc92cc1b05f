//! The document that says that something happened: what routes see, what webhooks carry, what the ledger keeps.
//! Members may be added within schema 1, never renamed; those that do not apply are null.

mod kind;

pub use kind::{EventKind, Severity};

use crate::id::{EventId, IncidentId, MonitorId};
use crate::incident::{IncidentCause, Said, Scope};
use crate::outcome::Phases;
use crate::state::Health;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The schema, 1.
    pub bellwether: u8,
    pub id: EventId,
    pub kind: EventKind,
    pub at: Instant,
    pub severity: Severity,
    /// One sentence for people.
    pub summary: String,
    pub link: Option<String>,
    pub project: String,
    pub monitor: Option<Subject>,
    pub change: Option<Change>,
    pub incident: Option<IncidentFacts>,
    #[serde(default)]
    pub votes: Vec<Said>,
    pub alarm: Option<serde_json::Value>,
    pub location: Option<serde_json::Value>,
    pub delivery: Option<serde_json::Value>,
    /// What failed and how long each phase took, for messages; null where no probe decided.
    #[serde(default)]
    pub probe: Option<ProbeFacts>,
}

/// The monitor that it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    pub id: MonitorId,
    pub name: String,
    pub kind: String,
    pub target: String,
    pub labels: BTreeMap<String, String>,
}

/// A change of health.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub from: Health,
    pub to: Health,
    pub since: Instant,
    pub reason: String,
    /// Whether people are told of it unasked: not for a change to UNKNOWN and back to what was known.
    pub spoken: bool,
}

/// The incident as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentFacts {
    pub id: IncidentId,
    pub opened_at: Instant,
    pub closed_at: Option<Instant>,
    pub duration_s: u64,
    pub acknowledged_by: Option<String>,
    pub cause: IncidentCause,
    pub scope: Scope,
}

/// The deciding probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeFacts {
    pub status: u16,
    pub latency_ms: f64,
    pub phases: Phases,
    /// What was seen, in a sentence.
    pub text: String,
    /// The expectation that failed, as it was written.
    pub expectation: Option<String>,
}

impl Event {
    /// An event with nothing but its kind and sentence; the maker adds what applies.
    pub fn new(
        id: EventId,
        kind: EventKind,
        at: Instant,
        severity: Severity,
        summary: impl Into<String>,
    ) -> Self {
        Event {
            bellwether: 1,
            id,
            kind,
            at,
            severity,
            summary: summary.into(),
            link: None,
            project: "default".to_owned(),
            monitor: None,
            change: None,
            incident: None,
            votes: Vec::new(),
            alarm: None,
            location: None,
            delivery: None,
            probe: None,
        }
    }

    /// What must be told in order: the subject of the event.
    pub fn subject(&self) -> String {
        match (&self.monitor, &self.incident) {
            (Some(monitor), _) => format!("monitor:{}", monitor.id),
            (None, Some(incident)) => format!("incident:{}", incident.id),
            (None, None) => format!("system:{}", self.kind),
        }
    }
}
