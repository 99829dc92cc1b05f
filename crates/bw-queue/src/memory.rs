//! The queue in process: two bounded lanes, leases that end, redelivery. It dies with its process; what was in it is
//! accounted for by the marks of its shards.
//!
//! A job is in exactly one place: waiting in its lane, put off until an instant, or leased.

mod lanes;

use bw_domain::job::Job;
use bw_domain::limits;
use bw_domain::port::Fut;
use bw_domain::port::clock::Clock;
use bw_domain::port::queue::{Depth, Lane, Lease, Leased, Queue, QueueError};
use bw_domain::time::Duration;
use lanes::Lanes;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

/// Jobs are handed out so long before their instants: a whole handful at a time, and each probe begins by its own timer
/// instead of by the pace of the loops.
const LEAD: Duration = Duration::from_millis(50);

/// One location's queue.
pub struct MemoryQueue {
    lanes: Mutex<Lanes>,
    more: Notify,
    clock: Arc<dyn Clock>,
}

impl MemoryQueue {
    /// An empty one with the bound of the product.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::bounded(clock, limits::QUEUE_JOBS)
    }

    /// An empty one; each lane takes `bound` jobs.
    pub fn bounded(clock: Arc<dyn Clock>, bound: usize) -> Self {
        MemoryQueue { lanes: Mutex::new(Lanes::new(bound)), more: Notify::new(), clock }
    }

    /// The lanes as they are now: what has ended or was put off until now waits again.
    fn lanes(&self) -> (MutexGuard<'_, Lanes>, Duration) {
        let now = self.clock.monotonic();
        let mut lanes = self.lanes.lock().expect("no one panics while holding the lanes");
        lanes.turn(now);
        (lanes, now)
    }

    fn take(&self, max: usize) -> (Vec<Leased>, Option<Duration>) {
        let (mut lanes, now) = self.lanes();
        let taken = lanes.take(max, now);
        (taken, lanes.next_turn().map(|at| at.saturating_sub(now)))
    }

    async fn wait_for(&self, max: usize, wait: Duration) -> Vec<Leased> {
        let begun = self.clock.monotonic();
        loop {
            let mut more = std::pin::pin!(self.more.notified());
            // From here on no publication is missed.
            more.as_mut().enable();
            let (taken, next_turn) = self.take(max);
            let left = wait.saturating_sub(self.clock.monotonic().saturating_sub(begun));
            if !taken.is_empty() || left.is_zero() || max == 0 {
                return taken;
            }
            // One millisecond is the grain of timers: earlier it would only look in vain.
            let pause = next_turn.map_or(left, |turn| turn.max(Duration::from_millis(1)).min(left));
            if tokio::time::timeout(pause, more).await.is_err() && pause == left {
                return self.take(max).0;
            }
        }
    }
}

impl Queue for MemoryQueue {
    fn publish(&self, lane: Lane, jobs: Vec<Job>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let (mut lanes, now) = self.lanes();
            lanes.publish(lane, jobs, now)?;
            drop(lanes);
            self.more.notify_waiters();
            Ok(())
        })
    }

    fn receive(&self, max: usize, wait: Duration) -> Fut<'_, Result<Vec<Leased>, QueueError>> {
        Box::pin(async move { Ok(self.wait_for(max, wait).await) })
    }

    fn ack(&self, leases: Vec<Lease>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let (mut lanes, _) = self.lanes();
            leases.iter().for_each(|lease| lanes.ack(lease));
            Ok(())
        })
    }

    fn release(&self, leases: Vec<Lease>, after: Duration) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let (mut lanes, now) = self.lanes();
            leases.iter().for_each(|lease| lanes.release(lease, now + after));
            lanes.turn(now);
            drop(lanes);
            self.more.notify_waiters();
            Ok(())
        })
    }

    fn extend(&self, leases: Vec<Lease>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let (mut lanes, now) = self.lanes();
            leases.iter().for_each(|lease| lanes.extend(lease, now));
            Ok(())
        })
    }

    fn depth(&self) -> Fut<'_, Result<Depth, QueueError>> {
        Box::pin(async move {
            let (lanes, now) = self.lanes();
            Ok(lanes.depth(now))
        })
    }

    fn lead(&self) -> Duration {
        LEAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_testkit::builders::START;
    use bw_testkit::clock::ManualClock;
    use bw_testkit::contract::queue::{Subject, suite};

    #[tokio::test]
    async fn it_keeps_the_contract() {
        suite(async || {
            let clock = Arc::new(ManualClock::new(START));
            let queue = Arc::new(MemoryQueue::bounded(clock.clone(), 100));
            let pass: Box<dyn Fn(Duration) -> Fut<'static, ()>> = Box::new(move |by| {
                clock.advance(by);
                Box::pin(std::future::ready(()))
            });
            Subject { queue, bound: 100, lease: limits::JOB_LEASE, settle: Duration::ZERO, pass }
        })
        .await;
    }

    #[test]
    fn the_product_publishes_in_the_instant() {
        let queue = MemoryQueue::new(Arc::new(ManualClock::new(START)));
        assert_eq!(queue.lead(), LEAD);
    }
}
