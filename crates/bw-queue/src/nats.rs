//! Jobs through NATS JetStream: one stream a location, kept by age, with a durable consumer for each of its two
//! lanes. The broker counts the leases (`ack_wait`), redelivers, and drops a repeated publication by its id.
//!
//! Retention is by limits and not by acknowledgement: a stream that removes each message as it is acknowledged was
//! measured at 1.7 thousand a second. So what has been done stays on the broker's disk until it is too old to matter,
//! and "full" is counted from what the consumers have not yet had; the broker's own limits stand behind that.
//!
//! Messages are cheap here and several workers share the load, so a message is small (`max_jobs`). Jobs that are
//! given back are published again, with the instant before which nobody should have them: whoever receives them
//! earlier has the broker keep them until then. Nothing of that waits in this process, so nothing is lost with it.

mod connect;
mod depth;
mod inbox;
mod publish;
mod receive;

use crate::broker::estimate::Estimate;
use crate::broker::ledger::{Held, Ledger};
use crate::broker::strangers::{Ledge, Strangers};
use crate::broker::{self, ConnectError};
use async_nats::jetstream::{AckKind, Context};
use bw_domain::job::Job;
use bw_domain::port::Fut;
use bw_domain::port::clock::Clock;
use bw_domain::port::queue::{Depth, Lane, Lease, Leased, Queue, QueueError};
use bw_domain::time::Duration;
use connect::Line;
use inbox::Inbox;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};

/// Jobs in one message: few enough that several workers share what is due in the same instant.
pub const MAX_JOBS: usize = 64;

/// How long the broker may take for one answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Where the jobs of one location are.
#[derive(Clone)]
pub struct Options {
    /// `nats://host:4222`, several with commas, `tls://` for TLS; a user and a password may stand before the host.
    pub url: String,
    /// The stream: letters, digits, `-` and `_`.
    pub name: String,
    pub installation: u128,
    pub lease: Duration,
    /// Jobs in one message.
    pub max_jobs: usize,
    pub clock: Arc<dyn Clock>,
    /// A file of certificates (PEM) to trust beside those of the system.
    pub roots: Option<PathBuf>,
}

/// The queue of one location.
pub struct NatsQueue {
    options: Options,
    context: Context,
    line: Arc<Line>,
    /// Jobs that may wait in one lane.
    bound: usize,
    /// Messages that the broker may hold, acknowledged ones included.
    room: i64,
    inboxes: Mutex<[Inbox; 2]>,
    ledger: Mutex<Ledger>,
    ledge: Ledge,
    estimate: Estimate,
    /// Somebody removed the stream or a consumer: it is made again before anything else.
    absent: AtomicBool,
}

/// Connects, and makes the stream and its consumers where they are missing.
pub async fn connect(options: Options) -> Result<NatsQueue, ConnectError> {
    broker::long_enough(options.lease)?;
    NatsQueue::open(options, connect::Bounds::default()).await
}

impl NatsQueue {
    /// How many messages were not for us.
    pub fn strangers(&self) -> Strangers {
        self.ledge.count()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("no one panics while holding the ledger")
    }

    fn subject(&self, lane: Lane) -> String {
        subject(&self.options.name, lane)
    }

    /// One word to the broker about each of these messages, and the certainty that it has heard them.
    async fn tell(&self, held: Vec<Held>, word: AckKind) -> Result<(), QueueError> {
        if held.is_empty() {
            return Ok(());
        }
        let words = held.into_iter().map(|held| (held.handle.to_string(), word));
        self.say(words.collect()).await?;
        let flushed = tokio::time::timeout(ANSWER, self.context.client().flush()).await;
        flushed.map_err(|_| self.away("it does not answer"))?.map_err(|error| self.away(error))
    }

    /// The same without the certainty: what is not heard is redelivered.
    async fn say(&self, words: Vec<(String, AckKind)>) -> Result<(), QueueError> {
        self.line.up().map_err(|why| self.away(why))?;
        let client = self.context.client();
        for (handle, word) in words {
            // The queue of the client is bounded and nobody empties it while the connection is lost.
            let said = tokio::time::timeout(ANSWER, client.publish(handle, word.into())).await;
            said.map_err(|_| self.away("it takes nothing"))?.map_err(|error| self.away(error))?;
        }
        Ok(())
    }

    fn away(&self, why: impl std::fmt::Display) -> QueueError {
        let (name, url) = (&self.options.name, broker::shown(&self.options.url));
        QueueError::Away(format!("the stream `{name}` at {url}: {why}"))
    }

    async fn give_back(&self, leases: Vec<Lease>, after: Duration) -> Result<(), QueueError> {
        let returned = self.ledger().returned(leases, self.options.clock.monotonic());
        let not_before = (!after.is_zero()).then(|| self.options.clock.now() + after);
        let mut done = Vec::new();
        for part in returned {
            // Another delivery of the same jobs is another publication, so the handle belongs to its id.
            let origin = Some(part.handle.as_bytes());
            self.send(part.lane, vec![part.jobs], publish::Origin { not_before, origin }).await?;
            done.extend(part.leases);
        }
        let complete = self.ledger().done(&done, self.options.clock.monotonic());
        self.tell(complete, AckKind::Ack).await
    }
}

/// Where a lane's messages go.
fn subject(name: &str, lane: Lane) -> String {
    format!("{name}.{}", word(lane))
}

const fn word(lane: Lane) -> &'static str {
    match lane {
        Lane::Now => "now",
        Lane::Planned => "planned",
    }
}

impl Queue for NatsQueue {
    fn publish(&self, lane: Lane, jobs: Vec<Job>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(self.publish_jobs(lane, jobs))
    }

    fn receive(&self, max: usize, wait: Duration) -> Fut<'_, Result<Vec<Leased>, QueueError>> {
        Box::pin(self.receive_jobs(max, wait))
    }

    fn ack(&self, leases: Vec<Lease>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let complete = self.ledger().done(&leases, self.options.clock.monotonic());
            self.tell(complete, AckKind::Ack).await
        })
    }

    fn release(&self, leases: Vec<Lease>, after: Duration) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(self.give_back(leases, after))
    }

    fn extend(&self, leases: Vec<Lease>) -> Fut<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let held = self.ledger().extend(&leases, self.options.clock.monotonic());
            self.tell(held, AckKind::Progress).await
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
