//! Receiving: a look at the urgent lane, then at the planned one, then a wait for either. A request for one urgent
//! message stands at the broker all the time, so what is urgent arrives while planned jobs flow.
//!
//! Nothing that arrived is lost when a call is given up: messages go from the inbox into the book within one poll.

use super::NatsQueue;
use super::inbox::{Ask, Came, Inbox};
use crate::broker::envelope::Envelope;
use crate::broker::{ASIDE, place};
use async_nats::Message;
use async_nats::jetstream::AckKind;
use bw_domain::port::queue::{Lane, Leased, QueueError};
use bw_domain::time::Duration;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll};

/// How long the request for an urgent message stands.
const STAND: Duration = Duration::from_secs(5);
/// Messages in one request: what is asked for and cannot be handed out soon only ages here.
const AT_ONCE: usize = 64;
/// The broker's answer to "what is there now".
const LOOK: Duration = Duration::from_secs(1);

/// What one look brought.
#[derive(Default)]
struct Found {
    /// Words about messages that are not for us, or not yet.
    words: Vec<(String, AckKind)>,
    gone: bool,
    /// This call has seen all inboxes empty.
    waited: bool,
}

impl NatsQueue {
    /// One caller at a time, the loop `work`: of two, one may sleep until its time is over.
    pub(super) async fn receive_jobs(&self, max: usize, wait: Duration) -> Result<Vec<Leased>, QueueError> {
        if max == 0 {
            return Ok(Vec::new());
        }
        let begun = self.options.clock.monotonic();
        self.gather(Duration::ZERO, |_| true).await?;
        if !self.has(Lane::Now) {
            self.present().await?;
            self.look(Lane::Now, max).await?;
        }
        if !self.has(Lane::Now) {
            self.stand(Lane::Now, STAND).await?;
            if !self.has(Lane::Planned) {
                self.look(Lane::Planned, max).await?;
            }
        }
        let left = wait.saturating_sub(self.options.clock.monotonic().saturating_sub(begun));
        if !self.has_any() && !left.is_zero() {
            self.wait(begun + wait).await?;
        }
        self.hand_out(max).await
    }

    /// Until something comes. A request that is lost with its connection is made again in the next round.
    async fn wait(&self, until: Duration) -> Result<(), QueueError> {
        loop {
            let left = until.saturating_sub(self.options.clock.monotonic());
            if self.has_any() || left.is_zero() {
                return Ok(());
            }
            self.stand(Lane::Now, STAND).await?;
            self.stand(Lane::Planned, left.min(STAND)).await?;
            let epoch = self.line.epoch();
            self.gather(left.min(STAND), |_| self.has_any() || self.line.epoch() != epoch).await?;
        }
    }

