//! `Timers`: a state's timer follows from the state, so the index of them is in memory alone. It is rebuilt from the
//! states at start and moves with their commits.

use super::{Sqlite, ready};
use bw_domain::port::store::{Answered, Timer, Timers};
use bw_domain::time::Instant;

impl Timers for Sqlite {
    fn due(&self, now: Instant, limit: usize) -> Answered<'_, Vec<Timer>> {
        let memory = self.memory();
        ready(memory.timers.iter().take_while(|timer| timer.due <= now).take(limit).copied().collect())
    }

    fn next(&self) -> Answered<'_, Option<Instant>> {
        ready(self.memory().timers.first().map(|timer| timer.due))
    }
}
