//! What every implementation of a port promises: one suite a port, run by each adapter.

pub mod queue;
pub mod store;
