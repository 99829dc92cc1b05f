//! Outcomes: one append-only table a period of an hour, chosen by the slot, so that retention drops tables.
//!
//! There is no index. The rows of one monitor in one table are a chain: each says how many rows back the one before
//! it lies. The newest end (the head) is in memory for the monitor's newest period, and a row of `heads` for older
//! ones. So an outcome costs one appended row, and reading a monitor's hour costs its own rows and no others.
//!
//! Later, sealed blocks replace the tables of days that have ended; they hang in here and in `outcomes`.

use super::error::{Fault, Result};
use super::memory::Head;
use super::replay::Effect;
use crate::pack;
use bw_domain::id::{EvidenceId, MonitorId};
use bw_domain::job::OutcomeKey;
use bw_domain::monitor::Vantage;
use bw_domain::outcome::Outcome;
use bw_domain::port::store::OutcomeRow;
use bw_domain::state::Seen;
use bw_domain::time::Instant;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::HashMap;

/// Milliseconds of a period.
const LENGTH: i64 = 3_600_000;
/// Open tables that the writer remembers: the present period, the one before, and a few for what comes late.
const OPEN_TABLES: usize = 8;

/// The period of a slot.
pub(super) fn period_of(slot: Instant) -> Result<i32> {
    let period = i32::try_from(slot.ms().div_euclid(LENGTH)).ok().filter(|period| *period >= 0);
    period.ok_or_else(|| Fault::Invalid(format!("{slot} is no instant of a slot")))
}

/// The first instant of a period.
pub(super) fn begin_of(period: i32) -> Instant {
    Instant::from_ms(i64::from(period) * LENGTH)
}

/// What is appended.
pub(super) struct Append<'a> {
    pub outcome: &'a Outcome,
    pub seq: u64,
    pub effect: Effect,
    pub evidence: Option<EvidenceId>,
}

/// The writer's knowledge of the tables. Forgotten when a transaction fails, and read again.
#[derive(Debug, Default)]
pub(super) struct Tables {
    open: HashMap<i32, Table>,
    /// Rows appended since they were last asked for.
    appended: usize,
}

#[derive(Debug)]
struct Table {
    insert: String,
    newest: u32,
    /// Whether rows of it may be newer than the snapshot of the observations.
    replayed: bool,
}

impl Tables {
    /// After a transaction that failed.
    pub fn forget(&mut self) {
        self.open.clear();
        self.appended = 0;
    }

    /// After a snapshot: tables start again without rows that are newer.
    pub fn snapshot_ended(&mut self) {
        self.open.clear();
    }

    /// How many rows were appended since the last call.
    pub fn take_appended(&mut self) -> usize {
        std::mem::take(&mut self.appended)
    }

    /// Rows in the newest open table.
    pub fn newest_rows(&self) -> u32 {
        self.open.iter().max_by_key(|(period, _)| **period).map_or(0, |(_, table)| table.newest)
    }

    /// Appends an outcome and moves the head of its monitor.
    pub fn append(&mut self, conn: &Connection, head: &mut Head, row: &Append<'_>) -> Result<()> {
        let Append { outcome, seq, effect, evidence } = row;
        let job = &outcome.job;
        let period = period_of(job.slot)?;
        let table = self.table(conn, period)?;
        let newest =
            table.newest.checked_add(1).ok_or_else(|| Fault::Invalid("a table is full".to_owned()))?;
        if !table.replayed {
            let sql = "UPDATE periods SET replay_from = ?2 WHERE period = ?1";
            conn.prepare_cached(sql)?.execute(params![period, table.newest])?;
            table.replayed = true;
        }
        table.newest = newest;
        let before = link(conn, job.monitor, head, Head { period, id: newest })?;
        let phases = pack::phases(&outcome.phases);
        conn.prepare_cached(&table.insert)?.execute(params![
            newest,
            job.monitor.0,
            *seq as i64,
            if before == 0 { 0 } else { newest - before },
            effect.number(),
            job.vantage.number(),
            job.r#try,
            job.slot.ms() - begin_of(period).ms(),
            outcome.at.ms() - job.slot.ms(),
            job.revision,
            pack::result(outcome.verdict, outcome.code),
            outcome.status,
            outcome.latency_us,
            (!phases.is_empty()).then_some(&phases[..]),
            evidence.map(|id| id.0),
        ])?;
        self.appended += 1;
        Ok(())
    }

