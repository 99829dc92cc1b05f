//! The complete log of a simulation: everything that the store, the queue, the probes and the sinks did, in the
//! order in which it happened. The oracle and the invariants read it and nothing that the loops believe.

use crate::Ms;
use crate::world::Life;
use bw_domain::beat::{Beat, Deaf, Taken};
use bw_domain::delivery::Delivery;
use bw_domain::id::{DeliveryId, EventId, MonitorId};
use bw_domain::job::{Job, OutcomeKey};
use bw_domain::monitor::Spec;
use bw_domain::outcome::Verdict;
use bw_domain::port::store::{Commit, Gap, NodeId, Revision, Watermark};
use bw_domain::time::Instant;
use std::sync::Arc;

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Line {
    /// True time.
    pub at: Ms,
    /// The store's clock.
    pub wall: Instant,
    pub life: Life,
    pub fact: Fact,
}

/// What a task was told last about hearing.
#[derive(Clone, Debug)]
pub struct Told {
    pub until: Instant,
    pub deaf: Vec<Deaf>,
}

impl Default for Told {
    fn default() -> Self {
        Told { until: Instant::ZERO, deaf: Vec::new() }
    }
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A process began.
    Began { node: usize },
    /// A process ended; nothing in its memory is left.
    Ended,
    /// A revision was stored, with what it means for what was counted.
    Edited { revision: Box<Revision>, commit: Option<Box<Commit>>, heard: Vec<Instant> },
    /// A decision was committed. `heard` are the last times that its loop read from the clock, newest last.
    Committed { commit: Box<Commit>, heard: Vec<Instant>, told: Told },
    /// A client began to send a beat.
    Sent { tag: String },
    /// A client was told that its beat is kept.
    Answered { tag: String, monitor: MonitorId, number: u64 },
    /// A beat was kept, by this revision of its heartbeat.
    Kept { spec: Arc<Spec>, beat: Box<Beat>, taken: Taken },
    /// A mark of a shard was moved by this node; `holder` is whose shard it was.
    Moved { shard: u16, which: Watermark, from: Instant, to: Instant, node: NodeId, holder: Option<NodeId> },
    /// A gap was recorded.
    Written { gap: Gap },
    /// A job was acknowledged. `known`: its outcome was in the store, or can never be.
    Acknowledged { job: Job, known: bool },
    /// A probe began. `ill`: its target was down for it.
    Probed { job: Job, at: Instant, ill: bool, verdict: Verdict },
    /// Attempts were written down.
    Recorded { rows: Vec<Delivery> },
    /// A sink took a message. `lost`: its answer does not arrive.
    Reached { delivery: DeliveryId, told: Vec<EventId>, sink: u64, lost: bool },
    /// The queue accepted jobs.
    Published { keys: Vec<OutcomeKey> },
}