    async fn hand_out(&self, max: usize) -> Result<Vec<Leased>, QueueError> {
        let taken = self.ledger().take(max, self.options.clock.monotonic());
        let words = taken.aged.into_iter().map(|held| (held.handle.to_string(), AckKind::Progress));
        if let Err(error) = self.say(words.collect()).await {
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

    fn inboxes(&self) -> MutexGuard<'_, [Inbox; 2]> {
        self.inboxes.lock().expect("no one panics while holding the inboxes")
    }

    /// What a lane holds at this moment; nothing where a request already stands.
    async fn look(&self, lane: Lane, max: usize) -> Result<(), QueueError> {
        let messages = self.estimate.messages(max).min(AT_ONCE);
        if !self.ask(lane, messages, Duration::ZERO).await? {
            return Ok(());
        }
        let over = |inboxes: &mut [Inbox; 2]| self.has_any() || !inboxes[place(lane)].is_open();
        let answered = self.gather(LOOK, over).await?;
        self.inboxes()[place(lane)].enough();
        if answered {
            return Ok(());
        }
        // A consumer that somebody removed is silent. The broker itself knows.
        let asked = tokio::time::timeout(LOOK, self.info(lane)).await;
        asked.map_err(|_| self.away("it does not answer"))??;
        Err(self.away("it does not say what it holds"))
    }

    /// Asks for one message that may come later.
    async fn stand(&self, lane: Lane, wait: Duration) -> Result<(), QueueError> {
        self.ask(lane, 1, wait).await.map(|_| ())
    }

    /// Answers whether it was necessary.
    async fn ask(&self, lane: Lane, messages: usize, wait: Duration) -> Result<bool, QueueError> {
        self.line.up().map_err(|why| self.away(why))?;
        let ask = Ask { messages, wait, now: self.options.clock.monotonic(), epoch: self.line.epoch() };
        let (to, reply, text) = {
            let inbox = &mut self.inboxes()[place(lane)];
            if inbox.is_asking(ask.now, ask.epoch) {
                return Ok(false);
            }
            inbox.ask(&ask)
        };
        let client = self.context.client();
        let sent = tokio::time::timeout(LOOK, client.publish_with_reply(to, reply, text.into())).await;
        sent.map_err(|_| self.away("it takes nothing"))?.map_err(|error| self.away(error))?;
        Ok(true)
    }

    /// Takes in what arrives until `enough`, for at most `limit`. Answers whether it was enough.
    async fn gather(
        &self,
        limit: Duration,
        enough: impl Fn(&mut [Inbox; 2]) -> bool,
    ) -> Result<bool, QueueError> {
        let mut found = Found::default();
        let gathering = std::future::poll_fn(|context| {
            let mut inboxes = self.inboxes();
            self.drain(&mut inboxes, context, &mut found);
            if found.gone || enough(&mut inboxes) { Poll::Ready(()) } else { Poll::Pending }
        });
        let answered = tokio::time::timeout(limit, gathering).await.is_ok();
        self.say(found.words).await?;
        if found.gone {
            self.absent.store(true, SeqCst);
            return Err(self.away("the stream or its consumer is gone; it is made again"));
        }
        Ok(answered)
    }

    fn drain(&self, inboxes: &mut [Inbox; 2], context: &mut Context<'_>, found: &mut Found) {
        let now = self.options.clock.monotonic();
        for inbox in inboxes.iter_mut() {
            while let Poll::Ready(came) = inbox.poll(context, now, found.waited) {
                match came {
                    Came::Message(message, since) => {
                        found.words.extend(self.accept(inbox.lane, &message, since));
                    }
                    Came::End => {}
                    Came::Gone => {
                        found.gone = true;
                        break;
                    }
                }
            }
        }
        found.waited = true;
    }

    /// Into the book, or a word to the broker about what does not belong there.
    fn accept(&self, lane: Lane, message: &Message, since: Duration) -> Option<(String, AckKind)> {
        let handle = message.reply.as_ref()?.as_str();
        let stream = &self.options.name;
        let now = self.options.clock.monotonic();
        let envelope = match Envelope::decode(&message.payload) {
            Ok(envelope) => envelope,
            Err(why) => {
                if self.ledge.unreadable(now) {
                    tracing::warn!(
                        "message {handle} of the stream `{stream}` is not run and not given to anybody again: {why}"
                    );
                }
                return Some((handle.to_owned(), AckKind::Term));
            }
        };
        if envelope.installation != self.options.installation {
            if self.ledge.foreign(now) {
                tracing::warn!(
                    "the stream `{stream}` holds jobs of the installation {:032x}, and this one is {:032x}: give each \
                     installation a stream of its own",
                    envelope.installation,
                    self.options.installation
                );
            }
            return Some((handle.to_owned(), AckKind::Nak(Some(ASIDE))));
        }
        let wall = self.options.clock.now();
        if let Some(later) = envelope.not_before.filter(|later| *later > wall) {
            return Some((handle.to_owned(), AckKind::Nak(Some(later.since(wall)))));
        }
        self.estimate.passed(envelope.jobs.len());
        if envelope.jobs.is_empty() {
            return Some((handle.to_owned(), AckKind::Ack));
        }
        self.ledger().accept(lane, handle.into(), envelope.jobs, since);
        None
    }
}
