//! What the store tells of itself: how large it is and how its commits go.

use super::tx::Journal;
use bw_domain::time::Duration;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Upper bounds of the histogram of commits, in microseconds.
pub const COMMIT_BOUNDS_US: [u64; 10] =
    [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_500_000];

/// Counters that the writer moves.
#[derive(Debug, Default)]
pub(super) struct Stats {
    commits: AtomicU64,
    items: AtomicU64,
    last_items: AtomicU64,
    last_us: AtomicU64,
    total_us: AtomicU64,
    buckets: [AtomicU64; COMMIT_BOUNDS_US.len() + 1],
    period_rows: AtomicU64,
}

/// As they were at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Bytes of the database file.
    pub file_bytes: u64,
    /// Bytes of its log.
    pub log_bytes: u64,
    /// Outcomes in the table of the present period.
    pub period_rows: u64,
    /// Transactions since the start; each was synchronised once.
    pub commits: u64,
    /// What was in them.
    pub items: u64,
    pub last_items: u64,
    /// From the begin of the transaction to the end of its synchronisation.
    pub last_commit: Duration,
    /// The sum over all transactions.
    pub total_commit: Duration,
    /// Transactions by duration: as many as took at most each bound, and the rest.
    pub buckets: [u64; COMMIT_BOUNDS_US.len() + 1],
}

impl Stats {
    /// A transaction has ended.
    pub fn committed(&self, items: usize, took: Duration, journal: &Journal) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = COMMIT_BOUNDS_US.iter().position(|bound| us <= *bound).unwrap_or(COMMIT_BOUNDS_US.len());
        self.commits.fetch_add(1, Relaxed);
        self.items.fetch_add(items as u64, Relaxed);
        self.last_items.store(items as u64, Relaxed);
        self.last_us.store(us, Relaxed);
        self.total_us.fetch_add(us, Relaxed);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.period_rows.store(u64::from(journal.tables.newest_rows()), Relaxed);
    }

    /// The counters now; the sizes are the caller's to add.
    pub fn now(&self) -> StoreStats {
        let mut buckets = [0; COMMIT_BOUNDS_US.len() + 1];
        for (now, bucket) in buckets.iter_mut().zip(&self.buckets) {
            *now = bucket.load(Relaxed);
        }
        StoreStats {
            file_bytes: 0,
            log_bytes: 0,
            period_rows: self.period_rows.load(Relaxed),
            commits: self.commits.load(Relaxed),
            items: self.items.load(Relaxed),
            last_items: self.last_items.load(Relaxed),
            last_commit: Duration::from_micros(self.last_us.load(Relaxed)),
            total_commit: Duration::from_micros(self.total_us.load(Relaxed)),
            buckets,
        }
    }
}
