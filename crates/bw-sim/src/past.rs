//! What is left of a simulation when it is over: everything that the invariants judge.

use crate::Ms;
use crate::journal::Line;
use crate::port::store::Database;
use crate::script::Script;
use bw_domain::id::MonitorId;
use bw_domain::monitor::{Spec, compile};
use bw_domain::port::store::Revision;
use bw_domain::time::Instant;
use bw_domain::uptime::{Range, Uptime};
use std::sync::Arc;

/// Something so wrong that the simulation could not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble(pub String);

/// How long a monitor was up, as a node answered.
#[derive(Clone, Debug)]
pub struct Measured {
    pub monitor: MonitorId,
    pub report: Result<(Range, Uptime), String>,
}

/// The whole past.
pub struct Past {
    pub script: Script,
    pub journal: Vec<Line>,
    pub database: Database,
    pub measured: Vec<Measured>,
    /// True time at the end, and the store's clock then.
    pub ended: Ms,
    pub wall: Instant,
    /// Something was still under way that should have ended.
    pub waiting: bool,
    /// Wishes that nobody granted.
    pub open: Vec<usize>,
    /// Jobs in the queue.
    pub queued: usize,
    pub alive: usize,
    /// Two runs of a seed are the same when this is.
    pub hash: u64,
    pub trouble: Option<Trouble>,
}

/// A revision with the time in which slots belong to it: [from, to).
#[derive(Clone, Debug)]
pub struct Term {
    pub from: Instant,
    pub to: Instant,
    /// `None`: deleted.
    pub spec: Option<Arc<Spec>>,
}

impl Past {
    /// The terms of a monitor, oldest first.
    pub fn terms(&self, monitor: MonitorId) -> Vec<Term> {
        let revisions = self.database.revisions.get(&monitor).map(Vec::as_slice).unwrap_or_default();
        let ends = revisions.iter().skip(1).map(|next| next.effective_from).chain([Instant::MAX]);
        let term = |(revision, to): (&Revision, Instant)| Term {
            from: revision.effective_from,
            to,
            spec: revision.declared.as_ref().map(|_| self.spec(revision)),
        };
        revisions.iter().zip(ends).map(term).collect()
    }

    /// A revision compiled.
    pub fn spec(&self, revision: &Revision) -> Arc<Spec> {
        Arc::new(compile(revision, &self.database.defaults).expect("a script declares what compiles"))
    }

    /// Every monitor that there ever was.
    pub fn monitors(&self) -> impl Iterator<Item = MonitorId> + '_ {
        self.database.revisions.keys().copied()
    }
}
