//! What is older than the retention goes: outcomes by whole periods, the rest by rows. Every step is a short
//! transaction of its own, so that commits go on between them.

use super::error::Result;
use super::memory::Head;
use super::periods::{begin_of, period_of};
use super::tx::Tx;
use super::{Sqlite, retain_beats, snapshot};
use bw_domain::id::MonitorId;
use bw_domain::port::store::StoreError;
use bw_domain::time::{Duration, Instant};
use rusqlite::OptionalExtension;

/// Rows of one step.
const STEP: usize = 4_096;
/// Events outlive their deliveries by more than a delivery waits.
const AFTER_DELIVERIES: Duration = Duration::from_secs(2 * 86_400);

/// What goes by age: each statement deletes at most `?2` rows that are older than `?1`.
const WITH_OUTCOMES: [&str; 2] = [
    "DELETE FROM gaps WHERE id IN (SELECT id FROM gaps WHERE to_at < ?1 LIMIT ?2)",
    "DELETE FROM evidence WHERE id IN (SELECT id FROM evidence WHERE incident IS NULL AND at < ?1 LIMIT ?2)",
];
const WITH_DELIVERIES: &str = "DELETE FROM deliveries WHERE seq IN
    (SELECT seq FROM deliveries WHERE state <> 'waiting' AND created_at < ?1 ORDER BY created_at LIMIT ?2)";
const EVENTS: &str = "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE routed = 1 AND at < ?1 ORDER BY at LIMIT ?2)";
/// In this order: what belongs to an incident or a monitor goes before it.
const WITH_INCIDENTS: [&str; 7] = [
    "DELETE FROM timeline WHERE id IN (SELECT t.id FROM incidents i JOIN timeline t ON t.incident = i.id
     WHERE i.closed_at < ?1 LIMIT ?2)",
    "DELETE FROM evidence WHERE id IN (SELECT e.id FROM incidents i
     JOIN evidence e ON e.monitor = i.monitor AND e.incident = i.id WHERE i.closed_at < ?1 LIMIT ?2)",
    "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE closed_at < ?1 LIMIT ?2)",
    "DELETE FROM transitions WHERE id IN (SELECT id FROM transitions ORDER BY id LIMIT ?2) AND at < ?1",
    "DELETE FROM certificates WHERE monitor IN (SELECT id FROM monitors WHERE deleted_at < ?1 LIMIT ?2)",
    "DELETE FROM revisions WHERE change IN (SELECT r.change FROM monitors m JOIN revisions r ON r.monitor = m.id
     WHERE m.deleted_at < ?1 LIMIT ?2)",
    "DELETE FROM monitors WHERE id IN (SELECT id FROM monitors WHERE deleted_at < ?1 LIMIT ?2)",
];

/// Applies the retention; answers how many periods went.
pub(super) async fn retain(sqlite: &Sqlite, now: Instant) -> std::result::Result<usize, StoreError> {
    let keep = sqlite.retention;
    let outcomes = (now - keep.outcomes).max(Instant::ZERO);
    let retired = sqlite.write(1, move |tx| retire(tx, outcomes)).await?;
    while sqlite.write(STEP, take_away).await? {}
    for sql in WITH_OUTCOMES {
        delete_before(sqlite, sql, outcomes).await?;
    }
    delete_before(sqlite, WITH_DELIVERIES, now - keep.deliveries).await?;
    delete_before(sqlite, EVENTS, now - keep.deliveries - AFTER_DELIVERIES).await?;
    let ended = now - keep.incidents;
    while sqlite.write(STEP, move |tx| retain_beats::forget_tracks(tx, ended)).await? > 0 {}
    for sql in WITH_INCIDENTS {
        delete_before(sqlite, sql, now - keep.incidents).await?;
    }
    Ok(retired)
}

async fn delete_before(
    sqlite: &Sqlite,
    sql: &'static str,
    before: Instant,
) -> std::result::Result<(), StoreError> {
    let step = move |tx: &mut Tx<'_>| Ok(tx.conn.prepare_cached(sql)?.execute((before.ms(), STEP as i64))?);
    while sqlite.write(STEP, step).await? >= STEP {}
    Ok(())
}

/// Forgets the periods that ended before an instant: from here on nobody reads their tables.
fn retire(tx: &mut Tx<'_>, before: Instant) -> Result<usize> {
    let first_kept = period_of(before)?;
    debug_assert!(begin_of(first_kept) <= before, "a period that has not ended is kept");
    let sql = "SELECT 1 FROM periods WHERE period < ?1 AND replay_from IS NOT NULL";
    if tx.conn.prepare_cached(sql)?.exists([first_kept])? {
        // Rare: only an installation that hardly probes needs such old outcomes at its next start.
        snapshot::whole(tx)?;
    }
    tx.conn.prepare_cached("DELETE FROM heads WHERE period < ?1")?.execute([first_kept])?;
    let ends_there = |head: Head| head.id != 0 && head.period < first_kept;
    let silent: Vec<MonitorId> =
        tx.base.rows.iter().filter(|(_, row)| ends_there(row.head)).map(|(id, _)| *id).collect();
    for id in silent {
        // Another work of this transaction may have moved it on.
        let Some(mut row) = tx.row(id).filter(|row| ends_there(row.head)).cloned() else { continue };
        row.head = Head::default();
        snapshot::write(tx.conn, id, &row)?;
        tx.stage(id, Box::new(row));
    }
    tx.journal.tables.forget();
    Ok(tx.conn.prepare_cached("DELETE FROM periods WHERE period < ?1")?.execute([first_kept])?)
}

/// Empties one table of a period that was forgotten, step by step because freeing many pages takes long, then drops it.
/// False: there is none.
fn take_away(tx: &mut Tx<'_>) -> Result<bool> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'outcomes\\_%' ESCAPE '\\'
               AND CAST(substr(name, 10) AS INTEGER) NOT IN (SELECT period FROM periods) LIMIT 1";
    let table: Option<String> = tx.conn.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
    let Some(table) = table else { return Ok(false) };
    let sql = format!("DELETE FROM {table} WHERE id < (SELECT min(id) FROM {table}) + {STEP}");
    if tx.conn.execute(&sql, [])? == 0 {
        tx.conn.execute_batch(&format!("DROP TABLE {table}"))?;
    }
    Ok(true)
}
