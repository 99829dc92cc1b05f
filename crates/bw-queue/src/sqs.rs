//! Jobs through SQS: one queue a location, and a second one (`<url>-now`) for what is urgent where it exists. SQS
//! charges by request, so a message holds up to 500 jobs and requests wait at the service for up to 20 seconds.
//!
//! - Every request to receive names the lease as its visibility time-out; what the queue itself has does not matter.
//! - A job that is given back is sent again with a delay, since a message's visibility is that of all its jobs.
//! - What cannot be read is left alone until the queue's redrive policy moves it to the dead-letter queue; where there
//!   is none it is deleted, with an error in the log, after it has come [`BURY`] times.
//! - SQS counts approximately and only messages: see `broker::estimate`. The age of the oldest is that of what was
//!   last received here, so a process that receives nothing does not know it.

mod connect;
mod depth;
mod poll;
mod publish;
mod receive;
mod settle;

use crate::broker::estimate::Estimate;
use crate::broker::ledger::Ledger;
use crate::broker::strangers::{Ledge, Strangers};
use crate::broker::{self, ConnectError};
use aws_sdk_sqs::Client;
use bw_domain::job::Job;
use bw_domain::limits;
use bw_domain::port::Fut;
use bw_domain::port::clock::Clock;
use bw_domain::port::queue::{Depth, Lane, Lease, Leased, Queue, QueueError};
use bw_domain::time::Duration;
use connect::Urls;
use poll::Poll;
use std::sync::{Arc, Mutex, MutexGuard};

/// Entries of one request, by the service.
const BATCH: usize = 10;
/// Requests under way at once.
const AT_ONCE: usize = 8;
/// Where no redrive policy does it, a message that cannot be read is deleted when it has come so often.
pub const BURY: u32 = 5;

/// Where the jobs of one location are.
#[derive(Clone)]
pub struct Options {
    /// The queue's URL. The service is asked where this leads, unless an endpoint is named.
    pub url: String,
    /// `AWS_REGION` and the profile are asked where this is `None`, then the URL.
    pub region: Option<String>,
    /// `AWS_ENDPOINT_URL` is asked where this is `None`, and `AWS_ENDPOINT_URL_SQS` for a URL at AWS; then the URL.
    pub endpoint: Option<String>,
    pub installation: u128,
    pub lease: Duration,
    pub clock: Arc<dyn Clock>,
}

/// The queue of one location.
pub struct SqsQueue {
    options: Options,
    client: Client,
    urls: Urls,
    /// Jobs that may wait in one lane.
    bound: usize,
    polls: Mutex<[Poll; 2]>,
    ledger: Mutex<Ledger>,
    ledge: Ledge,
    estimate: Estimate,
    /// The age of what was last received.
    oldest: Mutex<Duration>,
}

/// Connects with the standard chain of credentials, and looks at the queue.
pub async fn connect(options: Options) -> Result<SqsQueue, ConnectError> {
    broker::long_enough(options.lease)?;
    let config = connect::chain(&options).await?;
    SqsQueue::open(options, &config, limits::QUEUE_JOBS).await
}

impl SqsQueue {
    /// How many messages were not for us.
    pub fn strangers(&self) -> Strangers {
        self.ledge.count()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("no one panics while holding the ledger")
    }

    /// The lane in which it really lies: one queue alone serves both.
    fn lane(&self, lane: Lane) -> Lane {
        if self.urls.now.is_some() { lane } else { Lane::Planned }
    }

    fn url(&self, lane: Lane) -> &str {
        match (lane, &self.urls.now) {
            (Lane::Now, Some(now)) => now,
            _ => &self.urls.planned,
        }
    }

    fn away(&self, why: impl std::fmt::Display) -> QueueError {
        QueueError::Away(format!("{}: {why}", broker::shown(&self.urls.planned)))
    }

    fn failed(&self, error: impl std::error::Error) -> QueueError {
        self.away(told(&error))
    }

    async fn give_back(&self, leases: Vec<Lease>, after: Duration) -> Result<(), QueueError> {
        let returned = self.ledger().returned(leases, self.options.clock.monotonic());
        let mut done = Vec::new();
        for part in returned {
            self.send(part.lane, vec![part.jobs], after).await?;
            done.extend(part.leases);
        }
        let complete = self.ledger().done(&done, self.options.clock.monotonic());
        self.delete(complete).await
    }
}

/// An error with its causes, each once, for a sentence.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// The service counts whole seconds; a lease is never shorter than was asked for.
fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis().div_ceil(1_000)).unwrap_or(i32::MAX)
}

impl Queue for SqsQueue {
    fn publish(&self, lane: Lane, jobs: Vec<Job>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(self.publish_jobs(lane, jobs))
    }

    fn receive(&self, max: usize, wait: Duration) -> Fut<'_, Result<Vec<Leased>, QueueError>> {
        Box::pin(self.receive_jobs(max, wait))
    }

    fn ack(&self, leases: Vec<Lease>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let complete = self.ledger().done(&leases, self.options.clock.monotonic());
            self.delete(complete).await
        })
    }

    fn release(&self, leases: Vec<Lease>, after: Duration) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(self.give_back(leases, after))
    }

    fn extend(&self, leases: Vec<Lease>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let held = self.ledger().extend(&leases, self.options.clock.monotonic());
            self.hide(held, self.options.lease).await
        })
    }

    fn depth(&self) -> Fut<'_, Result<Depth, QueueError>> {
        Box::pin(self.what_waits())
    }

    fn lead(&self) -> Duration {
        broker::LEAD
    }
}

#[cfg(test)]
mod tests;
