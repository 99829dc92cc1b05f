//! `judge` turns finished outcomes into decisions, in batches: as many as wait, at once, never on a timer. Outcomes
//! of one monitor are decided in the order in which they came. A lease is acknowledged only after the commit has
//! answered; while the store is away the outcomes stay here.

use super::decide::{Case, Decider, Fate, What};
use super::{Next, Parts, Tick};
use crate::inbox::Inbox;
use crate::usecase::Services;
use crate::vitals::LoopName;
use bw_domain::job::OutcomeKey;
use bw_domain::limits;
use bw_domain::outcome::Outcome;
use bw_domain::port::Fut;
use bw_domain::port::store::StoreError;
use bw_domain::port::wake::Topic;
use bw_domain::time::Duration;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// After an error of the store.
const AGAIN: Duration = Duration::from_millis(200);
/// A queue that is away redelivers what could not be acknowledged.
const IDLE: Duration = Duration::from_secs(1);

/// The loop.
pub(super) struct Judge {
    services: Services,
    inbox: Arc<Inbox>,
    decider: Decider,
    /// Taken from the inbox and not yet committed, in order.
    pending: VecDeque<Outcome>,
    /// How many at once; one at a time after an error that does not go away, to find the one that it is about.
    batch: usize,
}

impl Judge {
    pub fn new(parts: &Parts) -> Self {
        Judge {
            services: parts.services.clone(),
            inbox: parts.inbox.clone(),
            decider: Decider::new(parts),
            pending: VecDeque::new(),
            batch: limits::COMMIT_BATCH,
        }
    }

    /// The next batch: one outcome a monitor, the others wait for their turn.
    fn next_batch(&mut self) -> Vec<Case> {
        let room = limits::COMMIT_BATCH.saturating_sub(self.pending.len());
        self.pending.extend(self.inbox.take(room));
        let mut seen = BTreeSet::new();
        let mut later = VecDeque::new();
        let mut cases = Vec::with_capacity(self.pending.len());
        for outcome in self.pending.drain(..) {
            let monitor = outcome.job.monitor;
            if cases.len() < self.batch && seen.insert(monitor) {
                cases.push(Case { monitor, what: What::Outcome(outcome) });
            } else {
                // What waits for an earlier outcome of its monitor must not overtake it.
                seen.insert(monitor);
                later.push_back(outcome);
            }
        }
        self.pending = later;
        cases
    }

    /// Puts outcomes back before those that wait.
    fn again(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes.into_iter().rev() {
            self.pending.push_front(outcome);
        }
    }

    async fn judge(&mut self) -> Next {
        let cases = self.next_batch();
        if cases.is_empty() {
            return Next::At(self.services.clock.now() + IDLE);
        }
        let fates = match self.decider.decide(&cases).await {
            Ok(fates) => fates,
            Err(error) => return self.failed(cases, &error).await,
        };
        self.batch = limits::COMMIT_BATCH;
        let mut done = Vec::with_capacity(cases.len());
        let mut again = Vec::new();
        for (case, fate) in cases.into_iter().zip(fates) {
            let What::Outcome(outcome) = case.what else { continue };
            match fate {
                Fate::Done => done.push(outcome.job.key()),
                Fate::Again => again.push(outcome),
            }
        }
        let stuck = done.is_empty();
        self.again(again);
        self.acknowledge(done).await;
        if stuck { Next::At(self.services.clock.now() + AGAIN / 10) } else { Next::Now }
    }

    async fn failed(&mut self, cases: Vec<Case>, error: &StoreError) -> Next {
        let outcomes: Vec<Outcome> = cases
            .into_iter()
            .filter_map(|case| match case.what {
                What::Outcome(outcome) => Some(outcome),
                _ => None,
            })
            .collect();
        if error.retry() {
            tracing::debug!(outcomes = outcomes.len(), "outcomes wait for the store: {error}");
        } else if outcomes.len() > 1 {
            self.batch = 1;
        } else {
            // This one can never be stored; its slot ends as lost.
            tracing::error!(job = ?outcomes[0].job, "an outcome was refused by the store and is dropped: {error}");
            self.acknowledge(vec![outcomes[0].job.key()]).await;
            return Next::Now;
        }
        self.again(outcomes);
        Next::At(self.services.clock.now() + AGAIN)
    }

    async fn acknowledge(&self, done: Vec<OutcomeKey>) {
        let leases = self.inbox.end(done);
        if leases.is_empty() {
            return;
        }
        if let Err(error) = self.services.queue.ack(leases).await {
            tracing::warn!("leases could not be acknowledged, their jobs will come again: {error}");
        }
    }
}

impl Tick for Judge {
    fn name(&self) -> LoopName {
        LoopName::Judge
    }

    fn topics(&self) -> &[Topic] {
        &[Topic::Outcomes]
    }

    fn tick(&mut self) -> Fut<'_, Next> {
        Box::pin(self.judge())
    }

    /// `work` has ended: what it left is judged, as long as the store takes it.
    fn stop(&mut self) -> Fut<'_, ()> {
        Box::pin(async move {
            while !self.pending.is_empty() || self.inbox.waiting() > 0 {
                if matches!(self.judge().await, Next::At(_)) && self.services.vitals.store_away().is_some() {
                    return;
                }
            }
        })
    }
}
