//! The schema, forward only: numbered files, each applied once in a transaction of its own, with its digest, one node at
//! a time. A file that was released never changes, and a database that a newer program has written is left alone.

use super::conn::{Conn, get, params};
use super::error::{Fault, Result, shown};
use super::lock::Lock;
use super::open::OpenError;
use ring::digest::{SHA256, digest};
use tokio_postgres::error::SqlState;

/// The files, in the order of their numbers: the first has number 1.
const MIGRATIONS: &[(&str, &str)] = &[
    ("spine", include_str!("../../migrations/postgres/0001_spine.sql")),
    ("beats", include_str!("../../migrations/postgres/0002_beats.sql")),
];

/// The newest schema that this program knows.
pub const SCHEMA: i64 = MIGRATIONS.len() as i64;

/// The oldest server that has all that is used here.
const SERVER: i32 = 14;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS migrations (
    number bigint PRIMARY KEY, name text NOT NULL, digest bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now())";

/// Refuses a server that is too old.
pub(super) async fn server(conn: &Conn, place: &str) -> std::result::Result<(), OpenError> {
    let told = |fault: Fault| OpenError::Store(fault.tell(place));
    let sql = "SELECT current_setting('server_version_num')::integer, current_setting('server_version')";
    let row = conn.first(sql, params![]).await.map_err(told)?;
    let row = row.ok_or_else(|| told(Fault::damaged("version", "no row")))?;
    let number: i32 = get(&row, 0).map_err(told)?;
    if number / 10_000 < SERVER {
        let version = get(&row, 1).map_err(told)?;
        return Err(OpenError::TooOld { place: place.to_owned(), version });
    }
    Ok(())
}

/// Refuses a schema that is not the one of this program.
pub(super) async fn check(conn: &Conn, place: &str) -> std::result::Result<(), OpenError> {
    let place = || place.to_owned();
    match found(conn, &place()).await? {
        0 => Err(OpenError::NotPrepared { place: place() }),
        found if found < SCHEMA => Err(OpenError::Older { place: place(), found, known: SCHEMA }),
        _ => Ok(()),
    }
}

/// Brings the schema up to date; answers the numbers of the files that were applied.
pub(super) async fn migrate(conn: &Conn, place: &str) -> std::result::Result<Vec<i64>, OpenError> {
    let mut applied = Vec::new();
    for (number, (name, sql)) in (1..).zip(MIGRATIONS) {
        conn.begin().await.map_err(|fault| OpenError::Store(fault.tell(place)))?;
        let answer = step(conn, number, (name, sql)).await;
        let fresh = conn.end(answer).await.map_err(|fault| refusal(fault, place))?;
        applied.extend(fresh.then_some(number));
    }
    // What another program has written, or a newer one, shows now.
    found(conn, place).await?;
    Ok(applied)
}

/// True: it was applied now.
async fn step(conn: &Conn, number: i64, (name, sql): (&str, &str)) -> Result<bool> {
    // Others wait for the whole of a migration; what is changed waits a short time for who uses it, or gives up.
    conn.batch("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
    Lock::Schema.take(conn).await?;
    conn.batch("SET LOCAL lock_timeout = '5s'").await?;
    conn.batch(CREATE).await?;
    let there = "SELECT count(*) FROM migrations WHERE number >= $1";
    let row = conn.first(there, params![number]).await?;
    let there: i64 = row.map_or(Ok(0), |row| get(&row, 0))?;
    if there > 0 {
        return Ok(false);
    }
    conn.batch(sql).await?;
    let sql_of = "INSERT INTO migrations (number, name, digest) VALUES ($1, $2, $3)";
    let own = digest(&SHA256, sql.as_bytes()).as_ref().to_vec();
    conn.execute(sql_of, params![number, name.to_owned(), own]).await?;
    Ok(true)
}

/// The number of the newest file that was applied, 0 in an empty database.
async fn found(conn: &Conn, place: &str) -> std::result::Result<i64, OpenError> {
    let rows = match conn.query("SELECT number, digest FROM migrations ORDER BY number", params![]).await {
        Ok(rows) => rows,
        Err(fault) if fault.is(&SqlState::UNDEFINED_TABLE) => return Ok(0),
        Err(fault) => return Err(refusal(fault, place)),
    };
    let told = |fault: Fault| OpenError::Store(fault.tell(place));
    let mut newest = 0;
    for row in &rows {
        newest = get(row, 0).map_err(told)?;
        if newest > SCHEMA {
            return Err(OpenError::Newer { place: place.to_owned(), found: newest, known: SCHEMA });
        }
        let stored: &[u8] = get(row, 1).map_err(told)?;
        let own = usize::try_from(newest - 1).ok().and_then(|index| MIGRATIONS.get(index));
        if own.is_none_or(|(_, sql)| digest(&SHA256, sql.as_bytes()).as_ref() != stored) {
            return Err(OpenError::Foreign { place: place.to_owned(), number: newest });
        }
    }
    Ok(newest)
}

/// Why the schema could not be made or read.
fn refusal(fault: Fault, place: &str) -> OpenError {
    let place = place.to_owned();
    match &fault {
        Fault::Database(error) => match error.code() {
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => OpenError::Permission { place, problem: shown(error) },
            Some(&(SqlState::DUPLICATE_TABLE | SqlState::UNDEFINED_COLUMN)) => {
                OpenError::Occupied { place, problem: shown(error) }
            }
            _ => OpenError::Store(fault.tell(&place)),
        },
        _ => OpenError::Store(fault.tell(&place)),
    }
}
