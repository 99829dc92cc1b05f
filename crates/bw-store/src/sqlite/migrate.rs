//! The schema, forward only: numbered files, each applied once in a transaction of its own, with its digest.
//!
//! A file that was released never changes, and a database that a newer program has written is left alone.

use super::error::{Fault, Result};
use super::open::OpenError;
use bw_domain::time::Instant;
use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::path::Path;

/// The files, in the order of their numbers: the first has number 1.
const MIGRATIONS: &[(&str, &str)] = &[
    ("spine", include_str!("../../migrations/sqlite/0001_spine.sql")),
    ("beats", include_str!("../../migrations/sqlite/0002_beats.sql")),
];

/// The newest schema that this program knows.
pub(super) const SCHEMA: i64 = MIGRATIONS.len() as i64;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL, applied_at INTEGER NOT NULL
) STRICT";

/// Brings the schema up to date.
pub(super) fn migrate(
    conn: &mut Connection,
    file: &Path,
    now: Instant,
) -> std::result::Result<(), OpenError> {
    let told = |fault: Fault| OpenError::Store(fault.tell(file));
    let found = schema(conn).map_err(told)?;
    if found > SCHEMA {
        return Err(OpenError::Newer { file: file.to_owned(), found, known: SCHEMA });
    }
    for (number, (name, sql)) in (1..).zip(MIGRATIONS) {
        let own = digest(&SHA256, sql.as_bytes());
        let stored = stored_digest(conn, number).map_err(told)?;
        match stored {
            None => apply(conn, number, name, sql, now).map_err(told)?,
            Some(stored) if stored == own.as_ref() => {}
            Some(_) => return Err(OpenError::Foreign { file: file.to_owned(), number }),
        }
    }
    Ok(())
}

/// The number of the newest migration that was applied, 0 in an empty database.
pub(super) fn schema(conn: &Connection) -> Result<i64> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'migrations'";
    let there: i64 = conn.query_row(sql, [], |row| row.get(0))?;
    if there == 0 {
        return Ok(0);
    }
    let sql = "SELECT ifnull(max(number), 0) FROM migrations";
    Ok(conn.query_row(sql, [], |row| row.get(0))?)
}

fn stored_digest(conn: &Connection, number: i64) -> Result<Option<Vec<u8>>> {
    if schema(conn)? < number {
        return Ok(None);
    }
    let sql = "SELECT digest FROM migrations WHERE number = ?1";
    Ok(conn.query_row(sql, [number], |row| row.get(0)).optional()?)
}

fn apply(conn: &mut Connection, number: i64, name: &str, sql: &str, now: Instant) -> Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(CREATE)?;
    tx.execute_batch(sql)?;
    tx.execute(
        "INSERT INTO migrations (number, name, digest, applied_at) VALUES (?1, ?2, ?3, ?4)",
        params![number, name, digest(&SHA256, sql.as_bytes()).as_ref(), now.ms()],
    )?;
    Ok(tx.commit()?)
}
