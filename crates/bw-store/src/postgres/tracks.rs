//! What beats have come to, and the index of when silence speaks.
//!
//! Must hold: `wake` is never later than `deadline`. So an index on `wake` finds every deadline that has come, and beats,
//! which put deadlines off, leave it alone. What it says too early is put right here: where it has come, and a little
//! before that, so that a million jobs of the same minute are not all put right at once.

use super::Postgres;
use super::conn::{Conn, Script, get, params};
use super::error::Result;
use crate::track::{pack, unpack};
use bw_domain::beat::Track;
use bw_domain::id::MonitorId;
use bw_domain::port::store::Timer;
use bw_domain::time::{Duration, Instant};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// Rows that one look puts right: a tenth of a second or two.
const STEP: i64 = 16_384;
/// The same where something is due, which waits for it.
const SMALL_STEP: i64 = 2_048;
/// Rows ahead that one look considers.
const GLANCE: i64 = 4_096;
/// So long before it has come a `wake` may be put right.
const AHEAD: Duration = Duration::from_secs(60);

/// Between two looks ahead, on the time that is looked at.
const PACE: i64 = 250;

/// How far this process has looked ahead, `wake` and monitor, and at what time. A hint: whatever it says, nothing is
/// left out.
#[derive(Debug, Default)]
pub(super) struct Glance(Mutex<((i64, i64), i64)>);

impl Glance {
    /// Where the next look begins; nothing where it is too early for one.
    fn begin(&self, until: Instant) -> Option<(i64, i64)> {
        let mut glance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if until.ms().abs_diff(glance.1) < PACE as u64 {
            return None;
        }
        glance.1 = until.ms();
        Some((glance.0.0.max(until.ms()), glance.0.1))
    }

    fn end(&self, place: (i64, i64)) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = place;
    }
}

/// The tracks of these monitors, of those that have one.
pub(super) async fn read(conn: &Conn, monitors: &[MonitorId]) -> Result<HashMap<MonitorId, Track>> {
    let ids: Vec<i64> = monitors.iter().map(|monitor| monitor.0).collect();
    let sql = "SELECT monitor, track FROM tracks WHERE monitor = ANY($1) AND count > 0";
    let rows = conn.query(sql, params![ids]).await?;
    rows.iter().map(|row| Ok((MonitorId(get(row, 0)?), unpack(get(row, 1)?)?))).collect()
}

/// The days of the last beats of these monitors.
pub(super) async fn last_days(conn: &Conn, monitors: Vec<i64>) -> Result<HashMap<MonitorId, i32>> {
    let sql = "SELECT monitor, last_day FROM tracks WHERE monitor = ANY($1) AND count > 0";
    let rows = conn.query(sql, params![monitors]).await?;
    rows.iter().map(|row| Ok((MonitorId(get(row, 0)?), get(row, 1)?))).collect()
}

/// Replaces tracks whose rows are locked; their counts stay.
pub(super) fn write(script: &mut Script, rows: &[(MonitorId, &Track)]) {
    if rows.is_empty() {
        return;
    }
    let sql = "UPDATE tracks t SET track = u.track, deadline = u.deadline, wake = u.deadline
               FROM unnest($1::bigint[], $2::bytea[], $3::bigint[]) u(monitor, track, deadline)
               WHERE t.monitor = u.monitor";
    let values = params![
        rows.iter().map(|(monitor, _)| monitor.0).collect::<Vec<i64>>(),
        rows.iter().map(|(_, track)| pack(track).into_vec()).collect::<Vec<Vec<u8>>>(),
        rows.iter().map(|(_, track)| track.due.map(|due| due.ms())).collect::<Vec<Option<i64>>>(),
    ];
    script.push(sql, values);
}

/// What the edits of a transaction mean for tracks, in their order.
#[derive(Default)]
pub(super) struct Edited(BTreeMap<MonitorId, Vec<Change>>);

enum Change {
    Edited(u32, Instant),
    Deleted,
}

impl Edited {
    /// A revision counts from an instant.
    pub fn edited(&mut self, monitor: MonitorId, revision: u32, counts_from: Instant) {
        self.0.entry(monitor).or_default().push(Change::Edited(revision, counts_from));
    }

    /// Nothing is waited for any more.
    pub fn deleted(&mut self, monitor: MonitorId) {
        self.0.entry(monitor).or_default().push(Change::Deleted);
    }

