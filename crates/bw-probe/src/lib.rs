//! Probes: talk to targets; everything that happens becomes an Outcome.
//!
//! No probe returns an error, starts a process or outlives its time limit. What is wrong with the target is a
//! *fail*; what is wrong with us (lateness, no way out, too much to do, a fault, the guard) is *inconclusive*.

mod evidence;
mod hosts;
mod http;
mod probe;
mod prober;
mod record;
mod redact;
mod selftest;
mod tcp;
mod tls;

pub use prober::{BwProber, Config};
pub use selftest::{Anchors, Gate, State};
