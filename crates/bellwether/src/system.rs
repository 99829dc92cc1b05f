//! The one file that reads the clock and rolls dice.

use bw_domain::port::clock::Clock;
use bw_domain::port::entropy::Entropy;
use bw_domain::time::{Duration, Instant};
use ring::rand::{SecureRandom, SystemRandom};
use std::time::SystemTime;

/// The clocks of this machine.
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// Starts the clock that never steps.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn new() -> Self {
        SystemClock { start: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Instant {
        let now = SystemTime::now();
        match now.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => Instant::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
            Err(before) => Instant::ZERO - before.duration(),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// The random numbers of the operating system.
pub struct SystemEntropy {
    random: SystemRandom,
}

impl SystemEntropy {
    /// Opens the source.
    #[expect(clippy::disallowed_methods, reason = "the one place that rolls dice")]
    pub fn new() -> Self {
        SystemEntropy { random: SystemRandom::new() }
    }
}

impl Entropy for SystemEntropy {
    fn bits(&self) -> u128 {
        let mut bytes = [0; 16];
        self.random
            .fill(&mut bytes)
            .expect("the operating system has random numbers, or nothing here is safe");
        u128::from_le_bytes(bytes)
    }
}
