//! A clock for tests with real sockets: it runs, from a day of the test's choosing, so that certificates made for
//! that day are young, old or expired on any day on which the test runs.

use bw_domain::port::clock::Clock;
use bw_domain::time::Instant;
use std::time::Duration;

/// Runs as fast as the real one, from another day.
#[derive(Debug)]
pub struct RunningClock {
    from: Instant,
    began: std::time::Instant,
}

impl RunningClock {
    /// It is this time now: `2026-11-21T12:00:00Z`.
    #[expect(clippy::disallowed_methods, reason = "what a probe of a real socket takes is real time")]
    pub fn starting(at: &str) -> Self {
        let from = Instant::parse(at).expect("a test writes times in RFC 3339");
        RunningClock { from, began: std::time::Instant::now() }
    }
}

impl Clock for RunningClock {
    fn now(&self) -> Instant {
        self.from + self.monotonic()
    }

    #[expect(clippy::disallowed_methods, reason = "what a probe of a real socket takes is real time")]
    fn monotonic(&self) -> Duration {
        self.began.elapsed()
    }
}
