//! The clock of a node: it may differ from the store's, be set, and run fast or slow. Waiting goes by true time.

use crate::world::Link;
use bw_domain::port::clock::Clock;
use bw_domain::time::{Duration, Instant};

impl Clock for Link {
    fn now(&self) -> Instant {
        self.world.lock().hear(self.life)
    }

    fn monotonic(&self) -> Duration {
        let inner = self.world.lock();
        Duration::from_millis(inner.now - inner.lives.begun(self.life))
    }
}
