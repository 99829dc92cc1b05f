//! The pure core: what monitors, slots, outcomes, states, incidents and deliveries are, and every decision
//! about them.
//!
//! Nothing here reads a clock, a random source, the environment, a file or a socket. Time and chance are
//! arguments; results are values. Modules stand in flow order.

pub mod limits;
pub mod id;
pub mod secret;
pub mod time;
pub mod read;
pub mod monitor;
pub mod schedule;
pub mod job;
pub mod probe;
pub mod assert;
pub mod outcome;
pub mod state;
pub mod incident;
pub mod event;
pub mod action;
pub mod route;
pub mod delivery;
pub mod signal;
pub mod uptime;
pub mod guard;
pub mod access;
pub mod port;
