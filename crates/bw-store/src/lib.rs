//! The store ports on SQLite (one file, one writer, many readers) and, with the feature `postgres`, on PostgreSQL.
//!
//! A folder a database, with the same names of files in both. What does not depend on which it is stands beside them:
//! sealing secrets, documents, the small forms inside rows, what an edit means, what was found at the opening, and how long history is kept. No SQL is
//! shared.

mod document;
mod editing;
mod evidence;
mod pack;
mod report;
mod retention;
mod seal;
mod track;
mod varint;

#[cfg(feature = "postgres")]
pub mod postgres;
pub mod sqlite;

pub use report::OpenReport;
pub use retention::Retention;
pub use seal::{KeyError, SealKey};
