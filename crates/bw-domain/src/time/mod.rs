//! Time as a value: instants in milliseconds, and durations as people write them.

mod calendar;
mod duration;
mod instant;

pub use calendar::{DAY_MS, Day, NotAZone, Stretch, Zone, days_in};
pub use duration::{NotADuration, Span};
pub use instant::Instant;
pub use std::time::Duration;
