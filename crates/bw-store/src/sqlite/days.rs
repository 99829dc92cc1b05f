//! Beats on disk: one append-only table for each day on which beats were kept, so that retention drops tables.
//!
//! There is no index. Ids go on over all tables, so they are the order of keeping. The beats of one heartbeat are a
//! chain: each says how far back the one before it lies (`back`), and how far the newest one of an earlier table
//! (`leap`), by which a reader passes over whole days. The newest end is in memory with the track.
//!
//! Each row holds the track that the beat led to, some twenty bytes: what a restart takes in is the newest row of every
//! heartbeat, without knowing any agreement. A track that moved without a beat (a decision, an edit) is a row of its own
//! with the number 0 and in no chain. So whatever moves a track costs one appended row and no page anywhere else.

use super::error::{Fault, Result};
use bw_domain::id::MonitorId;
use bw_domain::time::{DAY_MS, Instant};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

/// Where the newest rows of a heartbeat lie; 0: nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The row that the track is of.
    pub seen: i64,
    /// The newest beat.
    pub head: i64,
    /// The newest beat of an earlier table than that of `head`.
    pub leap: i64,
}

/// What is appended.
pub(super) struct NewRow<'a> {
    pub monitor: MonitorId,
    pub track: &'a [u8],
    /// Nothing where only the track moved.
    pub beat: Option<NewBeat<'a>>,
}

/// The beat of a row.
pub(super) struct NewBeat<'a> {
    pub number: u64,
    pub at: Instant,
    pub form: &'a [u8],
    pub body: &'a [u8],
}

/// The writer's knowledge of the tables. Forgotten when a transaction fails, and read again.
#[derive(Debug, Default)]
pub(super) struct Days {
    open: Option<Open>,
    /// Rows appended since they were last asked for.
    appended: usize,
}

#[derive(Debug)]
struct Open {
    date: i64,
    first: i64,
    newest: i64,
    insert: String,
}

impl Days {
    /// After a transaction, or a part of one, that was taken back.
    pub fn forget(&mut self) {
        *self = Days::default();
    }

    /// How many rows were appended since the last call.
    pub fn take_appended(&mut self) -> usize {
        std::mem::take(&mut self.appended)
    }

    /// The newest row of all; 0: there never was one.
    pub fn newest(&self, conn: &Connection) -> Result<i64> {
        match &self.open {
            Some(open) => Ok(open.newest),
            None => Ok(newest_day(conn)?.map_or(0, |day| day.newest)),
        }
    }

    /// Ends a day that is over, where there is one: the next goes on with its ids.
    pub fn end_day(&mut self, conn: &Connection, now: Instant) -> Result<()> {
        match newest_day(conn)? {
            Some(_) => self.open(conn, now),
            None => Ok(()),
        }
    }

    /// Begins to append to the table of today: what is appended together is prepared once.
    pub fn insert<'d>(&'d mut self, conn: &'d Connection, now: Instant) -> Result<Insert<'d>> {
        self.open(conn, now)?;
        let open = self.open.as_mut().expect("it was opened above");
        let statement = conn.prepare_cached(&open.insert)?;
        Ok(Insert { first: open.first, newest: &mut open.newest, appended: &mut self.appended, statement })
    }

    /// The newest table, or a new one on a new day.
    fn open(&mut self, conn: &Connection, now: Instant) -> Result<()> {
        let date = date_of(now);
        // A clock that is set back by a little does not make a table for every time that it does.
        if !self.open.as_ref().is_some_and(|open| date == open.date || date + 1 == open.date) {
            self.open = Some(open_day(conn, date)?);
        }
        Ok(())
    }
}

/// Appends rows to one table.
pub(super) struct Insert<'d> {
    first: i64,
    newest: &'d mut i64,
    appended: &'d mut usize,
    statement: CachedStatement<'d>,
}

