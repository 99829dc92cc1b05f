//! Beats are kept and counted in one transaction of three round trips: lock and read, write, commit. How many statements
//! a batch takes does not depend on how many beats it holds.
//!
//! The tracks of the batch are locked in the order of their ids, and nothing else is locked: batches of several nodes
//! wait for each other where they have a heartbeat in common. The row that is locked is made before, in a transaction of
//! its own, when a heartbeat beats for the first time. That it has not ended is read after its row is locked, and who
//! ends it takes the same lock.

use super::conn::{Conn, Script, get, params};
use super::error::{Fault, Result};
use super::lock::APPENDS;
use super::periods::{BEATS, day_of};
use super::unsure::{Mark, Offered};
use super::{Postgres, kept, tracks};
use crate::track::{micros, pack, unpack};
use bw_domain::beat::{Beat, Taken, Track};
use bw_domain::limits::BEAT_BODY_MAX;
use bw_domain::port::store::{Appended, Incoming};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

/// Places of a batch's number: `id` is the number times this, and the place. As the schema says.
pub(super) const PLACES: i64 = 1024;
/// A lock's number says so many of the batch's.
pub(super) const BITS: i64 = 1 << 31;
/// Rows and partitions are made for a batch at most so often.
const TRIES: usize = 4;

/// Keeps a batch.
pub(super) async fn append(store: &Postgres, batch: Vec<Incoming>) -> Result<Vec<Appended>> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    batch.iter().try_for_each(check)?;
    let known = store.unsure.ask(store, &batch).await?;
    if known.iter().all(Option::is_none) {
        return keep(store, &Arc::new(batch)).await;
    }
    let new = batch.into_iter().zip(&known).filter(|(_, known)| known.is_none());
    let new: Vec<Incoming> = new.map(|(incoming, _)| incoming).collect();
    let mut fresh = if new.is_empty() { Vec::new() } else { keep(store, &Arc::new(new)).await? }.into_iter();
    let answer = |known: &Option<(i64, usize, Appended)>| match known {
        Some((_, _, answer)) => Ok(*answer),
        None => fresh.next().ok_or_else(|| Fault::damaged("beats", "not all were answered")),
    };
    let answers = known.iter().map(answer).collect::<Result<Vec<Appended>>>()?;
    store.unsure.told(&known);
    Ok(answers)
}

fn check(incoming: &Incoming) -> Result<()> {
    let Incoming { spec, beat } = incoming;
    let problem = if spec.beats().is_none() {
        "its monitor is no heartbeat".to_owned()
    } else if spec.id != beat.monitor {
        format!("it comes with the monitor {}", spec.id)
    } else if beat.body.len() > BEAT_BODY_MAX {
        format!("its body has {} bytes", beat.body.len())
    } else {
        return day_of(beat.at).map(drop);
    };
    Err(Fault::Invalid(format!("a beat of {}: {problem}", beat.monitor)))
}

async fn keep(store: &Postgres, batch: &Arc<Vec<Incoming>>) -> Result<Vec<Appended>> {
    let days = batch.iter().map(|incoming| day_of(incoming.beat.at)).collect::<Result<BTreeSet<i32>>>()?;
    store.make_days(BEATS, &days).await?;
    for _ in 0..TRIES {
        match attempt(store, batch).await {
            Ok(Attempt::Done(answers)) => return Ok(answers),
            Ok(Attempt::Rows(missing)) => tracks::make(&store.conn().await?, missing).await?,
            Ok(Attempt::Days(days)) => drop(store.make_days(BEATS, &days).await?),
            // The partition that we knew was dropped meanwhile.
            Err(fault) if fault.is(&SqlState::CHECK_VIOLATION) => {
                store.beat_days.forget();
                store.make_days(BEATS, &days).await?;
            }
            Err(fault) => return Err(fault),
        }
    }
    Err(Fault::Away("what beats need was made, and was gone again".to_owned()))
}

/// What came of a transaction.
enum Attempt {
    Done(Vec<Appended>),
    /// Nothing is written: these have no row to lock.
    Rows(Vec<i64>),
    /// Nothing is written: a track is in a day that this process has not seen.
    Days(BTreeSet<i32>),
}

