//! Beats that are old enough go by whole days, in short steps, as outcomes do; the tracks stay, and with them the numbers.

use super::days::first_kept;
use super::error::Result;
use super::tx::Tx;
use super::{Sqlite, track_rows};
use bw_domain::id::MonitorId;
use bw_domain::limits::BEATS_KEPT;
use bw_domain::port::store::StoreError;
use bw_domain::time::Instant;
use rusqlite::{OptionalExtension, params};

/// Rows of one step: a body may lie on sixteen pages, each of which is read to be freed.
const STEP: usize = 512;

/// Drops what is older than it is kept; answers how many days went.
pub(super) async fn retain(sqlite: &Sqlite, now: Instant) -> std::result::Result<usize, StoreError> {
    let before = (now - BEATS_KEPT).max(Instant::ZERO);
    let retired = sqlite.write(1, move |tx| retire(tx, before)).await?;
    while sqlite.write(STEP, take_away).await? {}
    Ok(retired)
}

/// Forgets the days that ended before an instant: from here on nobody reads their tables.
fn retire(tx: &mut Tx<'_>, before: Instant) -> Result<usize> {
    let first_kept = first_kept(before)?;
    tx.journal.days.end_day(tx.conn, tx.now)?;
    let sql = "SELECT max(last) FROM beat_days WHERE date < ?1 AND last IS NOT NULL";
    let gone: Option<i64> = tx.conn.prepare_cached(sql)?.query_row([first_kept], |row| row.get(0))?;
    let Some(gone) = gone else { return Ok(0) };
    if track_rows::replay_from(tx.conn)? < gone {
        // Rare: only an installation where hardly anything beats needs such old rows at its next start.
        track_rows::whole(tx)?;
    }
    let sql = "DELETE FROM beat_days WHERE date < ?1 AND last IS NOT NULL";
    Ok(tx.conn.prepare_cached(sql)?.execute([first_kept])?)
}

/// Empties one table of a day that was forgotten, step by step, then drops it. False: there is none.
fn take_away(tx: &mut Tx<'_>) -> Result<bool> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'beats\\_%' ESCAPE '\\'
               AND CAST(substr(name, 7) AS INTEGER) NOT IN (SELECT day FROM beat_days) LIMIT 1";
    let table: Option<String> = tx.conn.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
    let Some(table) = table else { return Ok(false) };
    let sql = format!("DELETE FROM {table} WHERE id < (SELECT min(id) FROM {table}) + {STEP}");
    if tx.conn.execute(&sql, [])? == 0 {
        tx.conn.execute_batch(&format!("DROP TABLE {table}"))?;
    }
    Ok(true)
}

/// Forgets tracks of heartbeats that ended before an instant, some at a time; answers how many.
pub(super) fn forget_tracks(tx: &mut Tx<'_>, before: Instant) -> Result<usize> {
    let sql = "SELECT id FROM monitors WHERE deleted_at < ?1";
    let mut statement = tx.conn.prepare_cached(sql)?;
    let ended = statement.query_map(params![before.ms()], |row| row.get(0).map(MonitorId))?;
    let ended = ended.collect::<rusqlite::Result<Vec<_>>>()?;
    let kept: Vec<_> = ended.into_iter().filter(|id| tx.track(*id).is_some()).take(STEP).collect();
    for id in &kept {
        tx.conn.prepare_cached("DELETE FROM tracks WHERE monitor = ?1")?.execute([id.0])?;
        tx.staged.tracks.insert(*id, None);
    }
    Ok(kept.len())
}
