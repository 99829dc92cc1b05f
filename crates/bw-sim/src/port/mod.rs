//! The ports as the world plays them. Every call is asked, done and answered at instants of its own; what goes wrong
//! is what the script says.

mod clock;
pub mod prober;
pub mod queue;
pub mod sender;
pub mod store;
pub mod wake;
