//! One transaction of the writer, as the work inside it sees it: the connection, the rows in memory, and what will be
//! true of them once it is committed.

use super::days::Days;
use super::memory::{Memory, Row, Staged};
use super::periods::Tables;
use super::snapshot::Round;
use super::track_rows;
use super::tracks::Kept;
use crate::seal::SealKey;
use bw_domain::id::MonitorId;
use bw_domain::port::entropy::Entropy;
use bw_domain::time::Instant;
use rusqlite::Connection;
use std::sync::RwLockReadGuard;

/// What the writer alone knows and keeps between transactions.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub tables: Tables,
    pub round: Round,
    pub days: Days,
    pub track_round: track_rows::Round,
}

impl Journal {
    /// After a transaction that failed: the disk says what is true.
    pub fn forget(&mut self) {
        self.tables.forget();
        self.round.forget();
        self.days.forget();
        self.track_round.forget();
    }
}

/// A transaction.
pub(super) struct Tx<'a> {
    pub conn: &'a Connection,
    /// As it was committed last.
    pub base: RwLockReadGuard<'a, Memory>,
    /// As it will be.
    pub staged: Staged,
    pub journal: &'a mut Journal,
    pub now: Instant,
    pub key: &'a SealKey,
    pub entropy: &'a dyn Entropy,
}

impl Tx<'_> {
    /// A monitor's rows as this transaction sees them.
    pub fn row(&self, monitor: MonitorId) -> Option<&Row> {
        match self.staged.rows.get(&monitor) {
            Some(staged) => staged.as_deref(),
            None => self.base.rows.get(&monitor).map(|row| &**row),
        }
    }

    /// A heartbeat's track as this transaction sees it.
    pub fn track(&self, monitor: MonitorId) -> Option<&Kept> {
        match self.staged.tracks.get(&monitor) {
            Some(staged) => staged.as_ref(),
            None => self.base.tracks.kept.get(&monitor),
        }
    }

    /// Changes a monitor's rows with the commit of this transaction.
    pub fn stage(&mut self, monitor: MonitorId, row: Box<Row>) {
        self.staged.rows.insert(monitor, Some(row));
    }

    /// What memory is to become; it is let go of for that.
    pub fn end(self) -> Staged {
        self.staged
    }
}
