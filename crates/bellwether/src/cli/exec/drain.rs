//! Telling what earlier runs could not tell, beside our own command and within a second in all. The beats of one server
//! go one after the other, the oldest first; a server that does not answer holds up no other.

use super::report::{Reporter, Sent};
use super::spool::{Spool, lane_of};
use bw_domain::port::clock::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinSet;

/// In all.
const WITHIN: Duration = Duration::from_secs(1);
/// Servers at once.
const LANES_MAX: usize = 16;

/// Telling that is under way.
pub struct Drain {
    told: Arc<Told>,
    lanes: JoinSet<()>,
}

#[derive(Default)]
struct Told {
    enough: AtomicBool,
    refused: AtomicUsize,
}

impl Drain {
    /// Begins.
    pub fn start(spool: Option<&Spool>, reporter: &Reporter, clock: &Arc<dyn Clock>) -> Self {
        let (told, mut tasks) = (Arc::<Told>::default(), JoinSet::new());
        let waiting = spool.map(|spool| spool.waiting(clock.now().ms())).unwrap_or_default();
        if let Some(spool) = spool {
            for names in by_server(waiting) {
                let (spool, reporter) = (spool.clone(), reporter.clone());
                let lane = Lane { spool, reporter, clock: clock.clone(), told: told.clone() };
                tasks.spawn(async move {
                    // What is under way then is given back.
                    drop(tokio::time::timeout(WITHIN, lane.tell(names)).await);
                });
            }
        }
        Drain { told, lanes: tasks }
    }

    /// Our own work is done: finishes what is under way, begins nothing more, and answers how many can never be told.
    pub async fn finish(mut self) -> usize {
        self.told.enough.store(true, Relaxed);
        while let Some(lane) = self.lanes.join_next().await {
            lane.expect("telling does not panic");
        }
        self.told.refused.load(Relaxed)
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
            let Some((claim, beat)) = self.spool.claim(&name, self.clock.now().ms()) else { continue };
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
