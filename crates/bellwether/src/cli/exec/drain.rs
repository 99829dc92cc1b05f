//! Telling what earlier runs could not tell, beside our own command and within a second in all. The beats of one server
//! go one after the other, the oldest first; a server that does not answer holds up no other.
//!
//! Each carries `at`, the instant at which it happened. A server of another make does not know that word and takes the
//! beat for one of now; nothing in its answers would tell it apart beforehand.

use super::aside::aside;
use super::report::{Reporter, Sent};
use super::spool::{Spool, lane_of};
use bw_domain::port::clock::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// In all.
const WITHIN: Duration = Duration::from_secs(1);
/// For what is under way when our own work is done.
const LAST: Duration = Duration::from_millis(100);
/// Servers at once.
const LANES_MAX: usize = 16;

/// Telling that is under way.
pub struct Drain {
    told: Arc<Told>,
    task: JoinSet<Result<(), Elapsed>>,
}

#[derive(Default)]
struct Told {
    enough: AtomicBool,
    refused: AtomicUsize,
}

impl Drain {
    /// Begins.
    pub fn start(spool: Option<&Spool>, reporter: &Reporter, clock: &Arc<dyn Clock>) -> Self {
        let (told, mut task) = (Arc::<Told>::default(), JoinSet::new());
        if let Some(spool) = spool.cloned() {
            let (reporter, clock, told) = (reporter.clone(), clock.clone(), told.clone());
            // What is under way then is given back.
            task.spawn(timeout(WITHIN, tell(Lane { spool, reporter, clock, told })));
        }
        Drain { told, task }
    }

    /// Our own work is done: begins nothing more, and answers how many can never be told.
    pub async fn finish(mut self) -> usize {
        self.told.enough.store(true, Relaxed);
        // Given back in the middle, a beat is told twice, which its instant and its run make harmless.
        drop(timeout(LAST, self.task.join_next()).await);
        self.told.refused.load(Relaxed)
    }
}

/// Tells everything that waits, each server's apart.
async fn tell(lane: Lane) {
    let (spool, now_ms) = (lane.spool.clone(), lane.clock.now().ms());
    // A home directory may be far away: the command's output is not to wait for it.
    let waiting = aside(move || spool.waiting(now_ms)).await;
    let mut lanes = JoinSet::new();
    for names in by_server(waiting) {
        lanes.spawn(lane.clone().tell(names));
    }
    while let Some(told) = lanes.join_next().await {
        told.expect("telling does not panic");
    }
}

/// The names of each server in their order.
fn by_server(names: Vec<String>) -> Vec<Vec<String>> {
    let mut lanes: Vec<Vec<String>> = Vec::new();
    for name in names {
        match lanes.iter().position(|lane| lane_of(&lane[0]) == lane_of(&name)) {
            Some(at) => lanes[at].push(name),
            None if lanes.len() < LANES_MAX => lanes.push(vec![name]),
            None => {}
        }
    }
    lanes
}

#[derive(Clone)]
struct Lane {
    spool: Spool,
    reporter: Reporter,
    clock: Arc<dyn Clock>,
    told: Arc<Told>,
}

impl Lane {
    async fn tell(self, names: Vec<String>) {
        for name in names {
            if self.told.enough.load(Relaxed) {
                return;
            }
            let (spool, now_ms) = (self.spool.clone(), self.clock.now().ms());
            let claimed = aside(move || spool.claim(&name, now_ms)).await;
            let Some((claim, beat)) = claimed else { continue };
            let url = format!("{}&at={}", beat.url, beat.at_ms);
            match self.reporter.post(&url, &beat.body, WITHIN).await {
                Sent::Taken { .. } => claim.settle(),
                Sent::Refused { .. } => {
                    self.told.refused.fetch_add(1, Relaxed);
                    claim.settle();
                }
                Sent::Answered { status } if status < 500 && status != 429 => {}
                // The next one would fare no better.
                Sent::Answered { .. } | Sent::Unanswered { .. } => return,
            }
        }
    }
}
