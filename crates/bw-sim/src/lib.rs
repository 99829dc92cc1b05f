//! Deterministic simulation of the real loops: a seed makes a world with monitors, targets, trouble and people, the
//! loops of the binary run in it over simulated ports, and invariants judge what happened. One thread a seed; the same
//! seed is the same run to the last poll.
//!
//! `script` says what happens, `world` and `port` let it happen, `sim` polls, `journal` is the complete log, `oracle`
//! and `invariant` judge it, `mutant` breaks the ports on purpose, `shrink` makes a finding small, `kept` keeps it.

mod campaign;
mod chance;
mod fault;
mod invariant;
mod journal;
mod kept;
mod mutant;
mod node;
mod oracle;
mod past;
mod port;
mod script;
mod shrink;
mod sim;
mod truth;
mod wish;
mod world;

pub use campaign::{FIXED, catch, fresh, judge, judge_all};
pub use invariant::{Violation, violations};
pub use kept::{all as kept, keep};
pub use mutant::Mutant;
pub use node::loops;
pub use past::Past;
pub use script::{Options, Script};
pub use shrink::shrink;
pub use sim::simulate;

/// True time: milliseconds since the simulation began.
pub type Ms = u64;
