//! Locks that are no row: what only one node may do at a time. The server frees them with the transaction.

use super::conn::{Conn, Param, params};
use super::error::Result;

/// The first half of every lock's number, so that they are not those of another program in the same database.
const OURS: i32 = 0x6265_6c6c;

/// The first half of the locks by which appends of beats are known that are under way; the second is how far the
/// batches were numbered when it began.
pub(super) const APPENDS: i32 = OURS + 1;

/// What is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    /// Bringing the schema up to date.
    Schema = 1,
    /// Editing declarations, and with it the numbers of the feed. Whoever reads the feed shares it: so what a reading
    /// has not seen counts from a later instant than the reading.
    Edits = 2,
    /// Making and taking away the partitions of outcomes and beats.
    Periods = 3,
    /// Choosing the chains that a node sends.
    Sends = 4,
    /// Dropping what is older than the retention.
    Retention = 5,
    /// Beginning to hear.
    Hearing = 6,
}

/// Waits for the lock until the transaction ends.
pub(super) const TAKE: &str = "SELECT pg_advisory_xact_lock($1, $2)";
/// Waits for it with others who only read.
pub(super) const SHARE: &str = "SELECT pg_advisory_xact_lock_shared($1, $2)";

impl Lock {
    /// The values of [`TAKE`] and [`SHARE`].
    pub fn params(self) -> Vec<Param> {
        params![OURS, self as i32]
    }

    pub async fn take(self, conn: &Conn) -> Result<()> {
        conn.query(TAKE, self.params()).await.map(drop)
    }
}
