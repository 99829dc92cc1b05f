//! The real clock, for tests with real brokers: their leases and the instants of their messages are real time.

use bw_domain::port::clock::Clock;
use bw_domain::time::{Duration, Instant};
use std::time::SystemTime;

#[derive(Debug)]
pub(crate) struct RealClock {
    began: std::time::Instant,
}

impl RealClock {
    #[expect(clippy::disallowed_methods, reason = "a broker beside the test reads the real clock too")]
    pub fn start() -> Self {
        RealClock { began: std::time::Instant::now() }
    }
}

impl Clock for RealClock {
    #[expect(clippy::disallowed_methods, reason = "a broker beside the test reads the real clock too")]
    fn now(&self) -> Instant {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Instant::from_ms(since.expect("it is after 1970").as_millis() as i64)
    }

    #[expect(clippy::disallowed_methods, reason = "a broker beside the test reads the real clock too")]
    fn monotonic(&self) -> Duration {
        self.began.elapsed()
    }
}
