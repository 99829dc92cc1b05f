//! What the writer keeps in memory: the rows of every living monitor, their timers, and the desk with the few values
//! that every transaction may need.
//!
//! Only the writer changes it, and only after the transaction that says the same was committed; others read under the
//! lock. So an answer from here is never ahead of the disk.

use bw_domain::id::MonitorId;
use bw_domain::limits::SHARDS;
use bw_domain::port::store::{Loaded, NodeId, Timer};
use bw_domain::schedule::shard_of;
use bw_domain::state::{Observed, State};
use bw_domain::time::Instant;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The newest end of a monitor's chain of outcomes (see `periods`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub period: i32,
    /// 0: no outcome yet.
    pub id: u32,
}

/// A monitor's rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub observed: Observed,
    pub state: State,
    pub head: Head,
    /// Outcomes with slots up to here may be stored without showing in `observed`.
    pub hidden_until: Instant,
}

impl Row {
    /// A monitor that nobody has looked at.
    pub fn new(created_at: Instant) -> Self {
        Row {
            observed: Observed::default(),
            state: State::new(created_at, 1),
            head: Head::default(),
            hidden_until: Instant::ZERO,
        }
    }

    /// As callers see it.
    pub fn loaded(&self, monitor: MonitorId) -> Loaded {
        Loaded { monitor, observed: self.observed.clone(), state: self.state.clone() }
    }
}

/// One shard of the installation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shard {
    pub published: Instant,
    pub accounted: Instant,
    pub holder: Option<NodeId>,
    pub epoch: u64,
    /// The holder's lease; it ends with this process at the latest.
    pub until: Instant,
}

/// Small values, copied into each transaction.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub shards: Vec<Shard>,
    /// Nodes that want shards, and until when they count as alive.
    pub nodes: BTreeMap<NodeId, Instant>,
    /// The cursor of the feed of changes.
    pub last_change: i64,
}

impl Desk {
    /// Nobody has planned since the first start.
    pub fn new(first_start: Instant) -> Self {
        let idle = Shard {
            published: first_start,
            accounted: first_start,
            holder: None,
            epoch: 0,
            until: Instant::ZERO,
        };
        Desk { shards: vec![idle; usize::from(SHARDS)], nodes: BTreeMap::new(), last_change: 0 }
    }

    /// The shard of a monitor.
    pub fn shard_of(&self, monitor: MonitorId) -> &Shard {
        &self.shards[usize::from(shard_of(monitor))]
    }
}

/// All of it.
#[derive(Debug)]
pub(super) struct Memory {
    pub rows: BTreeMap<MonitorId, Box<Row>>,
    pub timers: BTreeSet<Timer>,
    pub desk: Desk,
}

/// What a transaction will change once it is committed. `None`: the monitor goes.
#[derive(Clone, Debug)]
pub(super) struct Staged {
    pub rows: HashMap<MonitorId, Option<Box<Row>>>,
    pub desk: Desk,
}

impl Memory {
    /// Rows as they were read at start.
    pub fn new(rows: BTreeMap<MonitorId, Box<Row>>, desk: Desk) -> Self {
        let mut timers = BTreeSet::new();
        for (monitor, row) in &rows {
            timers.extend(row.state.timer().map(|due| Timer { due, monitor: *monitor }));
        }
        Memory { rows, timers, desk }
    }

    /// The begin of a transaction.
    pub fn stage(&self) -> Staged {
        Staged { rows: HashMap::new(), desk: self.desk.clone() }
    }

    /// The end of a transaction that was committed.
    pub fn publish(&mut self, staged: Staged) {
        self.desk = staged.desk;
        for (monitor, row) in staged.rows {
            let before = self.rows.get(&monitor).and_then(|row| row.state.timer());
            let after = row.as_ref().and_then(|row| row.state.timer());
            if before != after {
                before.map(|due| self.timers.remove(&Timer { due, monitor }));
                after.map(|due| self.timers.insert(Timer { due, monitor }));
            }
            match row {
                Some(row) => drop(self.rows.insert(monitor, row)),
                None => drop(self.rows.remove(&monitor)),
            }
        }
    }
}
