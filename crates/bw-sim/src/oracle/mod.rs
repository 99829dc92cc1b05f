//! Two second opinions about every state, from the journal alone. `replay` asks the state machine again, with nothing
//! but what was committed before. `rule` does not ask it at all: it reads the counting rule as slowly and plainly as it
//! is written. `story` does so for heartbeats, and `hearing` knows when anybody could have heard them.

mod hearing;
mod replay;
mod rule;
mod story;

pub use hearing::Hearing;
pub use replay::replay;
pub use rule::read;
pub use story::{Standing, Step, What, speaks, stories};
