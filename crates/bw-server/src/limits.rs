//! Bounds of the listener itself, each with its reason. What is declared and stored is bounded by
//! `bw_domain::limits`.

use std::time::Duration;

/// A client that has not sent its request's head by then gives its place to another.
pub const HEADER_READ: Duration = Duration::from_secs(10);
/// Bytes of one line of a request that the listener's front looks at: what the servers took before which the
/// original clients stand. A longer one is none of theirs and goes on as it is.
pub const LINE: usize = 16 << 10;
/// Requests that are being answered may take so long after the listener stops.
pub const GRACE: Duration = Duration::from_secs(10);
/// Connections of one listener: beyond it new ones wait in the system's queue.
pub const CONNECTIONS: usize = 4_096;
/// How long accepting pauses after the system refused, by lack of descriptors for instance.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Requests a second of one address, and how many it may save up. Programs that page through everything stay
/// below; loops gone wild do not. This machine itself is not counted.
pub const REQUESTS_PER_SECOND: u32 = 200;
/// The burst of the above.
pub const REQUESTS_BURST: u32 = 1_000;
/// Wrong credentials of one address: one each so many seconds after the first few.
pub const WRONG_EVERY: Duration = Duration::from_secs(6);
/// The first few.
pub const WRONG_BURST: u32 = 10;
/// Addresses that a limiter remembers before it forgets those that are quiet.
pub const ADDRESSES: usize = 10_000;
/// Passwords that are checked at once, 19 MiB each.
pub const PASSWORD_CHECKS: usize = 2;
/// Sign-ins that may wait for a check.
pub const PASSWORD_QUEUE: usize = 16;
/// How long the tokens of the store are believed: another node may have revoked one meanwhile.
pub const TOKENS_FRESH: Duration = Duration::from_secs(5);
/// The same for a token that was not found: guessing must not cost a query each.
pub const TOKENS_MISSED: Duration = Duration::from_secs(1);
/// Characters of an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY: usize = 200;
/// Bytes of a whole file of declarations: a hundred thousand monitors.
pub const APPLY_BODY: usize = 64 << 20;
/// What a monitor takes in a list of JSON, generously: only a first guess of the buffer's size.
pub const MONITOR_BYTES: usize = 600;
/// Bytes of a beat's body that are read before it is cut; what is kept is `bw_domain::limits::BEAT_BODY_MAX`. Logs of
/// whole jobs are sent so; what is longer does not end.
pub const BEAT_BODY_READ_MAX: usize = 10 << 20;
/// How long a beat's body may take to come: three times as long as the clients of the originals wait.
pub const BEAT_BODY_TIME: Duration = Duration::from_secs(30);
