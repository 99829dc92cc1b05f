//! When a heartbeat's beats are expected: every so often, or at the times of cron and OnCalendar expressions in a zone.
//!
//! Slots on days that do not count are not expected. A beat belongs to the nearest slot; to a coming one only while it is
//! not earlier than it may be late, so that a run by hand at noon never stands for the one of the night.

use super::counted::Counting;
use super::cron::Cron;
use super::mistake::Mistake;
use super::on_calendar::OnCalendar;
use crate::limits;
use crate::time::{Duration, Instant, Span};
use std::fmt;

/// One expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    Cron(Cron),
    OnCalendar(OnCalendar),
}

impl Schedule {
    /// Reads either kind. No OnCalendar expression has five words, and none begins with `@` and a letter.
    pub fn parse(text: &str) -> Result<Schedule, Mistake> {
        let trimmed = text.trim_start();
        let nickname =
            trimmed.strip_prefix('@').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
        if nickname || text.split_ascii_whitespace().count() >= 5 {
            Cron::parse(text).map(Schedule::Cron)
        } else {
            OnCalendar::parse(text).map(Schedule::OnCalendar)
        }
    }

    pub(super) fn next(&self, zone: &crate::time::Zone, after: Instant) -> Option<Instant> {
        match self {
            Schedule::Cron(cron) => cron.next(zone, after),
            Schedule::OnCalendar(on_calendar) => on_calendar.next(zone, after),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Cron(cron) => cron.fmt(f),
            Schedule::OnCalendar(on_calendar) => on_calendar.fmt(f),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rhythm {
    Every(Duration),
    At(Vec<Schedule>),
}

/// When beats are expected, and which days count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cadence {
    rhythm: Rhythm,
    counting: Counting,
}

/// The slot that a beat stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned {
    pub slot: Instant,
    pub beat: Instant,
}

impl Assigned {
    /// How much the beat came before its slot.
    pub fn early(self) -> Duration {
        self.slot.since(self.beat)
    }

    /// How much it came after.
    pub fn late(self) -> Duration {
        self.beat.since(self.slot)
    }
}

impl Cadence {
    /// A beat every so often, in counted time since the last.
    pub fn every(every: Duration, counting: Counting) -> Result<Cadence, Mistake> {
        if !(limits::EVERY_MIN..=limits::BEAT_EVERY_MAX).contains(&every) {
            let message = format!(
                "a heartbeat is expected every {} to {}, not every {}",
                Span(limits::EVERY_MIN),
                Span(limits::BEAT_EVERY_MAX),
                Span(every)
            );
            return Err(Mistake::new(0, message));
        }
        Ok(Cadence { rhythm: Rhythm::Every(every), counting })
    }

    /// A beat at each time of these expressions; a mistake comes with the number of its expression.
    pub fn at<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        counting: Counting,
    ) -> Result<Cadence, (usize, Mistake)> {
        let mut schedules = Vec::new();
        for (index, text) in texts.into_iter().enumerate() {
            if index == limits::SCHEDULES_MAX {
                let message = format!("a heartbeat has at most {} schedules", limits::SCHEDULES_MAX);
                return Err((index, Mistake::new(0, message)));
            }
            schedules.push(Schedule::parse(text).map_err(|mistake| (index, mistake))?);
        }
        if schedules.is_empty() {
            return Err((
                0,
                Mistake::new(0, "a schedule is missing: write one such as `0 3 * * *` or `daily`"),
            ));
        }
        let cadence = Cadence { rhythm: Rhythm::At(schedules), counting };
        // A heartbeat without a deadline would be silent for ever.
        if cadence.next(Instant::ZERO).is_none() {
            let message = "no beat is ever expected: write days that exist, and that count";
            return Err((0, Mistake::new(0, message)));
        }
        Ok(cadence)
    }

    /// Which days count, and the zone.
    pub fn counting(&self) -> &Counting {
        &self.counting
    }

    /// The time between beats, where it is always the same.
    pub fn interval(&self) -> Option<Duration> {
        match &self.rhythm {
            Rhythm::Every(every) => Some(*every),
            Rhythm::At(_) => None,
        }
    }

    /// The expressions; none where a beat comes every so often.
    pub fn schedules(&self) -> &[Schedule] {
        match &self.rhythm {
            Rhythm::Every(_) => &[],
            Rhythm::At(schedules) => schedules,
        }
    }

