//! Two second opinions about every state, from the journal alone. `replay` asks the state machine again, with nothing
//! but what was committed before. `rule` does not ask it at all: it reads the counting rule as slowly and plainly as it
//! is written.

mod replay;
mod rule;

pub use replay::replay;
pub use rule::read;
