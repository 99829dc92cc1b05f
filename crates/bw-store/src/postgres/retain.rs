//! What is older than the retention goes: outcomes by whole days, the rest by rows. Every step is a short transaction of
//! its own, so that commits go on between them; nodes that do it at the same time do no harm.

use super::Postgres;
use super::conn::{Conn, params};
use super::error::Result;
use super::periods;
use bw_domain::time::{Duration, Instant};

/// All of it; it goes on where it ended.
pub(super) const BOUND: Duration = Duration::from_secs(300);
/// Rows of one step.
const STEP: i64 = 4_096;
/// Events outlive their deliveries by more than a delivery waits.
const AFTER_DELIVERIES: Duration = Duration::from_secs(2 * 86_400);

/// What goes by age: each statement deletes at most `$2` rows that are older than `$1`.
const WITH_OUTCOMES: [&str; 2] = [
    "DELETE FROM gaps WHERE id IN (SELECT id FROM gaps WHERE to_at < $1 LIMIT $2)",
    "DELETE FROM evidence WHERE id IN (SELECT id FROM evidence WHERE incident IS NULL AND at < $1 LIMIT $2)",
];
const WITH_DELIVERIES: &str = "DELETE FROM deliveries WHERE seq IN
    (SELECT seq FROM deliveries WHERE state <> 'waiting' AND created_at < $1 ORDER BY created_at LIMIT $2)";
const EVENTS: &str = "DELETE FROM events WHERE seq IN
    (SELECT seq FROM events WHERE routed AND at < $1 ORDER BY at LIMIT $2)";
/// In this order: what belongs to an incident or a monitor goes before it.
const WITH_INCIDENTS: [&str; 8] = [
    "DELETE FROM timeline WHERE id IN (SELECT t.id FROM incidents i JOIN timeline t ON t.incident = i.id
     WHERE i.closed_at < $1 LIMIT $2)",
    "DELETE FROM evidence WHERE id IN (SELECT e.id FROM incidents i
     JOIN evidence e ON e.monitor = i.monitor AND e.incident = i.id WHERE i.closed_at < $1 LIMIT $2)",
    "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE closed_at < $1 LIMIT $2)",
    "DELETE FROM transitions WHERE id IN (SELECT id FROM transitions WHERE at < $1 LIMIT $2)",
    "DELETE FROM certificates WHERE (monitor, vantage) IN (SELECT c.monitor, c.vantage FROM monitors m
     JOIN certificates c ON c.monitor = m.id WHERE m.deleted_at < $1 LIMIT $2)",
    "DELETE FROM tracks WHERE monitor IN (SELECT t.monitor FROM monitors m JOIN tracks t ON t.monitor = m.id
     WHERE m.deleted_at < $1 LIMIT $2)",
    "DELETE FROM revisions WHERE change IN (SELECT r.change FROM monitors m JOIN revisions r ON r.monitor = m.id
     WHERE m.deleted_at < $1 LIMIT $2)",
    "DELETE FROM monitors WHERE id IN (SELECT id FROM monitors WHERE deleted_at < $1 LIMIT $2)",
];

/// Applies the retention; answers how many periods went. Also makes the days to come.
pub(super) async fn retain(store: &Postgres, now: Instant) -> Result<usize> {
    let keep = store.retention;
    let conn = store.conn().await?;
    periods::make_ahead(&conn, now).await?;
    let outcomes = (now - keep.outcomes).max(Instant::ZERO);
    let gone = periods::drop_before(&conn, periods::OUTCOMES, outcomes).await?;
    if gone > 0 {
        store.days.forget();
    }
    for sql in WITH_OUTCOMES {
        delete_before(&conn, sql, outcomes).await?;
    }
    delete_before(&conn, WITH_DELIVERIES, now - keep.deliveries).await?;
    delete_before(&conn, EVENTS, now - keep.deliveries - AFTER_DELIVERIES).await?;
    for sql in WITH_INCIDENTS {
        delete_before(&conn, sql, now - keep.incidents).await?;
    }
    Ok(gone)
}

async fn delete_before(conn: &Conn, sql: &'static str, before: Instant) -> Result<()> {
    while conn.execute(sql, params![before.ms(), STEP]).await? >= STEP as u64 {}
    Ok(())
}
