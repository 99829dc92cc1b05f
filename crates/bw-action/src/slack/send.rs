//! One post to the hook. Slack says `ok`; whatever else it says explains a refusal.

use super::payload::payload;
use super::pulses;
use crate::classes::Ending;
use crate::post::{Body, Post, post};
use bw_domain::port::sender::Dispatch;
use bw_domain::secret::Secret;
use bw_domain::time::Instant;
use bw_net::Outbound;

/// Posts the message.
pub(crate) async fn send(outbound: &Outbound, url: &Secret, dispatch: &Dispatch, now: Instant) -> Ending {
    // The original posted a form, and what receives it may know nothing else.
    let body = if dispatch.event.kind.is_pulse() {
        Body::form("payload", &pulses::payload(dispatch).to_string())
    } else {
        Body::Json(payload(dispatch).to_string().into_bytes())
    };
    post(outbound, Post { url, delivery: dispatch.delivery, headers: Vec::new(), body }, now).await
}
