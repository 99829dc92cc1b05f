//! Jobs behind `port::Queue`. Every queue passes the same contract suite; the one in process is not special.

#[cfg(any(feature = "nats", feature = "sqs"))]
mod broker;
mod memory;
#[cfg(feature = "nats")]
pub mod nats;
#[cfg(all(test, any(feature = "nats", feature = "sqs")))]
mod real;
#[cfg(feature = "sqs")]
pub mod sqs;

#[cfg(any(feature = "nats", feature = "sqs"))]
pub use broker::{ConnectError, strangers::Strangers};
pub use memory::MemoryQueue;
