//! A clock that a test turns by hand. Wall and monotonic time move together unless the test steps the wall clock.

use bw_domain::port::clock::Clock;
use bw_domain::time::{Duration, Instant};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

/// Stands still until it is told otherwise.
#[derive(Debug)]
pub struct ManualClock {
    now_ms: AtomicI64,
    monotonic_ms: AtomicI64,
}

impl ManualClock {
    /// Shows this instant.
    pub fn new(now: Instant) -> Self {
        ManualClock { now_ms: AtomicI64::new(now.ms()), monotonic_ms: AtomicI64::new(0) }
    }

    /// Time passes.
    pub fn advance(&self, by: Duration) {
        let ms = i64::try_from(by.as_millis()).expect("a test lasts less than an age");
        self.now_ms.fetch_add(ms, SeqCst);
        self.monotonic_ms.fetch_add(ms, SeqCst);
    }

    /// Somebody sets the wall clock, forward or back; no time passes.
    pub fn step_to(&self, now: Instant) {
        self.now_ms.store(now.ms(), SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        Instant::from_ms(self.now_ms.load(SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.monotonic_ms.load(SeqCst).unsigned_abs())
    }
}
