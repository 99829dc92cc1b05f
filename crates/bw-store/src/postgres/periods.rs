//! The partitions of outcomes and beats: one a day, so that retention drops tables.
//!
//! They are made ahead, and where a row lies elsewhere before the batch that holds it, in a transaction of its own:
//! so no batch fails for want of one, and none waits for the lock of another's. There is no default partition: one that
//! holds rows would make every later day wait for its search.

use super::Postgres;
use super::conn::{Conn, get, params};
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

/// A table that is divided into days.
#[derive(Clone, Copy, Debug)]
pub(super) struct Divided {
    pub name: &'static str,
    /// A day in the unit of the column that divides it.
    day: i64,
}

/// Divided by the instant of the slot.
pub(super) const OUTCOMES: Divided = Divided { name: "outcomes", day: LENGTH };
/// Divided by the number of the day.
pub(super) const BEATS: Divided = Divided { name: "beats", day: 1 };

/// The day of an instant, counted since 1970.
pub(super) fn day_of(at: Instant) -> Result<i32> {
    let day = i32::try_from(at.ms().div_euclid(LENGTH)).ok();
    let day = day.filter(|day| *day >= 0 && at < Instant::MAX);
    day.ok_or_else(|| Fault::Invalid(format!("{at} is no instant of a slot or beat")))
}

impl Divided {
    /// The name of the table of a day.
    fn name_of(self, day: i32) -> String {
        format!("{}_{day}", self.name)
    }

    /// The day of a table that was named by [`Divided::name_of`].
    fn day_named(self, name: &str) -> Option<i32> {
        name.strip_prefix(self.name)?.strip_prefix('_')?.parse().ok()
    }
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

    /// Whether all of these were seen.
    pub fn knows(&self, wanted: &BTreeSet<i32>) -> bool {
        self.unknown(wanted).is_empty()
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
        self.make_days(OUTCOMES, &days).await.map(drop)
    }

    /// Makes the partitions of these days, where this process has not seen them; answers whether it had not.
    pub(super) async fn make_days(&self, table: Divided, days: &BTreeSet<i32>) -> Result<bool> {
        let known = if table.name == BEATS.name { &self.beat_days } else { &self.days };
        let unknown = known.unknown(days);
        if unknown.is_empty() {
            return Ok(false);
        }
        make(&self.conn().await?, table, &unknown).await?;
        known.learn(&unknown);
        Ok(true)
    }
}

/// Makes the partitions of today and the days to come.
pub(super) async fn make_ahead(conn: &Conn, now: Instant) -> Result<()> {
    let today = day_of(now)?;
    let days = (today..=today + AHEAD).collect::<Vec<_>>();
    make(conn, OUTCOMES, &days).await?;
    make(conn, BEATS, &days).await
}

/// Makes the partitions of these days, where they are not there.
async fn make(conn: &Conn, table: Divided, days: &[i32]) -> Result<()> {
    let names: Vec<String> = days.iter().map(|day| table.name_of(*day)).collect();
    let sql = "SELECT c.relname::text, i.inhparent IS NOT NULL AND NOT i.inhdetachpending FROM pg_class c
               LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = $2::text::regclass
               WHERE c.relname = ANY($1) AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = $2::text::regclass)";
    let attached = |rows: &[tokio_postgres::Row]| {
        rows.iter().map(|row| Ok((get::<String>(row, 0)?, get::<bool>(row, 1)?))).collect::<Result<Vec<_>>>()
    };
    let there = attached(&conn.query(sql, params![names.clone(), table.name]).await?)?;
    if there.iter().filter(|(_, attached)| *attached).count() == days.len() {
        return Ok(());
    }
    conn.begin().await?;
    let answer = async {
        Lock::Periods.take(conn).await?;
        // Another may have made them while we waited.
        let there = attached(&conn.query(sql, params![names.clone(), table.name]).await?)?;
        for (day, name) in days.iter().zip(&names) {
            match there.iter().find(|(there, _)| there == name) {
                Some((_, true)) => continue,
                // It was to be detached and dropped, and whoever did it has died.
                Some((_, false)) => conn.batch(&format!("DROP TABLE {name}")).await?,
                None => {}
            }
            let (from, to) = (i64::from(*day) * table.day, (i64::from(*day) + 1) * table.day);
            let whole = table.name;
            let sql = format!("CREATE TABLE {name} PARTITION OF {whole} FOR VALUES FROM ({from}) TO ({to})");
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
pub(super) async fn drop_before(conn: &Conn, table: Divided, before: Instant) -> Result<usize> {
    let first_kept = day_of(before)?;
    // Of the connection, not of a transaction: what is detached here is detached in none.
    let sql = "SELECT pg_try_advisory_lock($1, $2)";
    let alone = conn.first(sql, Lock::Retention.params()).await?;
    if !alone.map_or(Ok(false), |row| get(&row, 0))? {
        return Ok(0);
    }
    match detach_and_drop(conn, table, first_kept).await {
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

async fn detach_and_drop(conn: &Conn, table: Divided, first_kept: i32) -> Result<usize> {
    let (whole, mut gone) = (table.name, 0);
    for (name, attached, pending) in tables(conn, table).await? {
        let old = table.day_named(&name).is_some_and(|day| day < first_kept);
        if !old {
            continue;
        }
        conn.batch("SET statement_timeout = '60s'").await?;
        if pending {
            conn.batch(&format!("ALTER TABLE {whole} DETACH PARTITION {name} FINALIZE")).await?;
        } else if attached {
            conn.batch(&format!("ALTER TABLE {whole} DETACH PARTITION {name} CONCURRENTLY")).await?;
        }
        conn.batch(&format!("SET statement_timeout = '10s'; DROP TABLE IF EXISTS {name}")).await?;
        gone += 1;
    }
    Ok(gone)
}

/// The tables of days: name, whether it is a partition, whether it is about to be none.
async fn tables(conn: &Conn, table: Divided) -> Result<Vec<(String, bool, bool)>> {
    let sql = "SELECT c.relname::text, i.inhparent IS NOT NULL, coalesce(i.inhdetachpending, false) FROM pg_class c
               LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = $1::text::regclass
               WHERE c.relkind = 'r' AND starts_with(c.relname::text, $1::text || '_')
               AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = $1::text::regclass) ORDER BY c.relname";
    let rows = conn.query(sql, params![table.name]).await?;
    rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?, get(row, 2)?))).collect()
}
