//! One post with the headers by which a receiver recognises and trusts it.

use super::config::Hook;
use super::payload::payload;
use super::sign::sign;
use crate::classes::Ending;
use crate::post::{Body, Post, post};
use bw_domain::port::sender::Dispatch;
use bw_domain::time::Instant;
use bw_net::Outbound;

/// Posts the event.
pub(crate) async fn send(outbound: &Outbound, hook: Hook<'_>, dispatch: &Dispatch, now: Instant) -> Ending {
    let body = payload(dispatch);
    let timestamp = now.ms().div_euclid(1_000).to_string();
    let mut headers: Vec<(String, String)> = hook
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.expose().to_owned()))
        .collect();
    if let Some(secret) = hook.secret {
        headers.push(("x-bellwether-signature".to_owned(), sign(secret.expose(), &timestamp, &body)));
    }
    headers.push(("x-bellwether-timestamp".to_owned(), timestamp));
    post(outbound, Post { url: hook.url, delivery: dispatch.delivery, headers, body: Body::Json(body) }, now)
        .await
}
