//! Our event as JSON to any address. With a secret the receiver can tell that it is ours and fresh; with the
//! `Idempotency-Key` it can tell that it has it already.

mod config;
mod payload;
mod send;
mod sign;

pub(crate) use config::Hook;
pub(crate) use send::send;
#[cfg(test)]
pub(crate) use sign::sign as signature;

#[cfg(test)]
mod tests;
