//! The rows of observations on disk: a rolling snapshot, and at start the replay of the outcomes after it.
//!
//! For every few outcomes one row of observations is written, in the order of the ids, round and round. A round that
//! ends makes everything from before it began unnecessary for the replay. So the replay is bounded by two rounds, no
//! transaction is ever long because of it, and a passing outcome stays one appended row.

use super::error::{Fault, Result};
use super::memory::{Desk, Head, Memory, Row, Shard};
use super::periods::{self, COLUMNS, Stored};
use super::replay;
use super::track_rows;
use super::tx::Tx;
use crate::pack;
use bw_domain::id::MonitorId;
use bw_domain::state::Observed;
use bw_domain::time::Instant;
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

/// Outcomes for each row of the snapshot: with ten thousand monitors at most 160,000 rows are replayed.
const OUTCOMES_PER_ROW: usize = 8;

/// A round of the snapshot.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// The last monitor that was written.
    after: Option<MonitorId>,
    /// The newest row of each table when the round began; `None` before it has begun.
    marks: Option<HashMap<i32, u32>>,
    /// Outcomes that have not yet paid for a row.
    owed: usize,
}

impl Round {
    /// After a transaction that failed: what it wrote is not there.
    pub fn forget(&mut self) {
        *self = Round::default();
    }
}

/// Writes as many rows as the outcomes of this transaction pay for.
pub(super) fn roll(tx: &mut Tx<'_>) -> Result<()> {
    let owed = tx.journal.round.owed + tx.journal.tables.take_appended();
    tx.journal.round.owed = owed % OUTCOMES_PER_ROW;
    match owed / OUTCOMES_PER_ROW {
        0 => Ok(()),
        rows => write_rows(tx, rows),
    }
}

/// Writes all rows: nothing is left to replay.
pub(super) fn whole(tx: &mut Tx<'_>) -> Result<()> {
    tx.journal.round.forget();
    let all = tx.base.rows.len() + 1;
    write_rows(tx, all)
}

fn write_rows(tx: &mut Tx<'_>, mut rows: usize) -> Result<()> {
    if tx.journal.round.marks.is_none() {
        tx.journal.round.marks = Some(newest_rows(tx.conn)?);
    }
    let from = tx.journal.round.after.map_or(Bound::Unbounded, Bound::Excluded);
    let mut last = None;
    for (id, base) in tx.base.rows.range((from, Bound::Unbounded)).take(rows) {
        let row = tx.staged.rows.get(id).map_or(Some(base), Option::as_ref);
        if let Some(row) = row {
            write(tx.conn, *id, row)?;
        }
        rows -= 1;
        last = Some(*id);
    }
    tx.journal.round.after = last.or(tx.journal.round.after);
    if rows > 0 { end_round(tx) } else { Ok(()) }
}

fn end_round(tx: &mut Tx<'_>) -> Result<()> {
    let marks = tx.journal.round.marks.take().unwrap_or_default();
    for (period, newest) in newest_rows(tx.conn)? {
        // A table without a mark was first written after the round began; its own begin of replay still holds.
        let Some(mark) = marks.get(&period) else { continue };
        let from = (*mark < newest).then_some(*mark);
        let sql = "UPDATE periods SET replay_from = ?2 WHERE period = ?1";
        tx.conn.prepare_cached(sql)?.execute(params![period, from])?;
    }
    tx.journal.tables.snapshot_ended();
    tx.journal.round.after = None;
    Ok(())
}

/// The newest row of every table that may have rows to replay.
fn newest_rows(conn: &Connection) -> Result<HashMap<i32, u32>> {
    let mut newest = HashMap::new();
    for (period, _) in replayed_periods(conn)? {
        newest.insert(period, periods::newest(conn, period)?);
    }
    Ok(newest)
}

