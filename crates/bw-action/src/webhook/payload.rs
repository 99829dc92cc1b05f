//! The body: the event document, and beside it those that never went out.

use bw_domain::event::Event;
use bw_domain::port::sender::Dispatch;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    event: &'a Event,
    /// Earlier events of the same subject that are told with this one, oldest first.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    merged: &'a [Arc<Event>],
}

/// The bytes that are sent and signed.
pub(super) fn payload(dispatch: &Dispatch) -> Vec<u8> {
    let body = Body { event: &dispatch.event, merged: &dispatch.merged };
    serde_json::to_vec(&body).expect("an event has text keys only, so it is always JSON")
}
