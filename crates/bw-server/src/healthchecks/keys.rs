//! Who asks: the key that may do everything, or the one that may only read. Compared by digest and in constant time, and
//! a wrong one is counted like a wrong token.

use super::mistake::Mistake;
use crate::App;
use bw_domain::access::digest;
use bw_domain::secret::Secret;
use http::HeaderMap;
use std::net::IpAddr;
use subtle::{Choice, ConstantTimeEq};

/// Characters of a key.
const LENGTH: usize = 32;
/// Where it is sent.
pub const HEADER: &str = "x-api-key";

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Write,
    Read,
}

/// The access that a request has; `from_body` is the key of clients that send it there.
pub fn access(
    app: &App,
    headers: &HeaderMap,
    from_body: Option<&str>,
    from: IpAddr,
) -> Result<Access, Mistake> {
    let header = headers.get(HEADER).map(|value| value.to_str().unwrap_or_default());
    let key = header.or(from_body).unwrap_or_default();
    match known(app, key) {
        Some(access) => Ok(access),
        None if key.chars().count() != LENGTH => Err(Mistake::MissingKey),
        None => {
            app.auth.guessed(from).map_err(Mistake::TooMany)?;
            Err(Mistake::WrongKey)
        }
    }
}

/// The access of a key. Both keys are looked at, whatever was sent.
pub fn known(app: &App, key: &str) -> Option<Access> {
    let sent = digest(key);
    let same = |ours: &Option<Secret>| {
        let ours = ours.as_ref().map(|secret| digest(secret.expose()));
        ours.map_or(Choice::from(0), |ours| ours.ct_eq(&sent))
    };
    let (write, read) = (same(&app.beats.api_key), same(&app.beats.read_only_key));
    match (bool::from(write), bool::from(read)) {
        (true, _) => Some(Access::Write),
        (false, true) => Some(Access::Read),
        (false, false) => None,
    }
}
