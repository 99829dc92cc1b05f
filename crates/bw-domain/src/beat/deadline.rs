//! From when on a beat is late, and from when on it is missed.
//!
//! Every heartbeat that has ever beaten and is expected again has a deadline; one that never beat is new and silent. Where
//! a beat is expected every so often, grace is counted time like the rest; after a slot of a schedule it is plain time.

use super::cadence::{Assigned, Cadence};
use crate::time::{Duration, Instant};

/// By whose rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `heartbeat:` of our file and API.
    Own,
    /// The heartbeat service's: overdue when *more* than the threshold has passed.
    Pulse,
    /// Early beats do not count for the coming slot, and a run may take as long as the grace.
    Healthchecks,
}

/// How late a beat may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grace;

impl Grace {
    /// The least for our own: jobs do not start to the second.
    pub const LEAST: Duration = Duration::from_secs(60);

    /// The grace of a heartbeat that names none.
    pub fn default_of(kind: Kind, cadence: &Cadence) -> Duration {
        match kind {
            Kind::Own => cadence.period().map_or(Self::LEAST, |period| (period / 5).max(Self::LEAST)),
            Kind::Pulse => Duration::ZERO,
            Kind::Healthchecks => Duration::from_secs(3_600),
        }
    }
}

/// What was agreed about a heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub kind: Kind,
    pub cadence: Cadence,
    pub grace: Duration,
    /// How long a run may take; nothing where only its absence is noticed.
    pub run_limit: Option<Duration>,
}

/// What is known of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The last success or failure.
    pub last_beat: Option<Instant>,
    /// Whether that was a failure.
    pub failed: bool,
    /// The earliest start whose run has not ended.
    pub started: Option<Instant>,
    pub paused: bool,
}

/// As Healthchecks names it. A run under way is told besides, or instead where a client wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    New,
    Up,
    Grace,
    Down,
    Paused,
    Started,
}

impl Status {
    /// `new`, `up`, `grace`, `down`, `paused` or `started`.
    pub const fn word(self) -> &'static str {
        match self {
            Status::New => "new",
            Status::Up => "up",
            Status::Grace => "grace",
            Status::Down => "down",
            Status::Paused => "paused",
            Status::Started => "started",
        }
    }
}

impl Terms {
    /// Terms with the defaults of their kind.
    pub fn new(kind: Kind, cadence: Cadence, grace: Option<Duration>) -> Terms {
        let grace = grace.unwrap_or_else(|| Grace::default_of(kind, &cadence));
        let run_limit = (kind == Kind::Healthchecks).then_some(grace);
        Terms { kind, cadence, grace, run_limit }
    }

    /// The next expected beat after this one: when it comes later, it is late.
    pub fn expected(&self, last_beat: Instant) -> Option<Instant> {
        match (self.kind, self.cadence.interval()) {
            (Kind::Pulse, Some(every)) => {
                Some(just_after(self.cadence.counting().exhausted(last_beat, every)))
            }
            (Kind::Own, None) => self.cadence.after_beat(last_beat, self.grace),
            _ => self.cadence.next(last_beat),
        }
    }

    /// From when on it is missed, unless a beat comes before.
    pub fn missed(&self, last_beat: Instant) -> Option<Instant> {
        let counting = self.cadence.counting();
        match (self.kind, self.cadence.interval()) {
            (Kind::Pulse, Some(every)) => Some(just_after(counting.exhausted(last_beat, every + self.grace))),
            (_, Some(every)) => Some(counting.reached(last_beat, every + self.grace)),
            (_, None) => self.expected(last_beat).map(|slot| slot + self.grace),
        }
    }

    /// An instant as people of this heartbeat's zone read it, and in UTC where that differs.
    pub fn shown(&self, at: Instant) -> String {
        let zone = self.cadence.counting().zone();
        let wall = |offset: i64| {
            let local = Instant::from_ms(at.ms() + offset).to_string();
            local[..19].replace('T', " ")
        };
        let offset = zone.offset_ms(at);
        if offset == 0 {
            return format!("{} UTC", wall(0));
        }
        format!("{} {} ({} UTC)", wall(offset), zone.name(), &wall(0)[11..])
    }

    /// The slot that a beat stands for; `before` is the beat before it.
    pub fn assigned(&self, beat: Instant, before: Option<Instant>) -> Option<Assigned> {
        let early = if self.kind == Kind::Own { self.grace } else { Duration::ZERO };
        self.cadence.assign(beat, before, early)
    }

    /// From when on a run that has not ended has failed.
    pub fn overrun(&self, started: Instant) -> Option<Instant> {
        self.run_limit.map(|limit| started + limit)
    }

    /// The instant at which this heartbeat goes down unless it beats; nothing when it is paused, new or down already.
    pub fn deadline(&self, facts: &Facts) -> Option<Instant> {
        if facts.paused || facts.failed {
            return None;
        }
        let missed = facts.last_beat.and_then(|beat| self.missed(beat));
        let overrun = facts.started.and_then(|started| self.overrun(started));
        match (missed, overrun) {
            (Some(missed), Some(overrun)) => Some(missed.min(overrun)),
            (missed, overrun) => missed.or(overrun),
        }
    }

    /// What it is now, without regard to a run under way.
    pub fn status(&self, facts: &Facts, now: Instant) -> Status {
        if facts.paused {
            return Status::Paused;
        }
        if facts.failed || self.deadline(facts).is_some_and(|deadline| now >= deadline) {
            return Status::Down;
        }
        match facts.last_beat {
            None => Status::New,
            Some(beat) if self.expected(beat).is_some_and(|expected| now >= expected) => Status::Grace,
            Some(_) => Status::Up,
        }
    }

    /// As the first version of Healthchecks' API has it: a run under way is a status.
    pub fn status_with_started(&self, facts: &Facts, now: Instant) -> Status {
        match (self.status(facts, now), facts.started) {
            (Status::Paused, _) => Status::Paused,
            (status, None) => status,
            (_, Some(started)) if self.overrun(started).is_some_and(|end| now >= end) => Status::Down,
            _ => Status::Started,
        }
    }
}

fn just_after(at: Instant) -> Instant {
    at + Duration::from_millis(1)
}
