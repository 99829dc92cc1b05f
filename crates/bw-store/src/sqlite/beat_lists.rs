//! Reading beats: along the chain of a heartbeat, or in the order of keeping.

use super::beat_form::{self, Columns};
use super::days::{self, Day};
use super::error::{Fault, Result};
use bw_domain::id::MonitorId;
use bw_domain::port::store::BeatRow;
use bw_domain::time::Instant;
use bytes::Bytes;
use rusqlite::{Connection, Row};

/// A row of a table.
struct Stored {
    id: i64,
    /// The rows that it points to; 0: nowhere.
    back: i64,
    leap: i64,
    row: BeatRow,
}

/// The columns that [`Stored::read`] reads.
const BEAT: &str = "id, monitor, number, back, leap, at, beat, ifnull(length(body), 0)";

impl Stored {
    fn read(row: &Row<'_>) -> Result<Self> {
        let id: i64 = row.get(0)?;
        let (back, leap): (i64, i64) = (row.get(3)?, row.get(4)?);
        let to = |distance: i64| match distance {
            0 => Ok(0),
            _ => (1..id)
                .contains(&distance)
                .then_some(id - distance)
                .ok_or_else(|| Fault::damaged("chain of beats", format!("at {id}"))),
        };
        let columns = Columns {
            monitor: MonitorId(row.get(1)?),
            number: row.get::<_, i64>(2)? as u64,
            at: Instant::from_ms(row.get(5)?),
            body_bytes: row.get(7)?,
            form: row.get_ref(6)?.as_blob().map_err(|error| Fault::damaged("beat", error))?,
        };
        Ok(Stored { id, back: to(back)?, leap: to(leap)?, row: beat_form::unpack(columns)? })
    }
}

/// Finds rows by their ids, which mostly lie in one table after the other.
struct Finder<'c> {
    conn: &'c Connection,
    days: Vec<Day>,
}

impl<'c> Finder<'c> {
    fn new(conn: &'c Connection) -> Result<Self> {
        Ok(Finder { conn, days: days::all(conn)? })
    }

    /// The table of a row; none when it was dropped.
    fn day(&self, id: i64) -> Option<i64> {
        let after = self.days.partition_point(|day| day.first <= id);
        after.checked_sub(1).map(|place| self.days[place]).filter(|day| id <= day.last).map(|day| day.day)
    }

    fn find(&self, id: i64) -> Result<Option<Stored>> {
        let Some(day) = self.day(id) else { return Ok(None) };
        let sql = format!("SELECT {BEAT} FROM beats_{day} WHERE id = ?1");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query([id])?;
        match rows.next()? {
            Some(row) => Stored::read(row).map(Some),
            None => Err(Fault::damaged("chain of beats", format!("no row {id}"))),
        }
    }

    /// The beats of a heartbeat from its newest on, those with numbers below `before`, at most `limit`.
    fn chain(&self, head: i64, before: u64, limit: usize) -> Result<Vec<Stored>> {
        let mut found = Vec::new();
        let mut next = head;
        // Where the leap of a table is known to go too far.
        let mut too_far = 0;
        while next != 0 && found.len() < limit {
            let Some(stored) = self.find(next)? else { break };
            next = stored.back;
            if stored.row.number < before {
                found.push(stored);
            } else if stored.leap != 0 && stored.leap != too_far {
                let leap = self.find(stored.leap)?;
                match leap.filter(|leap| leap.row.number >= before) {
                    Some(leap) => next = leap.id,
                    None => too_far = stored.leap,
                }
            }
        }
        Ok(found)
    }
}

/// The newest beats of each heartbeat by the newest row of its chain, below a number.
pub(super) fn chains(
    conn: &Connection,
    heads: &[i64],
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Vec<BeatRow>>> {
    let finder = Finder::new(conn)?;
    let chain = |head: &i64| {
        let found = finder.chain(*head, before.unwrap_or(u64::MAX), limit)?;
        Ok(found.into_iter().map(|stored| stored.row).collect())
    };
    heads.iter().map(chain).collect()
}

/// The body of one beat.
pub(super) fn body(conn: &Connection, head: i64, number: u64) -> Result<Option<Bytes>> {
    let finder = Finder::new(conn)?;
    let found = finder.chain(head, number.saturating_add(1), 1)?.pop();
    let Some(stored) = found.filter(|stored| stored.row.number == number) else { return Ok(None) };
    let Some(day) = finder.day(stored.id) else { return Ok(None) };
    let sql = format!("SELECT body FROM beats_{day} WHERE id = ?1");
    let body: Option<Vec<u8>> = conn.prepare_cached(&sql)?.query_row([stored.id], |row| row.get(0))?;
    Ok(Some(body.unwrap_or_default().into()))
}

/// Beats in the order of keeping, after a row or the last ones, and the row to go on after.
pub(super) fn tail(conn: &Connection, after: Option<u64>, limit: usize) -> Result<(Vec<BeatRow>, u64)> {
    let days = days::all(conn)?;
    let newest = match days.last() {
        Some(day) => days::newest_row(conn, day.day, day.first)?,
        None => 0,
    };
    let mut found: Vec<Stored> = Vec::new();
    match after {
        Some(after) => {
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            for day in days.iter().filter(|day| day.last > after) {
                let sql = format!(
                    "SELECT {BEAT} FROM beats_{} WHERE id > ?1 AND number > 0 ORDER BY id LIMIT ?2",
                    day.day
                );
                read(conn, &sql, (after, (limit - found.len()) as i64), &mut found)?;
            }
            let full = found.len() == limit;
            let last = found.last().map_or(after, |stored| stored.id);
            let cursor = if full { last } else { newest };
            Ok((found.into_iter().map(|stored| stored.row).collect(), cursor as u64))
        }
        None => {
            for day in days.iter().rev() {
                let sql = format!(
                    "SELECT {BEAT} FROM beats_{} WHERE id > ?1 AND number > 0 ORDER BY id DESC LIMIT ?2",
                    day.day
                );
                read(conn, &sql, (0, (limit - found.len()) as i64), &mut found)?;
                if found.len() == limit {
                    break;
                }
            }
            Ok((found.into_iter().rev().map(|stored| stored.row).collect(), newest as u64))
        }
    }
}

fn read(conn: &Connection, sql: &str, params: (i64, i64), found: &mut Vec<Stored>) -> Result<()> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        found.push(Stored::read(row)?);
    }
    Ok(())
}
