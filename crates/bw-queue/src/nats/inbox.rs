//! Where one lane's messages arrive. It lives as long as the queue: a request for messages may be answered after the
//! call that made it has given up, and what then comes lies here for the next call instead of being lost until its
//! lease ends.

use super::word;
use async_nats::{Client, Message, StatusCode, SubscribeError, Subscriber};
use bw_domain::port::queue::Lane;
use bw_domain::time::Duration;
use futures_util::Stream;
use std::pin::Pin;
use std::task::{Context, Poll};

/// An end of a request that is not told by then was lost on the way.
const GRACE: Duration = Duration::from_secs(1);

/// A request for messages that is not yet over.
#[derive(Debug)]
struct Pull {
    left: usize,
    ends: Duration,
    epoch: u64,
}

/// What to ask the broker for.
pub(super) struct Ask {
    pub messages: usize,
    /// Zero: what is there at once, or nothing.
    pub wait: Duration,
    pub now: Duration,
    pub epoch: u64,
}

/// One thing that arrived.
pub(super) enum Came {
    /// A message, and since when at the earliest it is ours.
    Message(Box<Message>, Duration),
    /// The request is over.
    End,
    /// The consumer is not there.
    Gone,
}

pub(super) struct Inbox {
    pub lane: Lane,
    /// The subject on which answers come.
    reply: String,
    request: String,
    messages: Subscriber,
    pull: Option<Pull>,
    /// When it was last seen empty.
    seen: Duration,
}

impl Inbox {
    pub async fn new(client: &Client, stream: &str, lane: Lane) -> Result<Self, SubscribeError> {
        let reply = client.new_inbox();
        let messages = client.subscribe(reply.clone()).await?;
        let request = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{}", word(lane));
        Ok(Inbox { lane, reply, request, messages, pull: None, seen: Duration::ZERO })
    }

    /// Whether a request has no end yet.
    pub fn is_open(&self) -> bool {
        self.pull.is_some()
    }

    /// Whether a request is under way, and can still be answered.
    pub fn is_asking(&mut self, now: Duration, epoch: u64) -> bool {
        self.pull.take_if(|pull| now > pull.ends || pull.epoch != epoch);
        self.pull.is_some()
    }

    /// A new request: where to, with what answer's place, and its text.
    pub fn ask(&mut self, ask: &Ask) -> (String, String, String) {
        let (left, ends) = (ask.messages, ask.now + ask.wait + GRACE);
        self.pull = Some(Pull { left, ends, epoch: ask.epoch });
        self.seen = self.seen.max(ask.now);
        let text = match ask.wait.as_nanos() {
            0 => format!(r#"{{"batch":{left},"no_wait":true}}"#),
            wait => format!(r#"{{"batch":{left},"expires":{wait}}}"#),
        };
        (self.request.clone(), self.reply.clone(), text)
    }

    /// Of what was asked without waiting something came: the rest needs no end.
    pub fn enough(&mut self) {
        self.pull = None;
    }

    /// The next thing that arrived. `waited`: this call has seen the inbox empty, so what comes is of this moment.
    pub fn poll(&mut self, context: &mut Context<'_>, now: Duration, waited: bool) -> Poll<Came> {
        let message = match Pin::new(&mut self.messages).poll_next(context) {
            Poll::Pending => {
                self.seen = now;
                return Poll::Pending;
            }
            Poll::Ready(None) => return Poll::Ready(Came::Gone),
            Poll::Ready(Some(message)) => message,
        };
        Poll::Ready(match message.status {
            None | Some(StatusCode::OK) => {
                self.pull.take_if(|pull| {
                    pull.left = pull.left.saturating_sub(1);
                    pull.left == 0
                });
                Came::Message(Box::new(message), if waited { now } else { self.seen })
            }
            Some(StatusCode::IDLE_HEARTBEAT) => Came::End,
            Some(StatusCode::NO_RESPONDERS) => {
                self.pull = None;
                Came::Gone
            }
            Some(status) => {
                // 404 and 408 are the ordinary ends; the others say what is wrong.
                if !matches!(status, StatusCode::NOT_FOUND | StatusCode::TIMEOUT) {
                    tracing::debug!("a request for messages ended: {status} {:?}", message.description);
                }
                self.pull = None;
                let deleted = message.description.is_some_and(|text| text.contains("Deleted"));
                if deleted { Came::Gone } else { Came::End }
            }
        })
    }
}
