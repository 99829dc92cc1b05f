//! Builders, a manual clock, contract suites, misbehaving servers and sinks for tests.

pub mod builders;
pub mod clock;
pub mod contract;
pub mod dice;
pub mod postgres;
pub mod server;
