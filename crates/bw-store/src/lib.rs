//! The store ports on SQLite: one file, one writer, many readers.
//!
//! A folder a database. What does not depend on which it is stands beside it: sealing secrets, and how long history
//! is kept.

mod retention;
mod seal;
pub mod sqlite;

pub use retention::Retention;
pub use seal::{KeyError, SealKey};
