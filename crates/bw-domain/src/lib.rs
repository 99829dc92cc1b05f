//! The pure core: what monitors, slots, outcomes, states, incidents and deliveries are, and every decision
//! about them.
//!
//! Nothing here reads a clock, a random source, the environment, a file or a socket. Time and chance are
//! arguments; results are values. Modules stand in flow order.

pub mod access;
pub mod action;
pub mod assert;
pub mod beat;
pub mod delivery;
pub mod event;
pub mod guard;
pub mod id;
pub mod incident;
pub mod job;
pub mod limits;
pub mod monitor;
pub mod nearest;
pub mod outcome;
pub mod port;
pub mod probe;
pub mod read;
pub mod route;
pub mod schedule;
pub mod secret;
pub mod signal;
pub mod state;
pub mod time;
pub mod uptime;
