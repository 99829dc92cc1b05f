//! Kept beats, as they are read. The beats of one heartbeat lie in days that never go back as its numbers go on, so they
//! are looked for from its last day on, in wider and wider windows: most are answered by the first.

use super::conn::{Conn, Script, get, params};
use super::error::{Fault, Result};
use super::lock::APPENDS;
use super::tracks;
use crate::varint;
use bw_domain::beat::{RunId, Signal, Via};
use bw_domain::id::MonitorId;
use bw_domain::port::store::BeatRow;
use bw_domain::time::{Duration, Instant};
use bytes::Bytes;
use tokio_postgres::Row;

/// Days of the windows, from the last day backwards; then everything before.
const WINDOWS: [i32; 4] = [1, 6, 30, 120];
/// An exit status lies above this.
const EXITS: i16 = 256;

/// What a beat says, as a number.
pub(super) fn signal(signal: Signal) -> i16 {
    match signal {
        Signal::Success => 0,
        Signal::Start => 1,
        Signal::Fail => 2,
        Signal::Log => 3,
        Signal::Exit(status) => EXITS + i16::from(status),
    }
}

fn read_signal(number: i16) -> Result<Signal> {
    match number {
        0 => Ok(Signal::Success),
        1 => Ok(Signal::Start),
        2 => Ok(Signal::Fail),
        3 => Ok(Signal::Log),
        _ => {
            let status = u8::try_from(i32::from(number) - i32::from(EXITS));
            status.map(Signal::Exit).map_err(|_| Fault::damaged("signal of a beat", number))
        }
    }
}

