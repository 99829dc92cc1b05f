//! What the writer keeps in memory: the rows of every living monitor, their timers, and the desk with the few values
//! that every transaction may need.
//!
//! Only the writer changes it, and only after the transaction that says the same was committed; others read under the
//! lock. So an answer from here is never ahead of the disk.

use super::hearing::Said;
use super::tracks::{Kept, Tracks};
use bw_domain::id::MonitorId;
use bw_domain::limits::SHARDS;
use bw_domain::port::store::{Loaded, NodeId, Timer};
use bw_domain::schedule::shard_of;
use bw_domain::state::{Health, Observed, State};
use bw_domain::time::Instant;
use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{BTreeSet, HashMap};

/// The newest end of a monitor's chain of outcomes (see `periods`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub period: i32,
    /// 0: no outcome yet.
    pub id: u32,
}

/// A state as it rests: of nearly every monitor only these few values are ever set.
#[derive(Clone, Debug, PartialEq)]
enum Resting {
    Quiet { health: Health, known: Option<Health>, since: Instant, revision: u32 },
    Moving(Box<State>),
}

impl Resting {
    fn of(state: State) -> Self {
        let State { health, known, since, revision, .. } = state;
        let quiet = State { health, known, ..State::new(since, revision) };
        if state == quiet {
            Resting::Quiet { health, known, since, revision }
        } else {
            Resting::Moving(Box::new(state))
        }
    }
}

/// A monitor's rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub observed: Observed,
    state: Resting,
    pub head: Head,
    /// Outcomes with slots up to here may be stored without showing in `observed`.
    pub hidden_until: Instant,
}

impl Row {
    /// A monitor that nobody has looked at.
    pub fn new(created_at: Instant) -> Self {
        Row {
            observed: Observed::default(),
            state: Resting::of(State::new(created_at, 1)),
            head: Head::default(),
            hidden_until: Instant::ZERO,
        }
    }

    /// What is believed.
    pub fn state(&self) -> State {
        match &self.state {
            Resting::Quiet { health, known, since, revision } => {
                State { health: *health, known: *known, ..State::new(*since, *revision) }
            }
            Resting::Moving(state) => (**state).clone(),
        }
    }

    /// Believes something else.
    pub fn set_state(&mut self, state: State) {
        self.state = Resting::of(state);
    }

    /// The timer of the state.
    pub fn timer(&self) -> Option<Instant> {
        match &self.state {
            Resting::Quiet { .. } => None,
            Resting::Moving(state) => state.timer(),
        }
    }

    /// As callers see it.
    pub fn loaded(&self, monitor: MonitorId, kept: Option<&Kept>) -> Loaded {
        let track = kept.map(|kept| Box::new(kept.track()));
        Loaded { monitor, observed: self.observed.clone(), state: self.state(), track }
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
    pub tracks: Tracks,
    pub desk: Desk,
}

/// What a transaction will change once it is committed. `None`: the monitor goes.
#[derive(Clone, Debug)]
pub(super) struct Staged {
    pub rows: HashMap<MonitorId, Option<Box<Row>>>,
    pub tracks: HashMap<MonitorId, Option<Kept>>,
    pub said: Vec<Said>,
    pub desk: Desk,
}

impl Memory {
    /// Rows as they were read at start.
    pub fn new(rows: BTreeMap<MonitorId, Box<Row>>, tracks: Tracks, desk: Desk) -> Self {
        let mut timers = BTreeSet::new();
        for (monitor, row) in &rows {
            timers.extend(row.timer().map(|due| Timer { due, monitor: *monitor }));
        }
        Memory { rows, timers, tracks, desk }
    }

    /// The begin of a transaction.
    pub fn stage(&self) -> Staged {
        Staged { rows: HashMap::new(), tracks: HashMap::new(), said: Vec::new(), desk: self.desk.clone() }
    }

    /// The end of a transaction that was committed.
    pub fn publish(&mut self, staged: Staged) {
        self.desk = staged.desk;
        for (monitor, kept) in staged.tracks {
            self.tracks.publish(monitor, kept);
        }
        for (monitor, row) in staged.rows {
            let before = self.rows.get(&monitor).and_then(|row| row.timer());
            let after = row.as_ref().and_then(|row| row.timer());
            if before != after {
                before.map(|due| self.timers.remove(&Timer { due, monitor }));
                after.map(|due| self.timers.insert(Timer { due, monitor }));
            }
            match (row, self.rows.entry(monitor)) {
                // In place: the rows stay where they are, and what was staged goes back to where it came from.
                (Some(row), Entry::Occupied(mut before)) => **before.get_mut() = *row,
                (Some(row), Entry::Vacant(free)) => drop(free.insert(row)),
                (None, Entry::Occupied(before)) => drop(before.remove()),
                (None, Entry::Vacant(_)) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::state::{Cell, Streak, Toward};

    #[test]
    fn a_row_stays_small() {
        // A heartbeat has this and nothing more; a probed monitor one cell besides.
        assert!(size_of::<Row>() <= 72, "{}", size_of::<Row>());
        assert!(size_of::<Cell>() <= 256, "{}", size_of::<Cell>());
    }

    #[test]
    fn a_state_rests_without_loss() {
        let at = Instant::from_ms;
        let quiet = State { health: Health::Up, known: Some(Health::Up), ..State::new(at(7), 3) };
        let streak = Streak { toward: Toward::Down, rounds: 1, first_at: at(1), last_at: at(2) };
        let moving = State { streak: Some(streak), stale_at: Some(at(99)), ..quiet.clone() };
        let mut row = Row::new(at(0));
        for state in [quiet, moving, State::new(at(5), 1)] {
            row.set_state(state.clone());
            assert_eq!((row.state(), row.timer()), (state.clone(), state.timer()));
        }
        assert!(matches!(row.state, Resting::Quiet { .. }));
    }
}
