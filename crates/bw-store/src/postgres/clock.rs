//! The store's clock is the database's: one for all nodes. Asking it costs a round trip, so each node keeps how far its
//! own clock is from it, measured every few seconds with calls that happen anyway: whoever holds shards renews them, and
//! every node reads the feed of changes.

use bw_domain::port::clock::Clock;
use bw_domain::time::{Duration, Instant};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// The process's steady clock plus what was measured.
pub struct DatabaseClock {
    process: Arc<dyn Clock>,
    /// The database's milliseconds when the steady clock showed zero.
    base_ms: AtomicI64,
    /// When that was measured, on the steady clock; -1 before it ever was.
    measured_ms: AtomicI64,
}

/// A measurement that took longer says less than the one before it.
const SLOW: Duration = Duration::from_secs(1);
/// Two steady clocks that are this long apart without a look differ by less than a millisecond.
const FRESH: Duration = Duration::from_secs(5);

impl DatabaseClock {
    /// Before any measurement it shows what the process's clock shows.
    pub fn new(process: Arc<dyn Clock>) -> Self {
        let base = process.now().ms() - ms(process.monotonic());
        DatabaseClock { process, base_ms: AtomicI64::new(base), measured_ms: AtomicI64::new(-1) }
    }

    /// The database showed this at some time between two readings of the steady clock: the middle is closest.
    pub(super) fn measured(&self, sent: Duration, received: Duration, shown: Instant) {
        let slow = received.saturating_sub(sent) > SLOW;
        if slow && self.measured_ms.load(Relaxed) >= 0 {
            return;
        }
        let middle = (ms(sent) + ms(received)) / 2;
        self.base_ms.store(shown.ms() - middle, Relaxed);
        self.measured_ms.store(ms(received), Relaxed);
    }

    /// Whether it is time to measure again.
    pub(super) fn is_due(&self) -> bool {
        let measured = self.measured_ms.load(Relaxed);
        measured < 0 || ms(self.process.monotonic()) - measured >= ms(FRESH)
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
        assert!(clock.is_due());
        let ahead = START + Duration::from_secs(90);
        let sent = process.monotonic();
        process.advance(Duration::from_millis(20));
        clock.measured(sent, process.monotonic(), ahead);
        assert_eq!(clock.now(), ahead + Duration::from_millis(10));
        assert_eq!(clock.ahead_ms(), 89_990);
        assert!(!clock.is_due());
        // An answer that was long on its way says nothing new.
        clock.measured(sent, process.monotonic() + Duration::from_secs(9), START);
        assert_eq!(clock.ahead_ms(), 89_990);
        process.step_to(Instant::ZERO);
        process.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), ahead + Duration::from_millis(1_010));
        process.advance(Duration::from_secs(4));
        assert!(clock.is_due());
    }
}
