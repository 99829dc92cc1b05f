//! What the beats of one heartbeat have come to: one small row that moves with every beat, and from which each decision
//! is made. The store moves it with [`Track::take`] in the transaction that keeps the beat, so a beat is never kept
//! without being counted.
//!
//! `due` is when a decision is wanted next: at once where a beat changes what was decided, else at the deadline. It may
//! be too early, never too late: a decision that was not needed moves it on.

use super::agreement::Agreement;
use super::deadline::{Facts, Kind};
use super::message::Beat;
use super::signal::{RunId, Signal};
use crate::limits;
use crate::state::Health;
use crate::time::{Duration, Instant};
use smallvec::SmallVec;

/// The row.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// How many beats were taken: the number of the last one, and the fence of every decision.
    pub count: u64,
    /// The last beat of any kind.
    pub last_at: Option<Instant>,
    /// The last success or failure.
    pub last_beat: Option<Instant>,
    /// Whether that was a failure.
    pub failed: bool,
    /// The exit status that it told.
    pub exit: Option<u8>,
    /// How long its run took, where that is known.
    pub duration: Option<Duration>,
    /// Runs under way, oldest first.
    pub runs: SmallVec<[Run; 1]>,
    /// The first failure that no decision has taken in: it is told even when a success follows at once.
    pub fell: Option<Fell>,
    /// The revision by which `due` was reckoned. An edit raises it and wants a decision when it counts.
    pub revision: u32,
    pub due: Option<Instant>,
    /// What was decided last.
    pub health: Health,
}

/// A run that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: Option<RunId>,
    pub at: Instant,
}

/// A failure that the job told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fell {
    pub at: Instant,
    pub number: u64,
    pub exit: Option<u8>,
}

/// What became of a beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its number among the beats of its heartbeat, from 1.
    pub number: u64,
    /// How long its run took.
    pub duration: Option<Duration>,
    /// The slot that it stands for; of successes and failures only.
    pub slot: Option<Instant>,
    /// A decision is wanted at once.
    pub decide: bool,
}

impl Default for Track {
    fn default() -> Self {
        Track {
            count: 0,
            last_at: None,
            last_beat: None,
            failed: false,
            exit: None,
            duration: None,
            runs: SmallVec::new(),
            fell: None,
            revision: 0,
            due: None,
            health: Health::Unknown,
        }
    }
}

impl Track {
    /// Takes a beat in, under the agreement of `revision`.
    pub fn take(&mut self, agreement: &Agreement, revision: u32, beat: &Beat) -> Taken {
        let at = beat.instant();
        self.count += 1;
        self.last_at = self.last_at.max(Some(beat.at));
        let mut taken = Taken { number: self.count, duration: None, slot: None, decide: false };
        if beat.ignored {
            return taken;
        }
        match beat.signal {
            Signal::Log => {}
            Signal::Start => self.start(agreement, beat.run, at),
            signal => {
                taken.duration = self.finish(agreement.terms.kind, beat, at).or(beat.took);
                taken.slot = agreement.terms.assigned(at, self.last_beat).map(|assigned| assigned.slot);
                // One that comes late, after a newer one, is kept and says nothing about now.
                if self.last_beat.is_none_or(|last| at >= last) {
                    self.last_beat = Some(at);
                    self.failed = signal.is_failure();
                    self.exit = match signal {
                        Signal::Exit(status) => Some(status),
                        _ => None,
                    };
                    self.duration = taken.duration;
                    let number = self.count;
                    if self.failed && self.health != Health::Down && self.fell.is_none() {
                        self.fell = Some(Fell { at, number, exit: self.exit });
                    }
                    let wanted = if self.failed { Health::Down } else { Health::Up };
                    taken.decide = self.fell.is_some() || self.health != wanted;
                }
            }
        }
        self.reckon(agreement, revision, beat.at, taken.decide);
        taken
    }

    fn start(&mut self, agreement: &Agreement, id: Option<RunId>, at: Instant) {
        match agreement.terms.kind {
            // There only the last start is known.
            Kind::Healthchecks => self.runs.clear(),
            Kind::Own | Kind::Pulse => self.runs.retain(|run| run.id != id),
        }
        if self.runs.len() == limits::RUNS_AT_ONCE {
            self.runs.remove(0);
        }
        self.runs.push(Run { id, at });
    }

    /// Ends runs; answers how long the beat's own one took. One without an id ends whatever is under way.
    fn finish(&mut self, kind: Kind, beat: &Beat, at: Instant) -> Option<Duration> {
        let own = self.runs.iter().rposition(|run| run.id == beat.run);
        let own = own.map(|place| self.runs.remove(place));
        if beat.run.is_none() || kind == Kind::Healthchecks && beat.signal.is_failure() {
            self.runs.clear();
        }
        own.filter(|run| run.at <= at).map(|run| at.since(run.at)).filter(|took| *took <= limits::RUN_MAX)
    }

    /// When a decision is wanted next. An edit that counts later than this beat keeps what it wants.
    fn reckon(&mut self, agreement: &Agreement, revision: u32, now: Instant, decide: bool) {
        let due = if decide { Some(now) } else { agreement.terms.deadline(&self.facts(false)) };
        if self.revision > revision || self.health == Health::Down && !decide {
            self.due = earlier(self.due, due.filter(|_| decide));
            return;
        }
        self.revision = revision;
        // What wanted a decision before still wants it.
        let pending = self.due.filter(|was| *was <= now);
        self.due = earlier(pending, due);
    }

    /// An edit counts from this instant: then a decision is wanted. What was decided may be otherwise with it, so until
    /// then every beat wants one at once, and a failure is remembered even if it was DOWN before.
    pub fn edited(&mut self, revision: u32, counts_from: Instant) {
        self.revision = revision;
        self.health = Health::Unknown;
        self.due = earlier(self.due, Some(counts_from));
    }

    /// As the rules want it.
    pub fn facts(&self, paused: bool) -> Facts {
        Facts {
            last_beat: self.last_beat,
            failed: self.failed,
            started: self.runs.first().map(|run| run.at),
            paused,
        }
    }
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
