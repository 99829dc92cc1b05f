//! Time as a value: instants in milliseconds, and durations as people write them.

mod duration;
mod instant;

pub use duration::{NotADuration, Span};
pub use instant::Instant;
pub use std::time::Duration;
