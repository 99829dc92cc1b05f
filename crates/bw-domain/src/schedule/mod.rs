//! When: slots are a function of id, cadence and time, and are never stored.

mod agenda;
mod catchup;
mod shard;
mod slot;

pub use agenda::Agenda;
pub use catchup::{CatchUp, catch_up};
pub use shard::shard_of;
pub use slot::{Grid, vantages_at};
