//! The tracks on disk: a rolling snapshot in one table, and at start the rows of the days after it.
//!
//! For every few appended rows one track is written, in the order of the ids, round and round; one that did not move
//! since it was last written is passed over. A round that ends makes everything from before it began unnecessary for the
//! replay, so that is bounded by two rounds. Every row holds the whole track, so the newest one of a heartbeat is
//! what was in memory.

use super::days::{self, Place};
use super::error::{Fault, Result};
use super::tracks::{Kept, Tracks};
use super::tx::Tx;
use bw_domain::id::MonitorId;
use rusqlite::{Connection, OptionalExtension, Statement, params};
use std::collections::HashSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::ops::Bound;

/// Appended rows for each track that is written.
const ROWS_PER_TRACK: usize = 4;
/// Tracks that are looked at for each that may be written.
const LOOKS: usize = 8;

/// A round of the snapshot.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// The last heartbeat that was looked at.
    after: Option<MonitorId>,
    begun: Option<Begun>,
    /// Appended rows that have not yet paid for a track.
    owed: usize,
}

#[derive(Clone, Copy, Debug)]
struct Begun {
    /// Everything up to this row was in the snapshot before the round.
    from: i64,
    /// Everything up to this row is in it when the round has ended.
    to: i64,
}

impl Round {
    /// After a transaction that failed: what it wrote is not there.
    pub fn forget(&mut self) {
        *self = Round::default();
    }
}

/// Writes as many tracks as the rows of this transaction pay for.
pub(super) fn roll(tx: &mut Tx<'_>) -> Result<()> {
    let owed = tx.journal.track_round.owed + tx.journal.days.take_appended();
    tx.journal.track_round.owed = owed % ROWS_PER_TRACK;
    match owed / ROWS_PER_TRACK {
        0 => Ok(()),
        tracks => write_tracks(tx, tracks, tracks.saturating_mul(LOOKS)),
    }
}

/// Writes all tracks: nothing is left to replay.
pub(super) fn whole(tx: &mut Tx<'_>) -> Result<()> {
    tx.journal.track_round.forget();
    write_tracks(tx, usize::MAX, usize::MAX)
}

fn write_tracks(tx: &mut Tx<'_>, mut writes: usize, mut looks: usize) -> Result<()> {
    let begun = match tx.journal.track_round.begun {
        Some(begun) => begun,
        None => begin_round(tx)?,
    };
    let from = tx.journal.track_round.after.map_or(Bound::Unbounded, Bound::Excluded);
    let mut tracks = tx.base.tracks.kept.range((from, Bound::Unbounded));
    let mut after = tx.journal.track_round.after;
    let mut upsert = tx.conn.prepare_cached(UPSERT)?;
    while writes > 0 && looks > 0 {
        let Some((id, base)) = tracks.next() else { return end_round(tx, begun) };
        looks -= 1;
        after = Some(*id);
        let kept = tx.staged.tracks.get(id).map_or(Some(base), Option::as_ref);
        if let Some(kept) = kept.filter(|kept| kept.place.seen > begun.from) {
            write(&mut upsert, *id, kept)?;
            writes -= 1;
        }
    }
    tx.journal.track_round.after = after;
    Ok(())
}

fn begin_round(tx: &mut Tx<'_>) -> Result<Begun> {
    let to = tx.journal.days.newest(tx.conn)?;
    let begun = Begun { from: replay_from(tx.conn)?, to };
    // What this transaction has made is among the rows up to `to`, and the round will not come by it.
    let mut upsert = tx.conn.prepare_cached(UPSERT)?;
    for (id, kept) in &tx.staged.tracks {
        if let (Some(kept), false) = (kept, tx.base.tracks.kept.contains_key(id)) {
            write(&mut upsert, *id, kept)?;
        }
    }
    tx.journal.track_round.begun = Some(begun);
    Ok(begun)
}

fn end_round(tx: &mut Tx<'_>, begun: Begun) -> Result<()> {
    let sql = "UPDATE beat_marks SET replay_from = ?1";
    tx.conn.prepare_cached(sql)?.execute([begun.to])?;
    tx.journal.track_round.begun = None;
    tx.journal.track_round.after = None;
    Ok(())
}

/// Rows after this one may be newer than the snapshot.
pub(super) fn replay_from(conn: &Connection) -> Result<i64> {
    let sql = "SELECT replay_from FROM beat_marks";
    let from = conn.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
    from.ok_or_else(|| Fault::damaged("marks of beats", "their row is not there"))
}

const UPSERT: &str = "INSERT INTO tracks (monitor, seen, head, leap, track) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (monitor) DO UPDATE SET seen = excluded.seen, head = excluded.head, leap = excluded.leap,
        track = excluded.track";

fn write(upsert: &mut Statement<'_>, monitor: MonitorId, kept: &Kept) -> Result<()> {
    let Place { seen, head, leap } = kept.place;
    upsert.execute(params![monitor.0, seen, head, leap, kept.packed()])?;
    Ok(())
}

/// The tracks as they were when the last acknowledged transaction was committed.
pub(super) fn load(conn: &Connection) -> Result<Tracks> {
    let mut statement = conn.prepare("SELECT id FROM monitors")?;
    let monitors = statement
        .query_map([], |row| row.get(0).map(MonitorId))?
        .collect::<rusqlite::Result<HashSet<_>>>()?;
    let mut kept = stored(conn, &monitors)?;
    let from = replay_from(conn)?;
    for day in days::all(conn)?.into_iter().filter(|day| day.last > from) {
        let sql = format!(
            "SELECT id, monitor, number, leap, track FROM beats_{} WHERE id > ?1 ORDER BY id",
            day.day
        );
        let mut statement = conn.prepare(&sql)?;
        let mut rows = statement.query([from])?;
        while let Some(row) = rows.next()? {
            let (seen, monitor) = (row.get(0)?, MonitorId(row.get(1)?));
            if !monitors.contains(&monitor) {
                continue;
            }
            let place = match row.get::<_, i64>(2)? {
                0 => kept
                    .get(&monitor)
                    .map_or(Place { seen, ..Place::default() }, |kept| Place { seen, ..kept.place }),
                _ => {
                    let leap = row.get::<_, i64>(3)?;
                    Place { seen, head: seen, leap: if leap == 0 { 0 } else { seen.saturating_sub(leap) } }
                }
            };
            match kept.entry(monitor) {
                // The snapshot was written after this row.
                Entry::Occupied(newer) if newer.get().place.seen >= seen => {}
                Entry::Occupied(mut older) => *older.get_mut() = Kept::read(row.get(4)?, place)?,
                Entry::Vacant(free) => drop(free.insert(Kept::read(row.get(4)?, place)?)),
            }
        }
    }
    Ok(Tracks::new(kept))
}

fn stored(conn: &Connection, monitors: &HashSet<MonitorId>) -> Result<BTreeMap<MonitorId, Kept>> {
    let sql = "SELECT monitor, seen, head, leap, track FROM tracks ORDER BY monitor";
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let monitor = MonitorId(row.get(0)?);
        if monitors.contains(&monitor) {
            let place = Place { seen: row.get(1)?, head: row.get(2)?, leap: row.get(3)? };
            found.push((monitor, Kept::read(row.get(4)?, place)?));
        }
    }
    Ok(found.into_iter().collect())
}