async fn attempt(store: &Postgres, batch: &Arc<Vec<Incoming>>) -> Result<Attempt> {
    let conn = store.conn().await?;
    let answer = async {
        let desk = Desk::read(conn.begin_with(&questions(batch)).await?)?;
        work(store, &conn, batch, desk).await
    };
    match answer.await {
        Ok(Work::Written(offered)) => {
            let doubt = store.unsure.committing(offered);
            conn.end(Ok(())).await?;
            Ok(Attempt::Done(doubt.settled()))
        }
        Ok(Work::Nothing(attempt)) => {
            conn.rollback().await?;
            Ok(attempt)
        }
        Err(fault) => conn.end(Err(fault)).await,
    }
}

enum Work {
    Written(Offered),
    Nothing(Attempt),
}

async fn work(store: &Postgres, conn: &Conn, batch: &Arc<Vec<Incoming>>, mut desk: Desk) -> Result<Work> {
    let missing: Vec<i64> =
        desk.living.iter().filter(|monitor| !desk.rows.contains_key(monitor)).copied().collect();
    if !missing.is_empty() {
        return Ok(Work::Nothing(Attempt::Rows(missing)));
    }
    let mut kept = Vec::with_capacity(batch.len());
    let mut answers = Vec::with_capacity(batch.len());
    for (place, incoming) in batch.iter().enumerate() {
        let taken = desk.take(place, incoming)?;
        answers.push(taken.as_ref().map_or(Appended::Gone, |one| Appended::Taken(one.taken)));
        kept.extend(taken);
    }
    let Some(mark) = kept.first().map(|one| one.mark) else {
        return Ok(Work::Nothing(Attempt::Done(answers)));
    };
    let days: BTreeSet<i32> = kept.iter().map(|one| one.mark.day).collect();
    // It is made on another connection, so not while the tracks are locked.
    if !store.beat_days.knows(&days) {
        return Ok(Work::Nothing(Attempt::Days(days)));
    }
    let mut script = Script::default();
    insert(&mut script, &kept);
    desk.update(&mut script);
    conn.script(&script).await?;
    Ok(Work::Written(Offered { mark, beats: batch.clone(), answers }))
}

/// What must be known. The first tells readers of the tail that this batch is under way, before it has a number.
fn questions(batch: &[Incoming]) -> Script {
    let monitors: BTreeSet<i64> = batch.iter().map(|incoming| incoming.beat.monitor.0).collect();
    let monitors: Vec<i64> = monitors.into_iter().collect();
    let mut script = Script::default();
    let under_way =
        "SELECT pg_advisory_xact_lock_shared($1, (last_value & 2147483647)::integer) FROM beat_batches";
    script.push(under_way, params![APPENDS]);
    let lock = "SELECT monitor, track, last_day FROM tracks WHERE monitor = ANY($1)
                ORDER BY monitor FOR NO KEY UPDATE";
    script.push(lock, params![monitors.clone()]);
    let living = "SELECT id FROM monitors WHERE id = ANY($1) AND deleted_at IS NULL";
    script.push(living, params![monitors]);
    let numbers = "SELECT nextval('beat_batches') FROM generate_series(1, $1::integer)";
    script.push(numbers, params![batch.len().div_ceil(PLACES as usize) as i32]);
    script
}

/// A track as this transaction sees it.
struct Moving {
    track: Track,
    last_day: i32,
    moved: bool,
}

/// A beat as it is written.
struct Kept<'b> {
    beat: &'b Beat,
    taken: Taken,
    mark: Mark,
}

/// What was read, and what the beats so far have made of it.
struct Desk {
    rows: BTreeMap<i64, Moving>,
    living: HashSet<i64>,
    numbers: Vec<i64>,
}

impl Desk {
    /// Reads the answers to [`questions`].
    fn read(answers: Vec<Vec<Row>>) -> Result<Self> {
        let mut answers = answers.into_iter().skip(1);
        let mut next = || answers.next().unwrap_or_default();
        let mut rows = BTreeMap::new();
        for row in next() {
            let packed: &[u8] = get(&row, 1)?;
            let track = if packed.is_empty() { Track::default() } else { unpack(packed)? };
            rows.insert(get(&row, 0)?, Moving { track, last_day: get(&row, 2)?, moved: false });
        }
        let living = next().iter().map(|row| get(row, 0)).collect::<Result<_>>()?;
        let numbers = next().iter().map(|row| get(row, 0)).collect::<Result<_>>()?;
        Ok(Desk { rows, living, numbers })
    }