    /// The first expected beat after this instant; nothing when none comes any more.
    pub fn next(&self, after: Instant) -> Option<Instant> {
        let schedules = match &self.rhythm {
            Rhythm::Every(every) => return Some(self.counting.reached(after, *every)),
            Rhythm::At(schedules) => schedules,
        };
        let zone = self.counting.zone();
        let mut after = after;
        loop {
            let slot = schedules.iter().filter_map(|schedule| schedule.next(zone, after)).min()?;
            if self.counting.is_everything() || self.counting.counts(zone.day(slot)) {
                return Some(slot);
            }
            // On to the end of the days that do not count.
            let end = self.counting.exhausted(slot, Duration::ZERO);
            after = slot.max(Instant::from_ms(end.ms() - 1));
        }
    }

    /// The last expected beat at or before this instant. Nothing for a cadence without slots of its own, and nothing when
    /// none was within the last forty years.
    pub fn last(&self, at: Instant) -> Option<Instant> {
        if self.interval().is_some() {
            return None;
        }
        // Back in growing steps until a slot lies between, then bisected: the gaps of a schedule may differ a lot.
        let mut step = match self.next(at) {
            Some(next) => self.next(next).map_or(next.since(at), |second| second.since(next)),
            None => Duration::from_secs(86_400),
        };
        let longest = Duration::from_secs(40 * 366 * 86_400);
        step = step.clamp(Duration::from_millis(1), longest);
        let mut found = loop {
            match self.next(at - step - Duration::from_millis(1)).filter(|slot| *slot <= at) {
                Some(slot) => break slot,
                None if step == longest => return None,
                None => step = (step * 2).min(longest),
            }
        };
        for _ in 0..4 {
            match self.next(found).filter(|slot| *slot <= at) {
                Some(slot) => found = slot,
                None => return Some(found),
            }
        }
        // The last slot is in [found, at]: `low` has one after it, `high` has none.
        let (mut low, mut high) = (found.ms(), at.ms());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.next(Instant::from_ms(middle)).filter(|slot| *slot <= at) {
                Some(slot) => (found, low) = (slot, slot.ms()),
                None => high = middle,
            }
        }
        Some(self.next(found).filter(|slot| *slot <= at).unwrap_or(found))
    }

    /// The slot that a beat stands for. `before` is the beat before it, `early` how much too early it may come.
    /// Every so often, the slot is the end of that time; otherwise the nearest one, the earlier of two that are as near.
    pub fn assign(&self, beat: Instant, before: Option<Instant>, early: Duration) -> Option<Assigned> {
        if let Some(every) = self.interval() {
            let slot = before.map_or(beat, |before| self.counting.reached(before, every));
            return Some(Assigned { slot, beat });
        }
        let (last, next) = (self.last(beat), self.next(beat));
        let slot = match (last, next) {
            (Some(last), Some(next)) => {
                let ahead = next.since(beat);
                if ahead < beat.since(last) && ahead <= early { next } else { last }
            }
            (Some(last), None) => last,
            (None, next) => next?,
        };
        Some(Assigned { slot, beat })
    }

    /// The beat that is expected after this one, when it may come so much too early.
    pub fn after_beat(&self, beat: Instant, early: Duration) -> Option<Instant> {
        if self.interval().is_some() || early.is_zero() {
            return self.next(beat);
        }
        // Only a beat that is little enough before a slot needs to know what was before it.
        let next = self.next(beat)?;
        if next.since(beat) > early {
            return Some(next);
        }
        match self.assign(beat, None, early) {
            Some(assigned) if assigned.slot == next => self.next(next),
            _ => Some(next),
        }
    }

    /// The shortest time between two of the coming beats, for what depends on it; nothing when there are not two.
    pub fn period(&self) -> Option<Duration> {
        if let Some(every) = self.interval() {
            return Some(every);
        }
        // From a fixed day, so that the answer does not depend on when it is asked.
        let mut slot = self.next(Instant::from_ms(1_767_225_600_000))?;
        let mut shortest = None;
        for _ in 0..64 {
            let Some(next) = self.next(slot) else { break };
            let gap = next.since(slot);
            shortest = Some(shortest.map_or(gap, |shortest: Duration| shortest.min(gap)));
            slot = next;
        }
        shortest
    }
}

impl fmt::Display for Cadence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rhythm {
            Rhythm::Every(every) => write!(f, "a beat every {}", Span(*every))?,
            Rhythm::At(schedules) => {
                for (index, schedule) in schedules.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { " or " })?;
                    schedule.fmt(f)?;
                }
                write!(f, " {}", self.counting.zone().name())?;
            }
        }
        match self.counting.is_everything() {
            true => Ok(()),
            false => write!(f, ", {}", self.counting.words()),
        }
    }
}
