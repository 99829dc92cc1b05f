//! Senders: what carries one event to one action, once. Each kind of action is a folder; `classes` says what a
//! sink's answer means for all of them.
//!
//! Invariants: an attempt ends within `limits::SEND_TIMEOUT`, always as a receipt; no receipt, error or log
//! line holds an address, a header or a key of an action; nothing here opens a connection of its own.

mod classes;
mod log;
mod post;
#[cfg(test)]
mod sample;
mod slack;
mod text;
mod webhook;

use bw_domain::action::ActionKind;
use bw_domain::delivery::{Attempt, AttemptResult, Receipt};
use bw_domain::port::Fut;
use bw_domain::port::clock::Clock;
use bw_domain::port::sender::{Dispatch, Sender};
use bw_net::Outbound;
use classes::Ending;
use std::sync::Arc;

/// Every kind of action behind one port.
pub struct Senders {
    outbound: Outbound,
    clock: Arc<dyn Clock>,
}

impl Senders {
    /// Senders that reach the world through `outbound`.
    pub fn new(outbound: Outbound, clock: Arc<dyn Clock>) -> Self {
        Senders { outbound, clock }
    }

    async fn attempt(&self, dispatch: &Dispatch) -> Ending {
        match &*dispatch.action {
            ActionKind::Slack { url } => slack::send(&self.outbound, url, dispatch, self.clock.now()).await,
            ActionKind::Webhook { url, headers, secret } => {
                let hook = webhook::Hook { url, headers, secret: secret.as_ref() };
                webhook::send(&self.outbound, hook, dispatch, self.clock.now()).await
            }
            ActionKind::Log => log::send(dispatch),
        }
    }
}

impl Sender for Senders {
    fn send(&self, dispatch: Dispatch) -> Fut<'_, Receipt> {
        Box::pin(async move {
            let (at, began) = (self.clock.now(), self.clock.monotonic());
            let ending = self.attempt(&dispatch).await;
            let took = self.clock.monotonic().saturating_sub(began);
            let took_ms = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
            tell(&dispatch, &ending);
            let Ending { result, status, text, retry_after } = ending;
            Receipt { attempt: Attempt { at, took_ms, result, status, text }, retry_after }
        })
    }
}

/// The fixed line of the log for each message that left, and a warning for each that did not.
fn tell(dispatch: &Dispatch, ending: &Ending) {
    if matches!(*dispatch.action, ActionKind::Log) {
        return;
    }
    let (delivery, action) = (dispatch.delivery, dispatch.action.word());
    match ending.result {
        AttemptResult::Sent => tracing::info!("[WEBHOOK] sent status={}", ending.status),
        _ => tracing::warn!("[WEBHOOK] failed delivery={delivery} action={action}: {}", ending.text),
    }
}

#[cfg(test)]
mod tests;
