//! One revision of one monitor, checked and compiled: what the catalog holds and every loop reads. A million of
//! them must fit, so texts are boxed and what is equal is shared.

use super::Declaration;
use super::policy::{Confirm, Tell};
use super::vantage::Vantage;
use crate::assert::Expectation;
use crate::beat::Agreement;
use crate::id::{MonitorId, Uuid};
use crate::probe::Probe;
use crate::time::{Duration, Instant};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::sync::Arc;

/// Nearly every monitor has one vantage.
pub type Vantages = SmallVec<[Vantage; 1]>;

/// How it is watched.
#[derive(Clone, Debug, PartialEq)]
pub enum Watch {
    /// From outside.
    Probe(Arc<Probe>),
    /// The job reports, and its silence speaks.
    Beats(Arc<Agreement>),
}

/// When and from where it is looked at, and what is made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub every: Duration,
    pub timeout: Duration,
    pub vantages: Vantages,
    pub expect: Arc<[Expectation]>,
    pub confirm: Confirm,
}

/// A monitor at one revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    pub id: MonitorId,
    pub uuid: Uuid,
    pub revision: u32,
    /// From this instant slots belong to this revision.
    pub effective_from: Instant,
    pub created_at: Instant,
    /// Who owns the declaration: a file's name, or nobody (API and pages).
    pub owner: Option<Arc<str>>,
    /// As it was written; secrets inside.
    pub declared: Box<Declaration>,
    pub watch: Watch,
    /// Shared with all that are looked at and judged alike.
    pub policy: Arc<Policy>,
    pub tell: Tell,
    /// False is the mode *paused*.
    pub enabled: bool,
}

impl Spec {
    /// The name that people gave.
    pub fn name(&self) -> &str {
        &self.declared.name
    }

    /// `http`, `tcp`, `tls`, or `heartbeat`.
    pub fn kind(&self) -> &'static str {
        match &self.watch {
            Watch::Probe(probe) => probe.kind(),
            Watch::Beats(_) => "heartbeat",
        }
    }

    /// What is watched, as shown to people: an address, or when beats are expected.
    pub fn target(&self) -> Cow<'_, str> {
        match &self.watch {
            Watch::Probe(probe) => probe.target().into(),
            Watch::Beats(agreement) => agreement.terms.cadence.to_string().into(),
        }
    }

    /// How to look at it; nothing where the job reports.
    pub fn probe(&self) -> Option<&Arc<Probe>> {
        match &self.watch {
            Watch::Probe(probe) => Some(probe),
            Watch::Beats(_) => None,
        }
    }

    /// What was agreed with the job; nothing where it is probed.
    pub fn beats(&self) -> Option<&Arc<Agreement>> {
        match &self.watch {
            Watch::Probe(_) => None,
            Watch::Beats(agreement) => Some(agreement),
        }
    }

    /// True while the monitor has ended or not begun to count.
    pub fn counts_at(&self, at: Instant) -> bool {
        self.enabled && at >= self.effective_from
    }

    /// After so long without a pass or fail the health is UNKNOWN, and a streak is forgotten.
    pub fn stale_after(&self) -> Duration {
        (self.policy.every * 3).max(Duration::from_secs(120))
    }
}
