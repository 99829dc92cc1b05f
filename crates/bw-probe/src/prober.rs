//! The port `Prober`: admits probes within a bound, runs each as a task of one set, and keeps their outcomes until
//! they are taken. What is admitted always fits the outbox, so a finished probe never waits.

use crate::hosts::Hosts;
use crate::probe::Context;
use crate::selftest::Gate;
use bw_domain::limits;
use bw_domain::outcome::{Outcome, Verdict};
use bw_domain::port::Fut;
use bw_domain::port::prober::{Assignment, Prober};
use bw_net::Net;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, timeout_at};

/// Passes are handed over at most this often: what follows, up to the synchronisation of the disk, costs the same for
/// one as for many. The first after a pause is handed over at once, and whatever is not a pass with all that waits.
const GATHER: Duration = Duration::from_millis(25);

/// How to run probes.
pub struct Config {
    /// The way out, with the clock.
    pub net: Arc<Net>,
    /// Where the tasks run.
    pub handle: Handle,
    /// Probes at the same time: `limits::PROBES_AT_ONCE`.
    pub at_once: usize,
    /// Probes at the same time against one host: `limits::PROBES_PER_HOST`.
    pub per_host: usize,
    /// The observer's self-test, when there are anchors.
    pub gate: Option<Arc<Gate>>,
}

impl Config {
    /// With the limits of the product.
    pub fn new(net: Arc<Net>, handle: Handle) -> Self {
        Config { net, handle, at_once: limits::PROBES_AT_ONCE, per_host: limits::PROBES_PER_HOST, gate: None }
    }
}

/// Runs probes. Dropping it ends them all.
pub struct BwProber {
    handle: Handle,
    at_once: usize,
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
    /// When outcomes were handed over last.
    handed: Mutex<Option<Instant>>,
}

struct Shared {
    context: Context,
    state: Mutex<State>,
    /// There are outcomes.
    ready: Notify,
}

#[derive(Default)]
struct State {
    running: usize,
    finished: VecDeque<Outcome>,
    /// Something waits that somebody wants to know now.
    urgent: bool,
}

impl State {
    fn add(&mut self, outcome: Outcome) {
        self.urgent |= outcome.verdict != Verdict::Pass;
        self.finished.push_back(outcome);
    }

    fn room(&self, at_once: usize) -> usize {
        let inbox = limits::INBOX.saturating_sub(self.running + self.finished.len());
        at_once.saturating_sub(self.running).min(inbox)
    }
}

impl Shared {
    /// Counters and queue are changed together and without a panic in between.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(self: Arc<Self>, assignment: Assignment) {
        let outcome = self.context.scheduled(&assignment).await;
        let mut state = self.state();
        state.running -= 1;
        state.add(outcome);
        drop(state);
        self.ready.notify_one();
    }
}

impl BwProber {
    pub fn new(config: Config) -> Self {
        let context = Context { net: config.net, gate: config.gate, hosts: Hosts::new(config.per_host) };
        BwProber {
            handle: config.handle,
            at_once: config.at_once,
            shared: Arc::new(Shared { context, state: Mutex::default(), ready: Notify::new() }),
            tasks: Mutex::new(JoinSet::new()),
            handed: Mutex::default(),
        }
    }

    /// When outcomes may be handed over again.
    fn next_turn(&self) -> Option<Instant> {
        self.handed.lock().unwrap_or_else(PoisonError::into_inner).map(|handed| handed + GATHER)
    }

    fn hand_over(&self, max: usize) -> Vec<Outcome> {
        *self.handed.lock().unwrap_or_else(PoisonError::into_inner) = Some(moment());
        self.take(max)
    }

    /// The set is changed only through its own methods, each of which leaves it whole.
    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Prober for BwProber {
    fn room(&self) -> usize {
        self.shared.state().room(self.at_once)
    }

    fn start(&self, mut batch: Vec<Assignment>) -> Vec<Assignment> {
        let rest = {
            let mut state = self.shared.state();
            let admitted = state.room(self.at_once).min(batch.len());
            state.running += admitted;
            batch.split_off(admitted)
        };
        let mut tasks = self.tasks();
        for assignment in batch {
            tasks.spawn_on(self.shared.clone().run(assignment), &self.handle);
        }
        rest
    }

    fn finished(&self, max: usize) -> Fut<'_, Vec<Outcome>> {
        Box::pin(async move {
            loop {
                let ready = self.shared.ready.notified();
                let (waiting, urgent) = {
                    let state = self.shared.state();
                    (state.finished.len(), state.urgent)
                };
                if waiting == 0 && max > 0 {
                    ready.await;
                    continue;
                }
                match self.next_turn() {
                    Some(turn) if turn > moment() && waiting < max && !urgent => {
                        // A probe that ends meanwhile may change that.
                        drop(timeout_at(turn, ready).await);
                    }
                    _ => return self.hand_over(max),
                }
            }
        })
    }

    fn take(&self, max: usize) -> Vec<Outcome> {
        // Ended tasks hold their memory until they are joined.
        while self.tasks().try_join_next().is_some() {}
        let mut state = self.shared.state();
        let count = state.finished.len().min(max);
        state.urgent &= count < state.finished.len();
        state.finished.drain(..count).collect()
    }

    fn once(&self, assignment: Assignment) -> Fut<'_, Outcome> {
        Box::pin(async move { self.shared.context.now(&assignment).await })
    }
}

#[expect(clippy::disallowed_methods, reason = "a wait of the runtime is counted by the runtime's own clock")]
fn moment() -> Instant {
    Instant::now()
}