    fn table(&mut self, conn: &Connection, period: i32) -> Result<&mut Table> {
        if !self.open.contains_key(&period) {
            if self.open.len() >= OPEN_TABLES {
                self.open.clear();
            }
            self.open.insert(period, open(conn, period)?);
        }
        Ok(self.open.get_mut(&period).expect("it was inserted above"))
    }
}

fn open(conn: &Connection, period: i32) -> Result<Table> {
    let sql = "SELECT replay_from IS NOT NULL FROM periods WHERE period = ?1";
    let known: Option<bool> = conn.prepare_cached(sql)?.query_row([period], |row| row.get(0)).optional()?;
    let insert = format!(
        "INSERT INTO outcomes_{period} (id, monitor, seq, back, effect, vantage, try, slot, at, revision, result, \
         status, latency, phases, evidence) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
    );
    let Some(replayed) = known else {
        create(conn, period)?;
        return Ok(Table { insert, newest: 0, replayed: true });
    };
    Ok(Table { insert, newest: newest(conn, period)?, replayed })
}

/// `slot` counts from the begin of the period, `at` from the slot; `back` is 0 where a chain ends.
pub(super) fn create(conn: &Connection, period: i32) -> Result<()> {
    conn.execute_batch(&format!(
        "CREATE TABLE outcomes_{period} (
            id INTEGER PRIMARY KEY,
            monitor INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            back INTEGER NOT NULL,
            effect INTEGER NOT NULL,
            vantage INTEGER NOT NULL,
            try INTEGER NOT NULL,
            slot INTEGER NOT NULL,
            at INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            result INTEGER NOT NULL,
            status INTEGER NOT NULL,
            latency INTEGER NOT NULL,
            phases BLOB,
            evidence INTEGER
        ) STRICT"
    ))?;
    conn.execute("INSERT INTO periods (period, replay_from) VALUES (?1, 0)", [period])?;
    Ok(())
}

/// The newest row of a table.
pub(super) fn newest(conn: &Connection, period: i32) -> Result<u32> {
    let sql = format!("SELECT ifnull(max(id), 0) FROM outcomes_{period}");
    Ok(conn.query_row(&sql, [], |row| row.get(0))?)
}

/// Puts a new end on the chain, and answers the one before it (0: none). `head` stays at the newest period.
fn link(conn: &Connection, monitor: MonitorId, head: &mut Head, end: Head) -> Result<u32> {
    if head.id != 0 && end.period < head.period {
        let before = stored_head(conn, monitor, end.period)?;
        store_head(conn, monitor, end)?;
        return Ok(before);
    }
    let before = if head.period == end.period { head.id } else { 0 };
    if head.id != 0 && before == 0 {
        store_head(conn, monitor, *head)?;
    }
    *head = end;
    Ok(before)
}

/// Keeps the end of a chain that is not, or no longer, in memory.
pub(super) fn store_head(conn: &Connection, monitor: MonitorId, head: Head) -> Result<()> {
    let sql = "INSERT INTO heads (period, monitor, head) VALUES (?1, ?2, ?3)
               ON CONFLICT (period, monitor) DO UPDATE SET head = excluded.head";
    conn.prepare_cached(sql)?.execute(params![head.period, monitor.0, head.id])?;
    Ok(())
}

