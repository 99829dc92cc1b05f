//! Beats: kept and counted in one transaction, an index of when a decision is wanted, and who hears how far, on the
//! store's clock.

use super::database::{Database, Hearer};
use crate::journal::Fact;
use crate::mutant::Mutant;
use crate::world::{Inner, Life, Link};
use bw_domain::beat::{Deaf, Signal, Track};
use bw_domain::id::MonitorId;
use bw_domain::limits::{DEAF_KEPT, DEAF_MIN, HEARING_LEASE};
use bw_domain::port::store::{
    Answered, Appended, BeatQuery, BeatRow, Beats, Hearing, Incoming, NodeId, Timer,
};
use bw_domain::time::Instant;
use bytes::Bytes;

impl Beats for Link {
    fn append(&self, batch: Vec<Incoming>) -> Answered<'_, Vec<Appended>> {
        let read = self.world.lock().read_early(&batch);
        self.write(move |inner, life| {
            if let Some(read) = read {
                inner.database.tracks.extend(read);
            }
            inner.database.sync(inner.now);
            batch.into_iter().map(|incoming| keep(inner, life, incoming)).collect()
        })
    }

    fn due(&self, until: Instant, limit: usize) -> Answered<'_, Vec<Timer>> {
        self.read(move |inner| {
            let wanted = inner.database.wanted.iter();
            let mut due: Vec<Timer> = wanted
                .filter(|(_, due)| **due <= until)
                .map(|(monitor, due)| Timer { due: *due, monitor: *monitor })
                .collect();
            due.sort_unstable();
            due.truncate(limit);
            due
        })
    }

    fn next(&self) -> Answered<'_, Option<Instant>> {
        self.read(|inner| inner.database.wanted.values().min().copied())
    }

    fn tracks(&self, monitors: Vec<MonitorId>) -> Answered<'_, Vec<Option<Track>>> {
        self.read(move |inner| {
            monitors.iter().map(|monitor| inner.database.tracks.get(monitor).cloned()).collect()
        })
    }

    fn list(&self, query: BeatQuery) -> Answered<'_, Vec<BeatRow>> {
        self.read(move |inner| {
            let rows = of(&inner.database, query.monitor).rev();
            let before = |row: &&BeatRow| query.before.is_none_or(|number| row.number < number);
            rows.filter(before).take(query.limit).cloned().collect()
        })
    }

    fn recent(&self, monitors: Vec<MonitorId>, limit: usize) -> Answered<'_, Vec<Vec<BeatRow>>> {
        self.read(move |inner| {
            let last = |monitor| of(&inner.database, monitor).rev().take(limit).cloned().collect();
            monitors.into_iter().map(last).collect()
        })
    }

    /// No simulated client sends one.
    fn body(&self, monitor: MonitorId, number: u64) -> Answered<'_, Option<Bytes>> {
        self.read(move |inner| of(&inner.database, monitor).any(|row| row.number == number).then(Bytes::new))
    }

    fn tail(&self, after: Option<u64>, limit: usize) -> Answered<'_, (Vec<BeatRow>, u64)> {
        self.read(move |inner| {
            let beats = &inner.database.beats;
            let from =
                after.map_or(beats.len().saturating_sub(limit), |after| after as usize).min(beats.len());
            let rows: Vec<BeatRow> = beats[from..].iter().take(limit).cloned().collect();
            let cursor = (from + rows.len()) as u64;
            (rows, cursor)
        })
    }

    fn begin_hearing(&self, node: NodeId, now: Instant) -> Answered<'_, Option<Deaf>> {
        self.write(move |inner, _| {
            let nobody = least_heard(inner).is_none();
            let since = inner.database.furthest.filter(|_| nobody);
            let deaf = since.filter(|since| now.since(*since) >= DEAF_MIN).map(|from| Deaf { from, to: now });
            record(inner, deaf);
            hears(inner, node, now);
            deaf
        })
    }

    fn hear(&self, hearing: Hearing) -> Answered<'_, ()> {
        self.write(move |inner, _| {
            record(inner, hearing.deaf);
            hears(inner, hearing.node, hearing.until);
        })
    }

    fn end_hearing(&self, node: NodeId) -> Answered<'_, ()> {
        self.write(move |inner, _| {
            inner.database.hearers.remove(&node);
        })
    }

    fn heard_until(&self) -> Answered<'_, Option<Instant>> {
        let task = self.world.lock().current;
        self.read(move |inner| {
            let until = match inner.mutant {
                Some(Mutant::SilenceNotWaitedFor) => Some(inner.store_wall()),
                _ => least_heard(inner),
            };
            inner.told(task).until = until.unwrap_or(Instant::ZERO);
            until
        })
    }

    fn deaf(&self) -> Answered<'_, Vec<Deaf>> {
        let task = self.world.lock().current;
        self.read(move |inner| {
            let all = &inner.database.deaf;
            let last: Vec<Deaf> = all.iter().skip(all.len().saturating_sub(DEAF_KEPT)).copied().collect();
            inner.told(task).deaf.clone_from(&last);
            last
        })
    }

    /// No simulation lasts as long as the shortest retention.
    fn retain(&self, _: Instant) -> Answered<'_, usize> {
        self.write(|_, _| 0)
    }
}

