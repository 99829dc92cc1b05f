//! One event on its way to one action: a small state machine of its own. A row before it is a message; a receipt
//! after each attempt; given up at the horizon, with the reason.

mod backoff;

pub use backoff::next_attempt;

use crate::action::ActionRef;
use crate::event::Event;
use crate::id::{DeliveryId, EventId};
use crate::limits;
use crate::time::{Duration, Instant};
use serde::{Deserialize, Serialize};

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    Waiting,
    Sent,
    Dead,
}

impl DeliveryState {
    /// The word shown and stored.
    pub const fn word(self) -> &'static str {
        match self {
            DeliveryState::Waiting => "waiting",
            DeliveryState::Sent => "sent",
            DeliveryState::Dead => "dead",
        }
    }

    /// The inverse of [`DeliveryState::word`].
    pub fn parse(word: &str) -> Option<Self> {
        [DeliveryState::Waiting, DeliveryState::Sent, DeliveryState::Dead]
            .into_iter()
            .find(|s| s.word() == word)
    }
}

/// One row of the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub event: EventId,
    pub action: ActionRef,
    /// Deliveries of one chain (action and subject) go out in order: a recovery never overtakes its failure.
    pub chain: String,
    pub state: DeliveryState,
    pub created_at: Instant,
    /// When the next attempt may begin.
    pub due: Instant,
    pub attempts: Vec<Attempt>,
    /// Why it is dead, or what it was merged into; empty otherwise.
    pub reason: String,
}

/// One attempt, as recorded after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    pub at: Instant,
    pub took_ms: u32,
    pub result: AttemptResult,
    /// The sink's status, 0 when it gave none.
    pub status: u16,
    /// A sentence for people, without secrets.
    pub text: String,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttemptResult {
    Sent,
    /// May work later.
    Retry,
    /// Will never work: the action is broken.
    Refused,
    /// The process died between beginning and recording: the sink may have it.
    Unknown,
}

/// What the sender answered, before it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub attempt: Attempt,
    /// What the sink asked us to wait; it wins over our own schedule.
    pub retry_after: Option<Duration>,
}

impl Delivery {
    /// A new row for an event and an action; the same pair always has the same id.
    pub fn new(event: &Event, action: ActionRef) -> Self {
        let chain = match action {
            // What `monitor` tells at a time is one message, so it is one chain.
            ActionRef::HeartbeatService => format!("{action}/{}", event.at.ms()),
            _ => format!("{action}/{}", event.subject()),
        };
        Delivery {
            id: DeliveryId::of(&[&event.id.0, action.to_string().as_bytes()]),
            event: event.id,
            action,
            chain,
            state: DeliveryState::Waiting,
            created_at: event.at,
            due: event.at,
            attempts: Vec::new(),
            reason: String::new(),
        }
    }

    /// Records an attempt and decides what becomes of the row. `dice` is a random number for the jitter.
    pub fn record(&mut self, receipt: Receipt, now: Instant, dice: u64) {
        let Receipt { attempt, retry_after } = receipt;
        let (result, text) = (attempt.result, attempt.text.clone());
        self.attempts.push(attempt);
        match result {
            AttemptResult::Sent => self.state = DeliveryState::Sent,
            AttemptResult::Refused => self.give_up(text),
            AttemptResult::Retry | AttemptResult::Unknown => {
                self.due = next_attempt(now, self.attempts.len(), retry_after, dice);
                if self.due.since(self.created_at) > limits::SEND_HORIZON {
                    self.give_up(format!("given up after {} attempts: {text}", self.attempts.len()));
                }
            }
        }
    }

    /// Ends the row unsent.
    pub fn give_up(&mut self, reason: impl Into<String>) {
        self.state = DeliveryState::Dead;
        self.reason = reason.into();
    }

    /// True once an attempt has failed: what it says may no longer be what is true now.
    pub fn is_late(&self) -> bool {
        self.state == DeliveryState::Waiting && !self.attempts.is_empty()
    }
}

#[cfg(test)]
mod tests;
