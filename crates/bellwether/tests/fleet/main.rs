//! A fleet from outside: the roles of the built binary on a real PostgreSQL and real brokers, through kills, freezes
//! and cuts.
//!
//! Each test starts a database, a broker and processes of its own, and takes them down with it.

#[path = "../e2e/client.rs"]
#[allow(dead_code, reason = "each suite uses its part")]
mod client;
#[path = "../e2e/eventually.rs"]
mod eventually;
mod fleet;
mod heartbeats;
#[path = "../e2e/installation.rs"]
#[allow(dead_code, reason = "each suite uses its part")]
mod installation;
#[path = "../e2e/job.rs"]
#[allow(dead_code, reason = "each suite uses its part")]
mod job;
#[path = "../e2e/message.rs"]
#[allow(dead_code, reason = "each suite uses its part")]
mod message;
#[path = "../e2e/node.rs"]
#[allow(dead_code, reason = "each suite uses its part")]
mod node;
#[path = "../e2e/raw.rs"]
mod raw;
mod refused;
#[path = "../e2e/slots.rs"]
mod slots;
mod storm;
mod take_over;
mod walkthrough;