/// The beats of a heartbeat, oldest first.
fn of(database: &Database, monitor: MonitorId) -> impl DoubleEndedIterator<Item = &BeatRow> {
    database.beats.iter().filter(move |row| row.monitor == monitor)
}

/// One beat with its track.
fn keep(inner: &mut Inner, life: Life, incoming: Incoming) -> Appended {
    let Incoming { spec, beat } = incoming;
    let (mutant, monitor) = (inner.mutant, beat.monitor);
    let database = &mut inner.database;
    if !database.rows.contains_key(&monitor) {
        return Appended::Gone;
    }
    let agreement = spec.beats().expect("a beat is of a heartbeat");
    let before = database.tracks.get(&monitor).cloned();
    let mut track = before.clone().unwrap_or_default();
    let taken = track.take(agreement, spec.revision, &beat);
    if mutant == Some(Mutant::FailureLatchDropped) && beat.signal.is_success() {
        track.fell = None;
    }
    let row = BeatRow {
        monitor,
        number: taken.number,
        at: beat.at,
        happened: beat.happened,
        signal: beat.signal,
        ignored: beat.ignored,
        run: beat.run,
        duration: taken.duration,
        slot: taken.slot,
        via: beat.via.clone(),
        body_bytes: beat.body.len() as u32,
    };
    let stays = mutant == Some(Mutant::StartKeepsIndex) && beat.signal == Signal::Start;
    let index = database.wanted.get(&monitor).copied().filter(|_| stays);
    database.put_track(monitor, track);
    if let Some(index) = index {
        database.wanted.insert(monitor, index);
    }
    database.beats.push(row);
    database.unsynced.push((monitor, before));
    inner.note(life, Fact::Kept { spec, beat: Box::new(beat), taken });
    Appended::Taken(taken)
}

/// A node is so far, and is waited for. What was heard stays heard.
fn hears(inner: &mut Inner, node: NodeId, until: Instant) {
    let lease = inner.store_wall() + HEARING_LEASE;
    let database = &mut inner.database;
    let hearer = database.hearers.entry(node).or_insert(Hearer { until, lease });
    *hearer = Hearer { until: hearer.until.max(until), lease };
    database.furthest = database.furthest.max(Some(until));
}

/// The least of all that are waited for.
fn least_heard(inner: &Inner) -> Option<Instant> {
    let now = inner.store_wall();
    inner.database.hearers.values().filter(|hearer| hearer.lease > now).map(|hearer| hearer.until).min()
}

fn record(inner: &mut Inner, deaf: Option<Deaf>) {
    if inner.mutant != Some(Mutant::DeafNotRecorded) {
        inner.database.deaf.extend(deaf);
    }
}

impl Inner {
    /// Tracks as they are when an append is asked for, where it is broken so that it does not read them itself.
    fn read_early(&self, batch: &[Incoming]) -> Option<Vec<(MonitorId, Track)>> {
        let tracks = &self.database.tracks;
        let read = |incoming: &Incoming| {
            let monitor = incoming.beat.monitor;
            Some((monitor, tracks.get(&monitor)?.clone()))
        };
        let apart = self.mutant == Some(Mutant::CountedApart);
        apart.then(|| batch.iter().filter_map(read).collect())
    }
}
