//! Builders, a manual clock, contract suites, misbehaving servers and sinks for tests.

pub mod builders;
pub mod clock;
pub mod contract;
pub mod dice;
pub mod nats;
pub mod postgres;
mod program;
pub mod proxy;
pub mod server;
pub mod sqs;
