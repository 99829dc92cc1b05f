//! `v1=<hex hmac-sha256(secret, timestamp + "." + body)>`: the timestamp is under the signature, so that an old
//! message cannot be played again as a new one.

use ring::hmac;
use std::fmt::Write;

/// The value of `X-Bellwether-Signature`.
pub(crate) fn sign(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(timestamp.as_bytes());
    context.update(b".");
    context.update(body);
    context.sign().as_ref().iter().fold("v1=".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes every text");
        text
    })
}
