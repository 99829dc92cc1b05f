//! Outbound connections, once: resolve, guard, connect, TLS, HTTP exchange; each step timed and bounded.
//!
//! Probes and senders both go out through here, and nothing else opens an outbound connection. Every address,
//! literal or resolved, passes the guard right before it is contacted. A step that does not succeed is a
//! [`Failure`]: a fact about the target, or, with a code of ours, about us. Nothing here decides a verdict.

mod connect;
mod endpoint;
mod exchange;
mod failure;
mod net;
mod outbound;
mod resolve;
mod stopwatch;
mod tls;

pub use connect::Dial;
pub use endpoint::{Endpoint, authority};
pub use exchange::{Answer, Exchange, exchange};
pub use failure::Failure;
pub use net::{Net, NetConfig, NetError, USER_AGENT};
pub use outbound::{OutError, OutRequest, OutResponse, Outbound};
pub use resolve::SystemFiles;
pub use stopwatch::Stopwatch;
pub use tls::{Alpn, Shaken};
