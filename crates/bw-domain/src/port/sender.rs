//! Sending: one event to one action, once.

use super::Fut;
use crate::action::ActionKind;
use crate::delivery::Receipt;
use crate::event::Event;
use crate::id::DeliveryId;
use std::sync::Arc;

/// What is to be sent where.
#[derive(Clone, Debug)]
pub struct Dispatch {
    pub delivery: DeliveryId,
    pub action: Arc<ActionKind>,
    /// True for a monitor's `webhook_url`: the text is then exactly the five lines of the compatible interface.
    pub five_lines: bool,
    pub event: Arc<Event>,
    /// Earlier events of the same chain that never went out and are told with this one, oldest first.
    pub merged: Vec<Arc<Event>>,
}

/// Sends within `limits::SEND_TIMEOUT`. It never fails: whatever happens is a receipt.
pub trait Sender: Send + Sync {
    /// One attempt.
    fn send(&self, dispatch: Dispatch) -> Fut<'_, Receipt>;
}