fn replayed_periods(conn: &Connection) -> Result<Vec<(i32, u32)>> {
    let sql = "SELECT period, replay_from FROM periods WHERE replay_from IS NOT NULL ORDER BY period";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Writes one row.
pub(super) fn write(conn: &Connection, monitor: MonitorId, row: &Row) -> Result<()> {
    let sql = "INSERT INTO observed (monitor, seq, hidden_until, period, head, cells) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (monitor) DO UPDATE SET seq = excluded.seq, hidden_until = excluded.hidden_until,
                   period = excluded.period, head = excluded.head, cells = excluded.cells";
    conn.prepare_cached(sql)?.execute(params![
        monitor.0,
        row.observed.seq as i64,
        row.hidden_until.ms(),
        row.head.period,
        row.head.id,
        pack::cells(&row.observed),
    ])?;
    Ok(())
}

/// Everything that was in memory when the last acknowledged transaction was committed.
pub(super) fn load(conn: &Connection) -> Result<Memory> {
    let mut rows = stored_rows(conn)?;
    replay_all(conn, &mut rows)?;
    Ok(Memory::new(rows, track_rows::load(conn)?, desk(conn)?))
}

fn stored_rows(conn: &Connection) -> Result<BTreeMap<MonitorId, Box<Row>>> {
    let sql = "SELECT m.id, m.created_at, o.seq, o.hidden_until, o.period, o.head, o.cells, s.state
               FROM monitors m LEFT JOIN observed o ON o.monitor = m.id LEFT JOIN state s ON s.monitor = m.id
               WHERE m.deleted_at IS NULL ORDER BY m.id";
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(stored) = rows.next()? {
        let mut row = Row::new(Instant::from_ms(stored.get(1)?));
        if let Some(seq) = stored.get::<_, Option<i64>>(2)? {
            let cells: Vec<u8> = stored.get(6)?;
            row.observed = Observed { seq: seq as u64, cells: pack::read_cells(&cells)? };
            row.hidden_until = Instant::from_ms(stored.get(3)?);
            row.head = Head { period: stored.get(4)?, id: stored.get(5)? };
        }
        if let Some(state) = stored.get::<_, Option<String>>(7)? {
            let state = serde_json::from_str(&state);
            row.set_state(state.map_err(|error| Fault::damaged("state of a monitor", error))?);
        }
        found.push((MonitorId(stored.get(0)?), Box::new(row)));
    }
    Ok(found.into_iter().collect())
}

/// Outcomes were committed in the order of their monitor's `seq`. Within a table that is the order of its rows; the
/// few that lie in another table wait until the rows before them were taken in.
fn replay_all(conn: &Connection, rows: &mut BTreeMap<MonitorId, Box<Row>>) -> Result<()> {
    let mut waiting: BTreeMap<(MonitorId, u64), Stored> = BTreeMap::new();
    for (period, from) in replayed_periods(conn)? {
        let mut statement =
            conn.prepare(&format!("SELECT {COLUMNS} FROM outcomes_{period} WHERE id > ?1 ORDER BY id"))?;
        let mut stored = statement.query([from])?;
        while let Some(sql) = stored.next()? {
            let outcome = Stored::read(period, sql)?;
            let monitor = outcome.row.key.monitor;
            let Some(row) = rows.get_mut(&monitor) else { continue };
            if period >= row.head.period {
                row.head = Head { period, id: sql.get(14)? };
            }
            if outcome.seq > row.observed.seq + 1 {
                waiting.insert((monitor, outcome.seq), outcome);
                continue;
            }
            take_in(row, &outcome);
            while let Some(next) = waiting.remove(&(monitor, row.observed.seq + 1)) {
                take_in(row, &next);
            }
        }
    }
    for ((monitor, _), outcome) in waiting {
        if let Some(row) = rows.get_mut(&monitor) {
            take_in(row, &outcome);
        }
    }
    Ok(())
}

fn take_in(row: &mut Row, outcome: &Stored) {
    if outcome.seq <= row.observed.seq {
        return;
    }
    row.observed.seq = outcome.seq;
    let seen = outcome.seen();
    if let Some(cell) = row.observed.cells.iter_mut().find(|cell| cell.vantage == seen.vantage) {
        replay::apply(cell, &seen, outcome.effect);
    }
    hide(row, &outcome.row.key);
}

/// Remembers that an outcome is stored which the row of observations does not show.
pub(super) fn hide(row: &mut Row, key: &bw_domain::job::OutcomeKey) {
    if row.observed.has(key) == Some(false) {
        row.hidden_until = row.hidden_until.max(key.slot);
    }
}

fn desk(conn: &Connection) -> Result<Desk> {
    let sql = "SELECT first_start, last_change FROM installation";
    let (first_start, last_change) = conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut desk = Desk::new(Instant::from_ms(first_start));
    desk.last_change = last_change;
    let mut statement = conn.prepare("SELECT shard, published, accounted FROM watermarks")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let shard = shard_mut(&mut desk, row.get(0)?)?;
        shard.published = Instant::from_ms(row.get(1)?);
        shard.accounted = Instant::from_ms(row.get(2)?);
    }
    let mut statement = conn.prepare("SELECT shard, epoch FROM leases")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        shard_mut(&mut desk, row.get(0)?)?.epoch = row.get::<_, i64>(1)? as u64;
    }
    Ok(desk)
}

fn shard_mut(desk: &mut Desk, number: u16) -> Result<&mut Shard> {
    desk.shards.get_mut(usize::from(number)).ok_or_else(|| Fault::damaged("shard", number))
}
