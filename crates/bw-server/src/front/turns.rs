//! Which answer is the last of its connection: the reader knows the request from which on it cannot look any more,
//! the service the request that it is asked, and both count alike, as requests come and are answered in order.
//!
//! Both run in the connection's one task, so the counters need no order among themselves.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug)]
pub(crate) struct Turns {
    asked: AtomicU64,
    last: AtomicU64,
}

impl Default for Turns {
    fn default() -> Self {
        Self { asked: AtomicU64::new(0), last: AtomicU64::new(u64::MAX) }
    }
}

impl Turns {
    /// The request of this number, counted from 1, is the connection's last, unless one before it was said to be.
    pub fn end_with(&self, turn: u64) {
        self.last.fetch_min(turn, Ordering::Relaxed);
    }

    /// Counts the request that is asked now: is it the last?
    pub fn is_last(&self) -> bool {
        let turn = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        turn >= self.last.load(Ordering::Relaxed)
    }
}
