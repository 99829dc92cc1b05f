//! Receiving: a short look at the urgent queue where nothing stands there, then long requests at both. A request at
//! the urgent queue stands all the time while planned jobs flow, so it is never starved.
//!
//! Nothing that arrived is lost when a call is given up: an answer goes into the book within one poll.

use super::poll::{Ask, Poll};
use super::{BURY, SqsQueue, seconds};
use crate::broker::envelope::{Envelope, MAX_JOBS};
use crate::broker::ledger::Held;
use crate::broker::{ASIDE, place};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as Attribute};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bw_domain::port::queue::{Lane, Leased, QueueError};
use bw_domain::time::{Duration, Instant};
use std::sync::MutexGuard;
use std::task;

/// How long the service waits for a first message, at most.
const LONG: i32 = 20;
/// An answer to a short look.
const LOOK: Duration = Duration::from_secs(2);
/// Messages of one answer, by the service.
const MOST: usize = 10;

/// What the answers brought beside jobs.
#[derive(Default)]
struct Found {
    aside: Vec<Held>,
    bury: Vec<Held>,
    error: Option<QueueError>,
    /// This call has looked before.
    waited: bool,
}

impl SqsQueue {
    /// One caller at a time, the loop `work`: of two, one may sleep until its time is over.
    pub(super) async fn receive_jobs(&self, max: usize, wait: Duration) -> Result<Vec<Leased>, QueueError> {
        if max == 0 {
            return Ok(Vec::new());
        }
        let until = self.options.clock.monotonic() + wait;
        self.gather(Duration::ZERO, |_| true).await?;
        if self.urls.now.is_some() && !self.has(Lane::Now) && self.ask(Lane::Now, max, 0) {
            self.answered(Lane::Now).await?;
        }
        if !self.has_any() && wait.is_zero() && self.ask(Lane::Planned, max, 0) {
            self.answered(Lane::Planned).await?;
        }
        if self.urls.now.is_some() && !self.has(Lane::Now) {
            self.ask(Lane::Now, max, LONG);
        }
        while !self.has_any() {
            let left = until.saturating_sub(self.options.clock.monotonic());
            if left.is_zero() {
                break;
            }
            if self.urls.now.is_some() {
                self.ask(Lane::Now, max, LONG);
            }
            self.ask(Lane::Planned, max, LONG);
            let ended = |polls: &[Poll; 2]| {
                self.has_any() || !polls[1].is_open() || (self.urls.now.is_some() && !polls[0].is_open())
            };
            self.gather(left, ended).await?;
        }
        self.hand_out(max).await
    }

    async fn hand_out(&self, max: usize) -> Result<Vec<Leased>, QueueError> {
        let taken = self.ledger().take(max, self.options.clock.monotonic());
        if let Err(error) = self.hide(taken.aged, self.options.lease).await {
            tracing::debug!("messages that lay here could not be kept: {error}");
        }
        Ok(taken.jobs)
    }

    fn has(&self, lane: Lane) -> bool {
        self.ledger().has(lane)
    }

    fn has_any(&self) -> bool {
        let ledger = self.ledger();
        ledger.has(Lane::Now) || ledger.has(Lane::Planned)
    }

