//! Timers, as the rows of states say.

use crate::world::Link;
use bw_domain::port::store::{Answered, Timer, Timers};
use bw_domain::time::Instant;

impl Timers for Link {
    fn due(&self, now: Instant, limit: usize) -> Answered<'_, Vec<Timer>> {
        self.read(move |inner| {
            let timers = inner.database.timers.iter();
            let mut due: Vec<Timer> = timers
                .filter(|(_, due)| **due <= now)
                .map(|(monitor, due)| Timer { due: *due, monitor: *monitor })
                .collect();
            due.sort_unstable();
            due.truncate(limit);
            due
        })
    }

    fn next(&self) -> Answered<'_, Option<Instant>> {
        self.read(|inner| inner.database.timers.values().min().copied())
    }
}
