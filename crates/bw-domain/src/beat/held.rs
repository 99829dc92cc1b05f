//! Time in which we could not have heard a beat. The clock is held for it: our absence is never taken for theirs.
//!
//! A deadline moves by the time that we were deaf while its beat could have come; that of a beat which is due every so
//! often by all of it, because the clock may have been set. Where we were deaf for the larger part of the time in which it
//! could have come, it may well have come unheard: then it is neither missed nor received, and the next one is waited for.

use super::deadline::Terms;
use crate::time::{Duration, Instant};

/// An interval in which no beat could be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deaf {
    pub from: Instant,
    pub to: Instant,
}

/// A deadline with what was added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub deadline: Instant,
    /// For how long the clock was held.
    pub by: Duration,
    /// The end of the deaf time that a beat may have come in; what is waited for now is the one after.
    pub unheard: Option<Instant>,
}

impl Terms {
    /// From when on the beat after `last` is missed, where we were deaf at these times (in order).
    pub fn missed_held(&self, last: Instant, deaf: &[Deaf]) -> Option<Held> {
        let (mut last, mut unheard) = (last, None);
        loop {
            let missed = self.missed(last)?;
            let expected = self.expected(last)?;
            // Beats come early by as much as they may come late.
            let opens = if self.grace.is_zero() { last } else { (expected - self.grace).max(last) };
            let (deadline, by) = hold(opens, missed, deaf);
            if by * 2 < missed.since(opens).max(Duration::from_millis(1)) {
                // Where the clock was set forward, what it skipped is no time in which the job came nearer to its beat.
                let elapsing = self.cadence.interval().is_some();
                let (deadline, by) = if elapsing { hold(last, missed, deaf) } else { (deadline, by) };
                return Some(Held { deadline, by, unheard });
            }
            let end = deaf.iter().filter(|deaf| deaf.from < deadline).map(|deaf| deaf.to).max()?;
            // The end lies after the time in which the beat could have begun to come, so this goes on, not round.
            last = end.max(last + Duration::from_millis(1));
            unheard = Some(end);
        }
    }

    /// From when on a run that has not ended has failed; never, where its end may have come unheard.
    pub fn overrun_held(&self, started: Instant, deaf: &[Deaf]) -> Option<Held> {
        let overrun = self.overrun(started)?;
        let (deadline, by) = hold(started, overrun, deaf);
        (by * 2 < overrun.since(started)).then_some(Held { deadline, by, unheard: None })
    }
}

/// The deadline moved by the deaf time from `opens` on, also by what it then reaches into. Where several nodes were deaf at
/// a time, that time counts once.
fn hold(opens: Instant, deadline: Instant, deaf: &[Deaf]) -> (Instant, Duration) {
    let (mut moved, mut done) = (deadline, opens);
    for deaf in deaf.iter().filter(|deaf| deaf.to > opens) {
        if deaf.from >= moved {
            break;
        }
        moved = moved + deaf.to.since(deaf.from.max(done));
        done = done.max(deaf.to);
    }
    (moved, moved.since(deadline))
}