    fn polls(&self) -> MutexGuard<'_, [Poll; 2]> {
        self.polls.lock().expect("no one panics while holding the polls")
    }

    /// Begins a request, unless one stands. Answers whether it did.
    fn ask(&self, lane: Lane, max: usize, wait: i32) -> bool {
        let messages = self.estimate.messages(max).min(MOST) as i32;
        let now = self.options.clock.monotonic();
        let poll = &mut self.polls()[place(lane)];
        if poll.is_open() {
            return false;
        }
        let (url, lease) = (self.url(lane), seconds(self.options.lease));
        poll.ask(&self.client, &Ask { url, messages, wait, lease, now });
        true
    }

    /// Waits for the answer to a short look.
    async fn answered(&self, lane: Lane) -> Result<(), QueueError> {
        if self.gather(LOOK, |polls| !polls[place(lane)].is_open()).await? {
            return Ok(());
        }
        Err(self.away("it does not answer"))
    }

    /// Takes in what is answered until `enough`, for at most `limit`. Answers whether it was enough.
    async fn gather(&self, limit: Duration, enough: impl Fn(&[Poll; 2]) -> bool) -> Result<bool, QueueError> {
        let mut found = Found::default();
        let gathering = std::future::poll_fn(|context| {
            let mut polls = self.polls();
            self.collect(&mut polls, context, &mut found);
            if found.error.is_some() || enough(&polls) { task::Poll::Ready(()) } else { task::Poll::Pending }
        });
        let answered = tokio::time::timeout(limit, gathering).await.is_ok();
        self.hide(found.aside, ASIDE).await?;
        self.delete(found.bury).await?;
        found.error.map_or(Ok(answered), Err)
    }

    fn collect(&self, polls: &mut [Poll; 2], context: &mut task::Context<'_>, found: &mut Found) {
        let now = self.options.clock.monotonic();
        for poll in polls.iter_mut() {
            match poll.poll(context, now, found.waited) {
                None => {}
                Some((Ok(answer), since)) => {
                    for message in answer.messages.unwrap_or_default() {
                        self.accept(poll.lane, &message, since, found);
                    }
                }
                Some((Err(error), _)) => found.error = Some(self.failed(error)),
            }
        }
        found.waited = true;
    }

    /// Into the book, or aside.
    fn accept(&self, lane: Lane, message: &Message, since: Duration, found: &mut Found) {
        let (Some(handle), Some(body)) = (message.receipt_handle(), message.body()) else { return };
        let held = Held::new(lane, handle.into());
        let id = message.message_id().unwrap_or_default();
        let now = self.options.clock.monotonic();
        self.note_age(message);
        let read = STANDARD.decode(body).map_err(|error| error.to_string());
        let envelope = match read.and_then(|bytes| Envelope::decode(&bytes).map_err(|why| why.to_string())) {
            Ok(envelope) => envelope,
            Err(why) => return self.unreadable(message, held, &why, found),
        };
        if envelope.installation != self.options.installation {
            if self.ledge.foreign(now) {
                tracing::warn!(
                    "the queue {} holds jobs of the installation {:032x} (message {id}), and this one is {:032x}: give \
                     each installation a queue of its own",
                    self.url(lane),
                    envelope.installation,
                    self.options.installation
                );
            }
            return found.aside.push(held);
        }
        self.estimate.passed(envelope.jobs.len().min(MAX_JOBS));
        match envelope.jobs.is_empty() {
            true => found.bury.push(held),
            false => self.ledger().accept(lane, held.handle, envelope.jobs, since),
        }
    }

    /// It stays hidden for its lease and comes again, until the service or we have had enough of it.
    fn unreadable(&self, message: &Message, held: Held, why: &str, found: &mut Found) {
        let (id, url) = (message.message_id().unwrap_or_default(), self.url(held.lane()));
        if self.ledge.unreadable(self.options.clock.monotonic()) {
            tracing::warn!("message {id} of the queue {url} cannot be read and is not run: {why}");
        }
        let times = attribute(message, &Attribute::ApproximateReceiveCount).unwrap_or_default();
        if !self.urls.redrives && times >= u64::from(BURY) {
            tracing::error!(
                "message {id} of the queue {url} is deleted: it came {times} times and cannot be read"
            );
            found.bury.push(held);
        }
    }

    /// How long it waited for its first receiver.
    fn note_age(&self, message: &Message) {
        let first = attribute(message, &Attribute::ApproximateReceiveCount) == Some(1);
        let sent = attribute(message, &Attribute::SentTimestamp).and_then(|ms| i64::try_from(ms).ok());
        if let Some(sent) = sent.filter(|_| first) {
            let age = self.options.clock.now().since(Instant::from_ms(sent));
            *self.oldest.lock().expect("no one panics while holding an age") = age;
        }
    }
}

fn attribute(message: &Message, name: &Attribute) -> Option<u64> {
    message.attributes()?.get(name)?.parse().ok()
}
