//! `Beats`: a beat is one appended row (`append`, `days`); tracks and what is due are memory (`tracks`), and so is how
//! far the nodes hear (`hearing`).

use super::hearing::{self, Ears, Said};
use super::tracks::Kept;
use super::{Sqlite, append, beat_lists, ready, retain_beats};
use bw_domain::beat::{Deaf, Track};
use bw_domain::id::MonitorId;
use bw_domain::port::store::{
    Answered, Appended, BeatQuery, BeatRow, Beats, Hearing, Incoming, NodeId, Timer,
};
use bw_domain::time::Instant;
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

impl Beats for Sqlite {
    fn append(&self, batch: Vec<Incoming>) -> Answered<'_, Vec<Appended>> {
        if let Err(refused) = append::admit(&batch) {
            return Box::pin(std::future::ready(Err(refused)));
        }
        self.write(batch.len(), move |tx| append::append(tx, &batch))
    }

    fn due(&self, until: Instant, limit: usize) -> Answered<'_, Vec<Timer>> {
        ready(self.memory().tracks.due(until, limit))
    }

    fn next(&self) -> Answered<'_, Option<Instant>> {
        ready(self.memory().tracks.next())
    }

    fn tracks(&self, monitors: Vec<MonitorId>) -> Answered<'_, Vec<Option<Track>>> {
        let memory = self.memory();
        ready(monitors.iter().map(|id| memory.tracks.kept.get(id).map(Kept::track)).collect())
    }

    fn list(&self, query: BeatQuery) -> Answered<'_, Vec<BeatRow>> {
        let heads = self.heads(&[query.monitor]);
        self.read(move |conn| {
            let mut chains = beat_lists::chains(conn, &heads, query.before, query.limit)?;
            Ok(chains.pop().unwrap_or_default())
        })
    }

    fn recent(&self, monitors: Vec<MonitorId>, limit: usize) -> Answered<'_, Vec<Vec<BeatRow>>> {
        let heads = self.heads(&monitors);
        self.read(move |conn| beat_lists::chains(conn, &heads, None, limit))
    }

    fn body(&self, monitor: MonitorId, number: u64) -> Answered<'_, Option<Bytes>> {
        let heads = self.heads(&[monitor]);
        self.read(move |conn| beat_lists::body(conn, heads[0], number))
    }

    fn tail(&self, after: Option<u64>, limit: usize) -> Answered<'_, (Vec<BeatRow>, u64)> {
        self.read(move |conn| beat_lists::tail(conn, after, limit))
    }

    fn begin_hearing(&self, node: NodeId, now: Instant) -> Answered<'_, Option<Deaf>> {
        let ears = self.ears.clone();
        self.write(1, move |tx| {
            let deaf = listen(&ears).deaf_until(node, now, tx.now);
            hearing::say(tx, Said::Begins { node, until: now, deaf })?;
            Ok(deaf)
        })
    }

    fn hear(&self, hearing: Hearing) -> Answered<'_, ()> {
        if hearing.deaf.is_some() {
            return self.write(1, move |tx| hearing::say(tx, Said::Hears(hearing)));
        }
        let (clock, monotonic) = (self.clock.now(), self.clock.monotonic());
        let unsaid = listen(&self.ears).hear(hearing.node, hearing.until, clock, monotonic);
        // The transaction writes what was not said yet, whatever it is about.
        if unsaid { self.write(1, |_| Ok(())) } else { ready(()) }
    }

    fn end_hearing(&self, node: NodeId) -> Answered<'_, ()> {
        self.write(1, move |tx| hearing::say(tx, Said::Ends(node)))
    }

    fn heard_until(&self) -> Answered<'_, Option<Instant>> {
        ready(listen(&self.ears).heard_until(self.clock.now()))
    }

    fn deaf(&self) -> Answered<'_, Vec<Deaf>> {
        ready(listen(&self.ears).deaf().to_vec())
    }

    fn retain(&self, now: Instant) -> Answered<'_, usize> {
        Box::pin(retain_beats::retain(self, now))
    }
}

impl Sqlite {
    /// The newest ends of chains, read before the transaction that reads them begins: the rows are there then.
    fn heads(&self, monitors: &[MonitorId]) -> Vec<i64> {
        let memory = self.memory();
        monitors.iter().map(|id| memory.tracks.kept.get(id).map_or(0, |kept| kept.place.head)).collect()
    }
}

/// Nobody who holds it panics.
pub(super) fn listen(ears: &Arc<Mutex<Ears>>) -> MutexGuard<'_, Ears> {
    ears.lock().unwrap_or_else(PoisonError::into_inner)
}
