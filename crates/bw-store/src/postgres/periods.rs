//! The partitions of outcomes: one a day of slots, so that retention drops tables.
//!
//! They are made ahead, and where an outcome lies elsewhere before the batch that holds it, in a transaction of its own:
//! so no batch fails for want of one, and none waits for the lock of another's. There is no default partition: one that
//! holds rows would make every later day wait for its search.

use super::Postgres;
use super::conn::{Conn, Script, get, params};
use super::error::{Fault, Result};
use super::lock::Lock;
use bw_domain::port::store::Commit;
use bw_domain::time::Instant;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Milliseconds of a period.
const LENGTH: i64 = 86_400_000;
/// Days that are made before they begin.
const AHEAD: i32 = 3;

/// The day of a slot, counted since 1970.
pub(super) fn day_of(slot: Instant) -> Result<i32> {
    let day = i32::try_from(slot.ms().div_euclid(LENGTH)).ok();
    let day = day.filter(|day| *day >= 0 && slot < Instant::MAX);
    day.ok_or_else(|| Fault::Invalid(format!("{slot} is no instant of a slot")))
}

/// The name of the table of a day.
pub(super) fn name_of(day: i32) -> String {
    format!("outcomes_{day}")
}

/// The day of a table that was named by [`name_of`].
pub(super) fn day_named(name: &str) -> Option<i32> {
    name.strip_prefix("outcomes_")?.parse().ok()
}

/// The days whose partitions this process has seen. Another may drop an old one: then a commit fails once, and looks
/// again.
#[derive(Debug, Default)]
pub(super) struct Days(Mutex<BTreeSet<i32>>);

impl Days {
    fn unknown(&self, wanted: &BTreeSet<i32>) -> Vec<i32> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.difference(&known).copied().collect()
    }

    fn learn(&self, days: &[i32]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(days);
    }

    /// Knows nothing any more.
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Postgres {
    /// Makes the partitions that the outcomes of a batch need.
    pub(super) async fn make_room<'c>(&self, batch: impl Iterator<Item = &'c Commit>) -> Result<()> {
        let slots = batch.filter_map(|commit| commit.outcome.as_ref()).map(|outcome| outcome.job.slot);
        let days = slots.map(day_of).collect::<Result<BTreeSet<i32>>>()?;
        let unknown = self.days.unknown(&days);
        if unknown.is_empty() {
            return Ok(());
        }
        make(&self.conn().await?, &unknown).await?;
        self.days.learn(&unknown);
        Ok(())
    }
}

/// Makes the partitions of today and the days to come.
pub(super) async fn make_ahead(conn: &Conn, now: Instant) -> Result<()> {
    let today = day_of(now)?;
    make(conn, &(today..=today + AHEAD).collect::<Vec<_>>()).await
}

/// Makes the partitions of these days, where they are not there.
async fn make(conn: &Conn, days: &[i32]) -> Result<()> {
    let names: Vec<String> = days.iter().map(|day| name_of(*day)).collect();
    let sql = "SELECT c.relname::text, i.inhparent IS NOT NULL AND NOT i.inhdetachpending FROM pg_class c
               LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'outcomes'::regclass
               WHERE c.relname = ANY($1) AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'outcomes'::regclass)";
    let attached = |rows: &[tokio_postgres::Row]| {
        rows.iter().map(|row| Ok((get::<String>(row, 0)?, get::<bool>(row, 1)?))).collect::<Result<Vec<_>>>()
    };
    let there = attached(&conn.query(sql, params![names.clone()]).await?)?;
    if there.iter().filter(|(_, attached)| *attached).count() == days.len() {
        return Ok(());
    }
    conn.begin().await?;
    let answer = async {
        Lock::Periods.take(conn).await?;
        // Another may have made them while we waited.
        let there = attached(&conn.query(sql, params![names.clone()]).await?)?;
        for (day, name) in days.iter().zip(&names) {
            match there.iter().find(|(there, _)| there == name) {
                Some((_, true)) => continue,
                // It was to be detached and dropped, and whoever did it has died.
                Some((_, false)) => conn.batch(&format!("DROP TABLE {name}")).await?,
                None => {}
            }
            let (from, to) = (i64::from(*day) * LENGTH, (i64::from(*day) + 1) * LENGTH);
            let sql = format!("CREATE TABLE {name} PARTITION OF outcomes FOR VALUES FROM ({from}) TO ({to})");
            conn.batch(&sql).await?;
        }
        Ok(())
    };
    let answer = answer.await;
    conn.end(answer).await
}

/// Drops the partitions that end before an instant; answers how many.
///
/// They are detached first, without a lock that readers or writers of other days would wait for; that cannot be part of
/// a transaction, and what is cut off in its middle is finished by the next one.
pub(super) async fn drop_before(conn: &Conn, before: Instant) -> Result<usize> {
    let first_kept = day_of(before)?;
    // Of the connection, not of a transaction: what is detached here is detached in none.
    let sql = "SELECT pg_try_advisory_lock($1, $2)";
    let alone = conn.first(sql, Lock::Retention.params()).await?;
    if !alone.map_or(Ok(false), |row| get(&row, 0))? {
        return Ok(0);
    }
    match detach_and_drop(conn, first_kept).await {
        Ok(gone) => {
            conn.query("SELECT pg_advisory_unlock($1, $2)", Lock::Retention.params()).await?;
            Ok(gone)
        }
        // The lock goes with the connection, and its longer time limit too.
        Err(fault) => {
            conn.spoil();
            Err(fault)
        }
    }
}

async fn detach_and_drop(conn: &Conn, first_kept: i32) -> Result<usize> {
    let mut gone = 0;
    for (name, attached, pending) in tables(conn).await? {
        let old = day_named(&name).is_some_and(|day| day < first_kept);
        if !old {
            continue;
        }
        conn.batch("SET statement_timeout = '60s'").await?;
        if pending {
            conn.batch(&format!("ALTER TABLE outcomes DETACH PARTITION {name} FINALIZE")).await?;
        } else if attached {
            conn.batch(&format!("ALTER TABLE outcomes DETACH PARTITION {name} CONCURRENTLY")).await?;
        }
        conn.batch(&format!("SET statement_timeout = '10s'; DROP TABLE IF EXISTS {name}")).await?;
        gone += 1;
    }
    Ok(gone)
}

/// The tables of days: name, whether it is a partition, whether it is about to be none.
async fn tables(conn: &Conn) -> Result<Vec<(String, bool, bool)>> {
    let sql = "SELECT c.relname::text, i.inhparent IS NOT NULL, coalesce(i.inhdetachpending, false) FROM pg_class c
               LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'outcomes'::regclass
               WHERE c.relkind = 'r' AND c.relname LIKE 'outcomes\\_%'
               AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'outcomes'::regclass) ORDER BY c.relname";
    let mut script = Script::default();
    script.push(sql, params![]);
    let rows = conn.script(&script).await?.remove(0);
    rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?, get(row, 2)?))).collect()
}
