//! Misbehaving servers on real loopback sockets, for tests of probes and of senders.
//!
//! Each server lives as long as its value: dropping it ends its tasks and closes its sockets. They need a running
//! tokio runtime and nothing else; no test has to sleep, because whoever waits for a request waits on a channel.

mod answer;
mod authority;
mod clock;
mod full;
mod names;
mod request;
mod sink;
mod target;

pub use answer::Answer;
pub use authority::{Authority, Leaf};
pub use clock::RunningClock;
pub use full::Full;
pub use names::{Names, Reply};
pub use request::Recorded;
pub use sink::Sink;
pub use target::Target;
