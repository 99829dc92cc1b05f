//! Builders, a manual clock, contract suites, misbehaving servers and sinks for tests.
pub mod server;
