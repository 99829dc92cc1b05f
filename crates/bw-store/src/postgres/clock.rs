//! The store's clock is the database's: one for all nodes. Asking it costs a round trip, so each node keeps how far its
//! own clock is from it, measured whenever it speaks of leases, which it does every few seconds.

use bw_domain::port::clock::Clock;
use bw_domain::time::{Duration, Instant};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// The process's steady clock plus what was measured.
pub struct DatabaseClock {
    process: Arc<dyn Clock>,
    /// The database's milliseconds when the steady clock showed zero.
    base_ms: AtomicI64,
}

impl DatabaseClock {
    /// Before any measurement it shows what the process's clock shows.
    pub fn new(process: Arc<dyn Clock>) -> Self {
        let base = process.now().ms() - ms(process.monotonic());
        DatabaseClock { process, base_ms: AtomicI64::new(base) }
    }

    /// The database showed this at some time between two readings of the steady clock: the middle is closest.
    pub(super) fn measured(&self, sent: Duration, received: Duration, shown: Instant) {
        let middle = (ms(sent) + ms(received)) / 2;
        self.base_ms.store(shown.ms() - middle, Relaxed);
    }

    /// How far the database's wall clock is ahead of the process's.
    pub fn ahead_ms(&self) -> i64 {
        self.now().ms() - self.process.now().ms()
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Instant {
        Instant::from_ms(self.base_ms.load(Relaxed) + ms(self.process.monotonic()))
    }

    fn monotonic(&self) -> Duration {
        self.process.monotonic()
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_testkit::builders::START;
    use bw_testkit::clock::ManualClock;

    #[test]
    fn it_goes_with_the_database_whatever_happens_to_the_wall_clock_here() {
        let process = Arc::new(ManualClock::new(START));
        let clock = DatabaseClock::new(process.clone());
        assert_eq!(clock.now(), START);
        let ahead = START + Duration::from_secs(90);
        let sent = process.monotonic();
        process.advance(Duration::from_millis(20));
        clock.measured(sent, process.monotonic(), ahead);
        assert_eq!(clock.now(), ahead + Duration::from_millis(10));
        assert_eq!(clock.ahead_ms(), 89_990);
        process.step_to(Instant::ZERO);
        process.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), ahead + Duration::from_millis(1_010));
    }
}
