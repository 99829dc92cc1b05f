//! Beats in memory: what was appended, the tracks, and how far each node hears.

use super::{MemoryStore, Rows};
use bw_domain::beat::{Deaf, Track};
use bw_domain::id::MonitorId;
use bw_domain::port::store::*;
use bw_domain::time::Instant;
use bytes::Bytes;
use std::collections::BTreeMap;

/// What is stored of them.
#[derive(Default)]
pub struct BeatRows {
    pub kept: Vec<Incoming>,
    pub tracks: BTreeMap<MonitorId, Track>,
    pub hearing: BTreeMap<NodeId, Instant>,
    pub furthest: Option<Instant>,
    pub deaf: Vec<Deaf>,
}

impl Rows {
    fn take(&mut self, incoming: Incoming) -> Appended {
        let (spec, beat) = (incoming.spec.clone(), &incoming.beat);
        if !self.exists(beat.monitor) {
            return Appended::Gone;
        }
        let agreement = spec.beats().expect("a heartbeat");
        let taken = self.beats.tracks.entry(beat.monitor).or_default().take(agreement, spec.revision, beat);
        self.beats.kept.push(incoming);
        Appended::Taken(taken)
    }
}

impl Beats for MemoryStore {
    fn append(&self, batch: Vec<Incoming>) -> Answered<'_, Vec<Appended>> {
        if batch.iter().any(|incoming| &*incoming.beat.via.agent == "unstorable") {
            let invalid = Err(StoreError::Invalid("test".to_owned()));
            return Box::pin(std::future::ready(invalid));
        }
        self.write("append", |rows| batch.into_iter().map(|incoming| rows.take(incoming)).collect())
    }

    fn due(&self, until: Instant, limit: usize) -> Answered<'_, Vec<Timer>> {
        self.read("due_beats", |rows| {
            let due = |(id, track): (&MonitorId, &Track)| track.due.map(|due| Timer { due, monitor: *id });
            let mut due: Vec<Timer> =
                rows.beats.tracks.iter().filter_map(due).filter(|timer| timer.due <= until).collect();
            due.sort_unstable();
            due.truncate(limit);
            due
        })
    }

    fn next(&self) -> Answered<'_, Option<Instant>> {
        self.read("next_beat", |rows| rows.beats.tracks.values().filter_map(|track| track.due).min())
    }

    fn tracks(&self, monitors: Vec<MonitorId>) -> Answered<'_, Vec<Option<Track>>> {
        self.read("tracks", |rows| monitors.iter().map(|id| rows.beats.tracks.get(id).cloned()).collect())
    }

    fn list(&self, _: BeatQuery) -> Answered<'_, Vec<BeatRow>> {
        self.read("list_beats", |_| Vec::new())
    }

    fn recent(&self, monitors: Vec<MonitorId>, _: usize) -> Answered<'_, Vec<Vec<BeatRow>>> {
        self.read("recent_beats", |_| monitors.iter().map(|_| Vec::new()).collect())
    }

    fn body(&self, _: MonitorId, _: u64) -> Answered<'_, Option<Bytes>> {
        self.read("body", |_| None)
    }

    fn tail(&self, _: Option<u64>, _: usize) -> Answered<'_, (Vec<BeatRow>, u64)> {
        self.read("tail", |_| (Vec::new(), 0))
    }

    fn begin_hearing(&self, node: NodeId, now: Instant) -> Answered<'_, Option<Deaf>> {
        self.write("begin_hearing", |rows| {
            let beats = &mut rows.beats;
            let deaf = beats.furthest.filter(|_| beats.hearing.is_empty()).map(|from| Deaf { from, to: now });
            beats.deaf.extend(deaf);
            beats.hearing.insert(node, now);
            deaf
        })
    }

    fn hear(&self, hearing: Hearing) -> Answered<'_, ()> {
        self.write("hear", |rows| {
            rows.beats.deaf.extend(hearing.deaf);
            rows.beats.hearing.insert(hearing.node, hearing.until);
            rows.beats.furthest = rows.beats.furthest.max(Some(hearing.until));
        })
    }

    fn end_hearing(&self, node: NodeId) -> Answered<'_, ()> {
        self.write("end_hearing", |rows| {
            rows.beats.hearing.remove(&node);
        })
    }

    fn heard_until(&self) -> Answered<'_, Option<Instant>> {
        self.read("heard_until", |rows| rows.beats.hearing.values().min().copied())
    }

    fn deaf(&self) -> Answered<'_, Vec<Deaf>> {
        self.read("deaf", |rows| rows.beats.deaf.clone())
    }

    fn retain(&self, _: Instant) -> Answered<'_, usize> {
        self.write("retain_beats", |_| 0)
    }
}