    /// Takes a beat in; nothing where its heartbeat has ended.
    fn take<'b>(&mut self, place: usize, incoming: &'b Incoming) -> Result<Option<Kept<'b>>> {
        let Incoming { spec, beat } = incoming;
        let monitor = beat.monitor.0;
        let row = self.rows.get_mut(&monitor).filter(|_| self.living.contains(&monitor));
        let (Some(row), Some(agreement)) = (row, spec.beats()) else { return Ok(None) };
        let taken = row.track.take(agreement, spec.revision, beat);
        row.last_day = row.last_day.max(day_of(beat.at)?);
        row.moved = true;
        let number = self.numbers.get(place / PLACES as usize);
        let number = number.ok_or_else(|| Fault::damaged("batches of beats", "they have no number"))?;
        let id = number * PLACES + (place as i64 % PLACES);
        let mark = Mark { monitor, number: taken.number as i64, day: row.last_day, id };
        Ok(Some(Kept { beat, taken, mark }))
    }

    /// Writes the tracks that have moved. Their `wake` moves only where it would be too late.
    fn update(&self, script: &mut Script) {
        let moved = || self.rows.iter().filter(|(_, row)| row.moved);
        let sql = "UPDATE tracks t SET count = u.count, track = u.track, last_day = u.last_day,
                       deadline = u.deadline, wake = least(t.wake, u.deadline)
                   FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::integer[], $5::bigint[])
                       u(monitor, count, track, last_day, deadline)
                   WHERE t.monitor = u.monitor";
        let values = params![
            moved().map(|(monitor, _)| *monitor).collect::<Vec<i64>>(),
            moved().map(|(_, row)| row.track.count as i64).collect::<Vec<i64>>(),
            moved().map(|(_, row)| pack(&row.track).into_vec()).collect::<Vec<Vec<u8>>>(),
            moved().map(|(_, row)| row.last_day).collect::<Vec<i32>>(),
            moved().map(|(_, row)| row.track.due.map(|due| due.ms())).collect::<Vec<Option<i64>>>(),
        ];
        script.push(sql, values);
    }
}

fn insert(script: &mut Script, rows: &[Kept<'_>]) {
    let sql = "INSERT INTO beats
                   (monitor, number, day, id, at, happened, signal, ignored, run, duration, slot, via, body)
               SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[], $5::bigint[],
                   $6::bigint[], $7::smallint[], $8::boolean[], $9::bytea[], $10::bigint[], $11::bigint[],
                   $12::bytea[], $13::bytea[])";
    let beats = || rows.iter().map(|one| one.beat);
    let taken = || rows.iter().map(|one| one.taken);
    let marks = || rows.iter().map(|one| one.mark);
    let body = |beat: &Beat| (!beat.body.is_empty()).then(|| beat.body.to_vec());
    let values = params![
        marks().map(|mark| mark.monitor).collect::<Vec<i64>>(),
        marks().map(|mark| mark.number).collect::<Vec<i64>>(),
        marks().map(|mark| mark.day).collect::<Vec<i32>>(),
        marks().map(|mark| mark.id).collect::<Vec<i64>>(),
        beats().map(|beat| beat.at.ms()).collect::<Vec<i64>>(),
        beats().map(|beat| beat.happened.map(|at| at.ms())).collect::<Vec<Option<i64>>>(),
        beats().map(|beat| kept::signal(beat.signal)).collect::<Vec<i16>>(),
        beats().map(|beat| beat.ignored).collect::<Vec<bool>>(),
        beats()
            .map(|beat| beat.run.map(|run| run.0.to_be_bytes().to_vec()))
            .collect::<Vec<Option<Vec<u8>>>>(),
        taken().map(|taken| taken.duration.map(|took| micros(took) as i64)).collect::<Vec<Option<i64>>>(),
        taken().map(|taken| taken.slot.map(|slot| slot.ms())).collect::<Vec<Option<i64>>>(),
        beats().map(|beat| kept::via(&beat.via)).collect::<Vec<Vec<u8>>>(),
        beats().map(body).collect::<Vec<Option<Vec<u8>>>>(),
    ];
    script.push(sql, values);
}