fn stored_head(conn: &Connection, monitor: MonitorId, period: i32) -> Result<u32> {
    let sql = "SELECT head FROM heads WHERE period = ?1 AND monitor = ?2";
    let head =
        conn.prepare_cached(sql)?.query_row(params![period, monitor.0], |row| row.get(0)).optional()?;
    Ok(head.unwrap_or(0))
}

/// One row of a table.
pub(super) struct Stored {
    pub row: OutcomeRow,
    pub seq: u64,
    pub effect: Effect,
    back: u32,
}

/// The columns that [`Stored::read`] reads.
pub(super) const COLUMNS: &str = "monitor, seq, back, effect, vantage, try, slot, at, revision, result, status, \
                                  latency, phases, evidence, id";

impl Stored {
    /// Reads a row of a table of this period.
    pub fn read(period: i32, row: &Row<'_>) -> Result<Self> {
        let slot = Instant::from_ms(begin_of(period).ms() + row.get::<_, i64>(6)?);
        let (verdict, code) = pack::read_result(row.get(9)?)?;
        let effect: i64 = row.get(3)?;
        Ok(Stored {
            row: OutcomeRow {
                key: OutcomeKey {
                    monitor: MonitorId(row.get(0)?),
                    vantage: Vantage::from_number(row.get(4)?),
                    slot,
                    r#try: row.get(5)?,
                },
                revision: row.get(8)?,
                at: Instant::from_ms(slot.ms() + row.get::<_, i64>(7)?),
                verdict,
                code,
                status: row.get(10)?,
                latency_us: row.get(11)?,
                phases: pack::read_phases(
                    row.get_ref(12)?.as_blob_or_null().map_err(rusqlite::Error::from)?.unwrap_or_default(),
                )?,
                evidence: row.get::<_, Option<i64>>(13)?.map(EvidenceId),
            },
            seq: row.get::<_, i64>(1)? as u64,
            effect: Effect::from_number(effect)
                .ok_or_else(|| Fault::damaged("effect of an outcome", effect))?,
            back: row.get(2)?,
        })
    }

    /// What the row of observations takes in.
    pub fn seen(&self) -> Seen {
        let row = &self.row;
        Seen {
            vantage: row.key.vantage,
            revision: row.revision,
            slot: row.key.slot,
            r#try: row.key.r#try,
            at: row.at,
            verdict: row.verdict,
            code: row.code,
            latency_us: row.latency_us,
        }
    }
}

/// Visits a monitor's outcomes of one period, newest commit first, until `visit` says that it has enough. `head` is
/// the monitor's newest end; a deleted monitor has none.
pub(super) fn walk(
    conn: &Connection,
    monitor: MonitorId,
    head: Head,
    period: i32,
    mut visit: impl FnMut(Stored) -> bool,
) -> Result<()> {
    let mut id = match head.id {
        id if id != 0 && head.period == period => id,
        id if id != 0 && head.period < period => return Ok(()),
        _ => stored_head(conn, monitor, period)?,
    };
    if id == 0 {
        return Ok(());
    }
    let mut statement =
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM outcomes_{period} WHERE id = ?1"))?;
    while id != 0 {
        let mut rows = statement.query([id])?;
        let row = rows.next()?.ok_or_else(|| Fault::damaged("chain of outcomes", format!("no row {id}")))?;
        let stored = Stored::read(period, row)?;
        id = match stored.back {
            0 => 0,
            back => {
                id.checked_sub(back).ok_or_else(|| Fault::damaged("chain of outcomes", format!("at {id}")))?
            }
        };
        if stored.row.key.monitor != monitor || !visit(stored) {
            break;
        }
    }
    Ok(())
}

/// Whether there is a row with this key.
pub(super) fn contains(conn: &Connection, head: Head, key: &OutcomeKey) -> Result<bool> {
    let mut found = false;
    walk(conn, key.monitor, head, period_of(key.slot)?, |stored| {
        found = stored.row.key == *key;
        !found
    })?;
    Ok(found)
}