/// How a beat came, in bytes: clients say what no text of this database may hold.
pub(super) fn via(via: &Via) -> Vec<u8> {
    let texts = [&via.scheme, &via.method, &via.remote, &via.agent];
    let mut out = Vec::with_capacity(texts.iter().map(|text| text.len() + 2).sum());
    for text in texts {
        varint::put(&mut out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
    }
    out
}

fn read_via(mut bytes: &[u8]) -> Result<Via> {
    let mut text = || -> Option<Box<str>> {
        let length = usize::try_from(varint::take(&mut bytes)?).ok()?;
        let (text, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        std::str::from_utf8(text).ok().map(Into::into)
    };
    let mut via = || Some(Via { scheme: text()?, method: text()?, remote: text()?, agent: text()? });
    via().ok_or_else(|| Fault::damaged("origin of a beat", "it cannot be read"))
}

/// The last beats of each of these heartbeats, with a number below the one that is given, newest first.
pub(super) async fn last(
    conn: &Conn,
    wanted: &[(MonitorId, Option<u64>)],
    limit: usize,
) -> Result<Vec<Vec<BeatRow>>> {
    let mut found: Vec<Vec<BeatRow>> = wanted.iter().map(|_| Vec::new()).collect();
    let days = tracks::last_days(conn, wanted.iter().map(|(monitor, _)| monitor.0).collect()).await?;
    // The place in the answer, the monitor, below which number, up to which day.
    let open = wanted.iter().enumerate().filter_map(|(place, (monitor, before))| {
        let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
        Some((place, monitor.0, before, *days.get(monitor)?))
    });
    let mut open: Vec<(usize, i64, i64, i32)> = open.collect();
    for window in WINDOWS.into_iter().map(Some).chain([None]) {
        if open.is_empty() || limit == 0 {
            break;
        }
        let first = |last: i32| window.map_or(i32::MIN, |days| last - days + 1);
        let missing = |place: usize, found: &[Vec<BeatRow>]| (limit - found[place].len()) as i64;
        let sql =
            "SELECT b.monitor, b.number, b.at, b.happened, b.signal, b.ignored, b.run, b.duration, b.slot,
                   b.via, coalesce(octet_length(b.body), 0), u.n
               FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[], $5::bigint[])
                   WITH ORDINALITY u(monitor, before, first, last, missing, n)
               CROSS JOIN LATERAL (
                   SELECT * FROM beats x WHERE x.monitor = u.monitor AND x.number < u.before
                   AND x.day BETWEEN u.first AND u.last ORDER BY x.number DESC LIMIT u.missing) b
               ORDER BY u.n, b.number DESC";
        let values = params![
            open.iter().map(|(_, monitor, ..)| *monitor).collect::<Vec<i64>>(),
            open.iter().map(|(_, _, before, _)| *before).collect::<Vec<i64>>(),
            open.iter().map(|(.., last)| first(*last)).collect::<Vec<i32>>(),
            open.iter().map(|(.., last)| *last).collect::<Vec<i32>>(),
            open.iter().map(|(place, ..)| missing(*place, &found)).collect::<Vec<i64>>(),
        ];
        for row in conn.query(sql, values).await? {
            let n = get::<i64>(&row, 11)? as usize;
            let asked = n.checked_sub(1).and_then(|n| open.get(n));
            let (place, ..) = asked.ok_or_else(|| Fault::damaged("beats", "of nobody who was asked for"))?;
            found[*place].push(beat(&row)?);
        }
        open.retain_mut(|(place, _, before, last)| {
            *last = first(*last).saturating_sub(1);
            *before = found[*place].last().map_or(*before, |row| row.number as i64);
            *before > 1 && found[*place].len() < limit
        });
    }
    Ok(found)
}

/// The body of one beat.
pub(super) async fn body(conn: &Conn, monitor: MonitorId, number: u64) -> Result<Option<Bytes>> {
    let Ok(number) = i64::try_from(number) else { return Ok(None) };
    let sql = "SELECT body FROM beats WHERE monitor = $1 AND number = $2";
    let row = conn.first(sql, params![monitor.0, number]).await?;
    let body = row.map(|row| get::<Option<Vec<u8>>>(&row, 0)).transpose()?;
    Ok(body.map(|body| body.map_or_else(Bytes::new, Bytes::from)))
}

/// The beats after a cursor in the order of keeping, and the cursor to go on with.
///
/// Batches are numbered while they are under way, so one with a smaller number may appear later. Each holds a lock whose
/// number says how far the numbers were before it got its own. So, in this order: how far the numbers are; who is under
/// way; what is kept. Who had a number at the first look and is not among those of the second has ended, and is seen by
/// the third. Answered is what lies below all that are under way.
pub(super) async fn tail(conn: &Conn, after: Option<u64>, limit: usize) -> Result<(Vec<BeatRow>, u64)> {
    let mut script = Script::default();
    script.push("SELECT last_value FROM beat_batches", params![]);
    let under_way = "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = $1
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    script.push(under_way, params![i64::from(APPENDS)]);
    let answers = conn.script(&script).await?;
    let last: Option<i64> =
        answers.first().and_then(|rows| rows.first()).map(|row| get(row, 0)).transpose()?;
    let mut settled = last.ok_or_else(|| Fault::damaged("batches of beats", "they have no number"))?;
    for row in answers.last().into_iter().flatten() {
        settled = settled.min(before(last.unwrap_or_default(), get(row, 0)?));
    }
    let settled = (settled + 1).saturating_mul(super::append::PLACES) - 1;
    let rows = match after {
        Some(after) => {
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            let sql = "SELECT monitor, number, at, happened, signal, ignored, run, duration, slot, via,
                           coalesce(octet_length(body), 0), id
                       FROM beats WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3";
            conn.query(sql, params![after, settled, limit as i64]).await?
        }
        None => {
            let sql = "SELECT monitor, number, at, happened, signal, ignored, run, duration, slot, via,
                           coalesce(octet_length(body), 0), id
                       FROM beats WHERE id <= $1 ORDER BY id DESC LIMIT $2";
            let mut rows = conn.query(sql, params![settled, limit as i64]).await?;
            rows.reverse();
            rows
        }
    };
    // Never further than what was answered: a number that nobody kept may be given out again after a crash.
    let cursor = rows.last().map(|row| get::<i64>(row, 11)).transpose()?.map(|id| id as u64);
    let beats = rows.iter().map(beat).collect::<Result<Vec<BeatRow>>>()?;
    Ok((beats, cursor.or(after).unwrap_or(0)))
}

/// The number, not after `last`, of which a lock tells the lowest bits.
fn before(last: i64, bits: i64) -> i64 {
    last - (last - bits).rem_euclid(super::append::BITS)
}

fn beat(row: &Row) -> Result<BeatRow> {
    let optional = |index| get::<Option<i64>>(row, index).map(|ms| ms.map(Instant::from_ms));
    let run = |bytes: &[u8]| {
        let bytes = bytes.try_into().map_err(|error| Fault::damaged("run of a beat", error));
        bytes.map(|bytes| RunId(u128::from_be_bytes(bytes)))
    };
    Ok(BeatRow {
        monitor: MonitorId(get(row, 0)?),
        number: get::<i64>(row, 1)? as u64,
        at: Instant::from_ms(get(row, 2)?),
        happened: optional(3)?,
        signal: read_signal(get(row, 4)?)?,
        ignored: get(row, 5)?,
        run: get::<Option<&[u8]>>(row, 6)?.map(run).transpose()?,
        duration: get::<Option<i64>>(row, 7)?.map(|micros| Duration::from_micros(micros as u64)),
        slot: optional(8)?,
        via: read_via(get(row, 9)?)?,
        body_bytes: get::<i32>(row, 10)? as u32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_come_back() {
        let all = [Signal::Success, Signal::Start, Signal::Fail, Signal::Log];
        for one in all.into_iter().chain([0, 1, 255].map(Signal::Exit)) {
            assert_eq!(read_signal(signal(one)).unwrap(), one);
        }
        assert!(read_signal(4).is_err() && read_signal(-1).is_err() && read_signal(512).is_err());
    }

    #[test]
    fn origins_come_back() {
        let odd = Via {
            scheme: "".into(),
            method: "GET".into(),
            remote: "::1".into(),
            agent: "\0\u{1F980}".into(),
        };
        for one in [Via::default(), Via { agent: "x".repeat(300).into(), ..odd.clone() }, odd] {
            let packed = via(&one);
            assert_eq!(read_via(&packed).unwrap(), one);
            assert!(read_via(&packed[..packed.len() - 1]).is_err());
        }
    }

    #[test]
    fn the_lowest_bits_are_enough() {
        let bits = |number: i64| number % super::super::append::BITS;
        for last in [1, 70_000, (1 << 31) - 1, 1 << 31, (1 << 31) + 5, 1 << 52] {
            for number in [last, last - 1, (last - 40_000).max(1)] {
                assert_eq!(before(last, bits(number)), number, "{last}");
            }
        }
    }
}