impl Insert<'_> {
    /// Appends a row; answers where its heartbeat has come to.
    pub fn append(&mut self, place: Place, row: &NewRow<'_>) -> Result<Place> {
        let id = *self.newest + 1;
        let distance = |to: i64| if to == 0 { 0 } else { id - to };
        let mut place = Place { seen: id, ..place };
        let NewRow { monitor, track, beat } = row;
        match beat {
            None => {
                let nothing = None::<&[u8]>;
                self.statement.execute(params![id, monitor.0, 0, 0, 0, 0, track, nothing, nothing])?;
            }
            Some(NewBeat { number, at, form, body }) => {
                if place.head < self.first {
                    place.leap = place.head;
                }
                let (back, leap) = (distance(place.head), distance(place.leap));
                place.head = id;
                let (number, body) = (*number as i64, (!body.is_empty()).then_some(*body));
                self.statement.execute(params![
                    id,
                    monitor.0,
                    number,
                    back,
                    leap,
                    at.ms(),
                    track,
                    form,
                    body
                ])?;
            }
        }
        *self.newest = id;
        *self.appended += 1;
        Ok(place)
    }
}

/// The day of an instant, in UTC.
pub(super) fn date_of(at: Instant) -> i64 {
    at.ms().div_euclid(DAY_MS)
}

fn open_day(conn: &Connection, date: i64) -> Result<Open> {
    let (day, newest) = match newest_day(conn)? {
        Some(Newest { day, date: of, first, newest }) if date == of || date + 1 == of => {
            return Ok(Open { date: of, first, newest, insert: insert(day) });
        }
        Some(Newest { day, newest, .. }) => {
            conn.execute("UPDATE beat_days SET last = ?2 WHERE day = ?1", params![day, newest])?;
            (day + 1, newest)
        }
        None => (1, 0),
    };
    create(conn, day)?;
    let first = newest + 1;
    conn.execute("INSERT INTO beat_days (day, date, first) VALUES (?1, ?2, ?3)", params![day, date, first])?;
    Ok(Open { date, first, newest, insert: insert(day) })
}

struct Newest {
    day: i64,
    date: i64,
    first: i64,
    newest: i64,
}

fn newest_day(conn: &Connection) -> Result<Option<Newest>> {
    let sql = "SELECT day, date, first FROM beat_days ORDER BY day DESC LIMIT 1";
    let found = conn.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let Some((day, date, first)): Option<(i64, i64, i64)> = found.optional()? else { return Ok(None) };
    Ok(Some(Newest { day, date, first, newest: newest_row(conn, day, first)? }))
}

/// The newest row of the newest table; the end of the one before it where it has none.
pub(super) fn newest_row(conn: &Connection, day: i64, first: i64) -> Result<i64> {
    let sql = format!("SELECT max(id) FROM beats_{day}");
    let newest: Option<i64> = conn.query_row(&sql, [], |row| row.get(0))?;
    Ok(newest.unwrap_or(first - 1))
}

fn insert(day: i64) -> String {
    format!(
        "INSERT INTO beats_{day} (id, monitor, number, back, leap, at, track, beat, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    )
}

/// `back` and `leap` are 0 where a chain ends. Bodies are last: nobody reads them who looks for something else.
fn create(conn: &Connection, day: i64) -> Result<()> {
    Ok(conn.execute_batch(&format!(
        "CREATE TABLE beats_{day} (
            id INTEGER PRIMARY KEY,
            monitor INTEGER NOT NULL,
            number INTEGER NOT NULL,
            back INTEGER NOT NULL,
            leap INTEGER NOT NULL,
            at INTEGER NOT NULL,
            track BLOB NOT NULL,
            beat BLOB,
            body BLOB
        ) STRICT"
    ))?)
}

/// A table as readers know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    pub day: i64,
    pub first: i64,
    /// Of the newest table: beyond every row.
    pub last: i64,
}

/// All tables, oldest first.
pub(super) fn all(conn: &Connection) -> Result<Vec<Day>> {
    let sql = "SELECT day, first, last FROM beat_days ORDER BY day";
    let mut statement = conn.prepare_cached(sql)?;
    let days = statement.query_map([], |row| {
        let last: Option<i64> = row.get(2)?;
        Ok(Day { day: row.get(0)?, first: row.get(1)?, last: last.unwrap_or(i64::MAX) })
    })?;
    Ok(days.collect::<rusqlite::Result<_>>()?)
}

/// The first day of which anything is kept, where what is older than `before` goes.
pub(super) fn first_kept(before: Instant) -> Result<i64> {
    let date = date_of(before);
    (date >= 0).then_some(date).ok_or_else(|| Fault::Invalid(format!("{before} is no instant of a beat")))
}
