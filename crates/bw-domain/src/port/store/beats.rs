//! Beats: kept before they are answered, counted in the same transaction, and an index of when silence speaks.
//!
//! Whoever takes beats in says how far they are in. A deadline is looked at only once everybody who hears has passed it, so
//! a beat that was received in time is never missed, whichever process is slow.

use super::{Answered, NodeId, Timer};
use crate::beat::{Beat, Deaf, RunId, Signal, Taken, Track, Via};
use crate::id::MonitorId;
use crate::monitor::Spec;
use crate::time::{Duration, Instant};
use bytes::Bytes;
use std::sync::Arc;

/// A beat to keep, with the revision of its heartbeat that is in force at its instant.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub spec: Arc<Spec>,
    pub beat: Beat,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// Kept, durable and counted.
    Taken(Taken),
    /// The heartbeat has ended.
    Gone,
}

/// A kept beat, without its body.
#[derive(Clone, Debug, PartialEq)]
pub struct BeatRow {
    pub monitor: MonitorId,
    pub number: u64,
    pub at: Instant,
    pub happened: Option<Instant>,
    pub signal: Signal,
    pub ignored: bool,
    pub run: Option<RunId>,
    pub duration: Option<Duration>,
    pub slot: Option<Instant>,
    pub via: Via,
    pub body_bytes: u32,
}

/// Which beats of a heartbeat; newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeatQuery {
    pub monitor: MonitorId,
    /// With a smaller number than this.
    pub before: Option<u64>,
    pub limit: usize,
}

/// How far the beats of a node are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hearing {
    pub node: NodeId,
    /// All that it received before this instant are kept.
    pub until: Instant,
    /// It could not hear then.
    pub deaf: Option<Deaf>,
}

/// Beats, and what they have come to. The decisions about them are made in `States::commit`.
pub trait Beats: Send + Sync {
    /// Keeps beats and moves their tracks, in one transaction; in order within a heartbeat. Answers when they are durable.
    fn append(&self, batch: Vec<Incoming>) -> Answered<'_, Vec<Appended>>;

    /// Tracks that want a decision by this instant, earliest first, at most `limit`.
    fn due(&self, until: Instant, limit: usize) -> Answered<'_, Vec<Timer>>;

    /// When the earliest one wants it; never later than it does.
    fn next(&self) -> Answered<'_, Option<Instant>>;

    /// What the beats of these heartbeats have come to; nothing for those that never beat.
    fn tracks(&self, monitors: Vec<MonitorId>) -> Answered<'_, Vec<Option<Track>>>;

    fn list(&self, query: BeatQuery) -> Answered<'_, Vec<BeatRow>>;

    /// The last beats of each of these heartbeats, newest first, at most `limit` of each.
    fn recent(&self, monitors: Vec<MonitorId>, limit: usize) -> Answered<'_, Vec<Vec<BeatRow>>>;

    /// The body of one beat; `None`: there is no such beat (any more).
    fn body(&self, monitor: MonitorId, number: u64) -> Answered<'_, Option<Bytes>>;

    /// Beats of all heartbeats after a cursor, in the order in which they were kept, and the cursor to go on with.
    /// Without a cursor: the last ones.
    fn tail(&self, after: Option<u64>, limit: usize) -> Answered<'_, (Vec<BeatRow>, u64)>;

    /// A node begins to hear. Where nobody heard until now, that time is recorded as deaf, and answered.
    fn begin_hearing(&self, node: NodeId, now: Instant) -> Answered<'_, Option<Deaf>>;

    /// A node says how far it is, and holds for `limits::HEARING_LEASE` what it has not said yet.
    fn hear(&self, hearing: Hearing) -> Answered<'_, ()>;

    /// A node ends in good order: nobody waits for it.
    fn end_hearing(&self, node: NodeId) -> Answered<'_, ()>;

    /// Up to when the beats of everybody who hears are in; nothing while nobody hears.
    fn heard_until(&self) -> Answered<'_, Option<Instant>>;

    /// Times in which nobody, or not everybody, could hear; in order, at most `limits::DEAF_KEPT` of the last.
    fn deaf(&self) -> Answered<'_, Vec<Deaf>>;

    /// Drops beats older than `limits::BEATS_KEPT`: whole periods. Answers how many periods went.
    fn retain(&self, now: Instant) -> Answered<'_, usize>;
}