    /// Writes them, in the order of the monitors as everybody locks tracks.
    pub async fn write(&self, conn: &Conn) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let all: Vec<i64> = self.0.keys().map(|monitor| monitor.0).collect();
        let is_deleted = |changes: &[Change]| changes.iter().any(|change| matches!(change, Change::Deleted));
        let deleted = self.0.iter().filter(|(_, changes)| is_deleted(changes));
        let deleted: Vec<i64> = deleted.map(|(monitor, _)| monitor.0).collect();
        let mut script = Script::default();
        // Where a heartbeat ends before its first beat a row is put in its place until this transaction ends: whoever
        // makes its track meanwhile waits, and sees then that it has ended.
        if !deleted.is_empty() {
            script.push(MAKE, params![deleted.clone()]);
        }
        let lock = "SELECT monitor, track, count FROM tracks WHERE monitor = ANY($1)
                    ORDER BY monitor FOR NO KEY UPDATE";
        script.push(lock, params![all]);
        let rows = conn.script(&script).await?.pop().unwrap_or_default();
        let mut moved = Vec::new();
        for row in rows {
            let monitor = MonitorId(get(&row, 0)?);
            let Some(changes) =
                self.0.get(&monitor).filter(|_| get(&row, 2).is_ok_and(|count: i64| count > 0))
            else {
                continue;
            };
            let mut track = unpack(get(&row, 1)?)?;
            for change in changes {
                match change {
                    Change::Edited(revision, counts_from) => track.edited(*revision, *counts_from),
                    Change::Deleted => track.due = None,
                }
            }
            moved.push((monitor, track));
        }
        let moved: Vec<(MonitorId, &Track)> =
            moved.iter().map(|(monitor, track)| (*monitor, track)).collect();
        let mut script = Script::default();
        write(&mut script, &moved);
        if !deleted.is_empty() {
            script.push("DELETE FROM tracks WHERE monitor = ANY($1) AND count = 0", params![deleted]);
        }
        conn.script(&script).await.map(drop)
    }
}

/// Rows to be locked, where there are none.
const MAKE: &str = "INSERT INTO tracks (monitor, count, track, last_day)
    SELECT m.id, 0, '', 0 FROM monitors m WHERE m.id = ANY($1) ORDER BY m.id ON CONFLICT (monitor) DO NOTHING";

/// Makes rows for these monitors, if they live, in a transaction of its own: whoever keeps beats locks what is there,
/// in one order.
pub(super) async fn make(conn: &Conn, monitors: Vec<i64>) -> Result<()> {
    let sql = "INSERT INTO tracks (monitor, count, track, last_day)
               SELECT m.id, 0, '', 0 FROM monitors m WHERE m.id = ANY($1) AND m.deleted_at IS NULL
               ORDER BY m.id ON CONFLICT (monitor) DO NOTHING";
    conn.execute(sql, params![monitors]).await.map(drop)
}

/// What is due; then some of what only seemed to be is put right.
pub(super) async fn due(store: &Postgres, until: Instant, limit: usize) -> Result<Vec<Timer>> {
    let conn = store.conn().await?;
    let sql = "SELECT deadline, monitor FROM tracks WHERE wake <= $1 AND deadline <= $1
               ORDER BY deadline, monitor LIMIT $2";
    let rows = conn.query(sql, params![until.ms(), limit as i64]).await?;
    let timer = |row| Ok(Timer { due: Instant::from_ms(get(row, 0)?), monitor: MonitorId(get(row, 1)?) });
    let timers = rows.iter().map(timer).collect::<Result<Vec<Timer>>>()?;
    let answer = put_right(store, &conn, until, if timers.is_empty() { STEP } else { SMALL_STEP }).await;
    conn.end(answer).await?;
    Ok(timers)
}

/// Moves what is too early to where it belongs. Rows that somebody holds are left for the next look. It need not be
/// durable: what is lost is only too early again.
async fn put_right(store: &Postgres, conn: &Conn, until: Instant, step: i64) -> Result<()> {
    let mut script = Script::default();
    script.push("SELECT set_config('synchronous_commit', 'off', true)", params![]);
    let come = "UPDATE tracks t SET wake = t.deadline WHERE t.monitor IN (
                    SELECT s.monitor FROM tracks s WHERE s.wake <= $1 AND (s.deadline > $1 OR s.deadline IS NULL)
                    ORDER BY s.wake, s.monitor LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)";
    script.push(come, params![until.ms(), step]);
    let ahead = store.glance.begin(until);
    if let Some((wake, monitor)) = ahead {
        let horizon = (until + AHEAD).ms();
        let sql = "SELECT s.wake, s.monitor, s.deadline IS NULL OR s.deadline > $3 FROM tracks s
                   WHERE (s.wake, s.monitor) > ($1, $2) AND s.wake <= $3 ORDER BY s.wake, s.monitor LIMIT $4";
        script.push(sql, params![wake, monitor, horizon, GLANCE]);
    }
    let seen = conn.begin_with(&script).await?.pop().unwrap_or_default();
    if ahead.is_none() {
        return Ok(());
    }
    let mut early = Vec::new();
    let mut place = (0, 0);
    for row in &seen {
        place = (get(row, 0)?, get(row, 1)?);
        if get(row, 2)? {
            early.push(place.1);
        }
    }
    // At the end of what lies ahead it begins again.
    store.glance.end(if seen.len() as i64 == GLANCE { place } else { (0, 0) });
    if !early.is_empty() {
        let sql = "UPDATE tracks t SET wake = t.deadline WHERE t.monitor IN (
                       SELECT s.monitor FROM tracks s WHERE s.monitor = ANY($1)
                       ORDER BY s.monitor FOR NO KEY UPDATE SKIP LOCKED)";
        conn.execute(sql, params![early]).await?;
    }
    Ok(())
}

/// When the first one may be due.
pub(super) async fn next(conn: &Conn) -> Result<Option<Instant>> {
    let row = conn.first("SELECT min(wake) FROM tracks WHERE wake IS NOT NULL", params![]).await?;
    let wake = row.map(|row| get::<Option<i64>>(&row, 0)).transpose()?;
    Ok(wake.flatten().map(Instant::from_ms))
}
