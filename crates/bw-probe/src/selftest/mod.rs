//! The observer's self-test. Before a failure of the network is believed, anchors are asked: places whose being
//! unreachable says more about us than about them. Without anchors there is no gate.

mod anchors;
mod gate;

pub use anchors::Anchors;
pub use gate::{Gate, State};
