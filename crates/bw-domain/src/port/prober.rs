//! Running probes. The adapter owns tasks and sockets; whatever happens comes back as an outcome.

use super::Fut;
use crate::job::{Job, window};
use crate::monitor::Spec;
use crate::outcome::Outcome;
use crate::time::Instant;
use std::sync::Arc;

/// One probe to run: the job and the specification of its revision.
#[derive(Clone, Debug)]
pub struct Assignment {
    pub job: Job,
    pub spec: Arc<Spec>,
}

impl Assignment {
    /// A look beside the schedule, from the first vantage, that begins at once.
    pub fn now(spec: Arc<Spec>, now: Instant) -> Self {
        let job = Job {
            monitor: spec.id,
            revision: spec.revision,
            vantage: spec.policy.vantages.first().copied().unwrap_or_default(),
            slot: now,
            r#try: 0,
            start: now,
            not_after: window(now, spec.policy.every, spec.policy.timeout).not_after,
        };
        Assignment { job, spec }
    }
}

/// Runs probes within a bound.
pub trait Prober: Send + Sync {
    /// How many more probes may be started now.
    fn room(&self) -> usize;

    /// Admits probes; each begins at its job's `start` and ends as an outcome. Those beyond `room` are not
    /// started and come back.
    fn start(&self, batch: Vec<Assignment>) -> Vec<Assignment>;

    /// Waits until at least one outcome is there, then takes at most `max`.
    fn finished(&self, max: usize) -> Fut<'_, Vec<Outcome>>;

    /// Takes at most `max` of the outcomes that are there now.
    fn take(&self, max: usize) -> Vec<Outcome>;

    /// One probe now, beside the schedule and its bounds: "test this monitor".
    fn once(&self, assignment: Assignment) -> Fut<'_, Outcome>;
}
