//! `Beats`: on its way; until it is here every method says that it cannot.

use super::Sqlite;
use bw_domain::beat::{Deaf, Track};
use bw_domain::id::MonitorId;
use bw_domain::port::store::{
    Answered, Appended, BeatQuery, BeatRow, Beats, Hearing, Incoming, NodeId, StoreError, Timer,
};
use bw_domain::time::Instant;
use bytes::Bytes;

fn not_yet<'a, T: Send + 'a>() -> Answered<'a, T> {
    Box::pin(std::future::ready(Err(StoreError::Away("beats are not kept yet".to_owned()))))
}

impl Beats for Sqlite {
    fn append(&self, _: Vec<Incoming>) -> Answered<'_, Vec<Appended>> {
        not_yet()
    }
    fn due(&self, _: Instant, _: usize) -> Answered<'_, Vec<Timer>> {
        not_yet()
    }
    fn next(&self) -> Answered<'_, Option<Instant>> {
        not_yet()
    }
    fn tracks(&self, _: Vec<MonitorId>) -> Answered<'_, Vec<Option<Track>>> {
        not_yet()
    }
    fn list(&self, _: BeatQuery) -> Answered<'_, Vec<BeatRow>> {
        not_yet()
    }
    fn recent(&self, _: Vec<MonitorId>, _: usize) -> Answered<'_, Vec<Vec<BeatRow>>> {
        not_yet()
    }
    fn body(&self, _: MonitorId, _: u64) -> Answered<'_, Option<Bytes>> {
        not_yet()
    }
    fn tail(&self, _: Option<u64>, _: usize) -> Answered<'_, (Vec<BeatRow>, u64)> {
        not_yet()
    }
    fn begin_hearing(&self, _: NodeId, _: Instant) -> Answered<'_, Option<Deaf>> {
        not_yet()
    }
    fn hear(&self, _: Hearing) -> Answered<'_, ()> {
        not_yet()
    }
    fn end_hearing(&self, _: NodeId) -> Answered<'_, ()> {
        not_yet()
    }
    fn heard_until(&self) -> Answered<'_, Option<Instant>> {
        not_yet()
    }
    fn deaf(&self) -> Answered<'_, Vec<Deaf>> {
        not_yet()
    }
    fn retain(&self, _: Instant) -> Answered<'_, usize> {
        not_yet()
    }
}
