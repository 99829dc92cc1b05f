//! Jobs on their way to whoever runs them: at least once, unordered, bounded. No delayed messages: time is ours.

use super::Fut;
use crate::job::Job;
use crate::time::Duration;

/// Which lane of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Repeats and tests: received first.
    Now,
    /// Slots of the grid.
    Planned,
}

/// Plain bytes, so that another node may acknowledge or extend it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lease(pub Box<[u8]>);

/// A job that is ours until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leased {
    pub job: Job,
    pub lease: Lease,
}

/// What waits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Depth {
    pub now: usize,
    pub planned: usize,
    /// Received and not yet acknowledged.
    pub leased: usize,
    /// Age of the oldest waiting job.
    pub oldest: Duration,
}

/// Why the queue did not take or give.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// There is no room for all; none of the batch was taken.
    #[error("the job queue is full ({0} jobs wait)")]
    Full(usize),
    /// The broker cannot be reached.
    #[error("the job queue is away: {0}")]
    Away(String),
}

impl QueueError {
    /// Whether trying again later can help.
    pub fn retry(&self) -> bool {
        true
    }
}

/// The queue of one location.
pub trait Queue: Send + Sync {
    /// Hands over jobs: all of them or none.
    fn publish(&self, lane: Lane, jobs: Vec<Job>) -> Fut<'_, Result<(), QueueError>>;

    /// Takes at most `max` jobs, waiting at most `wait` for the first.
    fn receive(&self, max: usize, wait: Duration) -> Fut<'_, Result<Vec<Leased>, QueueError>>;

    /// The work is done and recorded.
    fn ack(&self, leases: Vec<Lease>) -> Fut<'_, Result<(), QueueError>>;

    /// Gives jobs back: others may have them after `after`.
    fn release(&self, leases: Vec<Lease>, after: Duration) -> Fut<'_, Result<(), QueueError>>;

    /// Keeps leases for another full term.
    fn extend(&self, leases: Vec<Lease>) -> Fut<'_, Result<(), QueueError>>;

    /// What waits now.
    fn depth(&self) -> Fut<'_, Result<Depth, QueueError>>;

    /// How far ahead of their instant jobs may be published: zero in process, more through a broker.
    fn lead(&self) -> Duration;
}
