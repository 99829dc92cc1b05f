//! A step in the making: copies of the rows that are changed, and what is to be said about it.

use super::event::{Cause, Context, Step, Transition};
use super::observed::{Cell, Observed};
use super::quorum::RoundResult;
use super::round::{Ask, Round};
use super::streak::{Streak, Toward};
use super::{Health, State, tell};
use crate::incident::{Entry, EntryKind, IncidentChange};
use crate::job::window;
use crate::monitor::{Spec, Vantage};
use crate::outcome::{Code, Outcome, Verdict};
use crate::time::{Duration, Instant};

/// The rows as they will be.
pub(super) struct Draft<'a> {
    pub spec: &'a Spec,
    pub context: &'a Context<'a>,
    pub observed: Observed,
    pub state: State,
    pub out: Step,
}

/// A round that has ended, as the changes that follow need it.
pub(super) struct Ended<'a> {
    pub asked: &'a [Vantage],
    pub round: (Instant, u8),
    pub outcome: Option<&'a Outcome>,
}

impl<'a> Draft<'a> {
    pub fn new(spec: &'a Spec, observed: &Observed, state: &State, context: &'a Context<'a>) -> Self {
        Draft { spec, context, observed: observed.clone(), state: state.clone(), out: Step::default() }
    }

    /// Only what moved is part of the step.
    pub fn finish(mut self, observed: &Observed, state: &State) -> Step {
        self.out.observed = (self.observed != *observed).then_some(self.observed);
        self.out.state = (self.state != *state).then_some(self.state);
        self.out
    }

    /// Takes the result of a round into account: streaks, repeats, changes of health.
    pub fn advance(
        &mut self,
        result: RoundResult,
        asked: &[Vantage],
        round: (Instant, u8),
        outcome: Option<&Outcome>,
    ) {
        let ended = Ended { asked, round, outcome };
        let now = self.context.now;
        if self.state.round.as_ref().is_some_and(|open| (open.slot, open.r#try) <= round) {
            self.state.round = None;
        }
        let limit = self.spec.stale_after();
        if self.state.streak.is_some_and(|streak| now.since(streak.last_at) > limit) {
            self.state.streak = None;
        }
        match result {
            RoundResult::Fail => self.count(Toward::Down, &ended),
            RoundResult::Pass => self.count(Toward::Up, &ended),
            RoundResult::Tie => {
                self.state.streak = None;
                self.state.round = None;
                self.state.stale_at = None;
            }
            RoundResult::Blind => self.saw_nothing(),
            RoundResult::TooFew => self.lose_sight(now, "too few places could see it"),
        }
    }

    /// Nothing conclusive: from the last pass or fail on the health has a limited life.
    fn saw_nothing(&mut self) {
        if self.state.health == Health::Unknown {
            return;
        }
        let seen = self.observed.conclusive_at().unwrap_or(self.state.since);
        let stale_at = seen + self.spec.stale_after();
        if stale_at <= self.context.now {
            self.lose_sight(seen, "no pass or fail arrived");
        } else {
            self.state.stale_at = Some(stale_at);
        }
    }

    /// One more round towards a health.
    fn count(&mut self, toward: Toward, ended: &Ended<'_>) {
        self.state.stale_at = None;
        let (goal, need) = match toward {
            Toward::Down => (Health::Down, self.spec.policy.confirm.failures),
            Toward::Up => (Health::Up, self.spec.policy.confirm.recoveries),
        };
        if self.state.health == goal {
            self.state.streak = None;
            self.state.round = None;
            return;
        }
        let (begun, over) = self.span(toward, ended);
        let streak = match self.state.streak.filter(|streak| streak.toward == toward) {
            Some(streak) => Streak { rounds: streak.rounds.saturating_add(1), last_at: over, ..streak },
            None => Streak { toward, rounds: 1, first_at: begun, last_at: over },
        };
        self.state.streak = Some(streak);
        if streak.rounds >= need {
            self.settle(goal, streak, ended);
        } else {
            self.ask_again(ended, over);
        }
    }

    /// When the first probe of the round that speaks for `toward` began, and when the last of the round was over.
    fn span(&self, toward: Toward, ended: &Ended<'_>) -> (Instant, Instant) {
        let verdict = if toward == Toward::Down { Verdict::Fail } else { Verdict::Pass };
        let cells = || self.voters(ended);
        let begun = cells().filter(|cell| cell.verdict == verdict).map(|cell| cell.at).min();
        let over = cells().map(|cell| cell.at + Duration::from_micros(u64::from(cell.latency_us))).max();
        let now = self.context.now;
        (begun.unwrap_or(now), over.unwrap_or(now).min(now))
    }

    /// The cells that voted in the round.
    pub fn voters<'c>(&'c self, ended: &'c Ended<'_>) -> impl Iterator<Item = &'c Cell> {
        let (slot, r#try) = ended.round;
        ended
            .asked
            .iter()
            .filter_map(|vantage| self.observed.cell(*vantage))
            .filter(move |cell| (cell.slot, cell.r#try) == (slot, r#try))
    }

    /// Begins the repeat: in place after `confirm.after`, at other locations at once.
    fn ask_again(&mut self, ended: &Ended<'_>, over: Instant) {
        let Some(r#try) = ended.round.1.checked_add(1) else { return };
        let spec = self.spec;
        let here = ended.asked.first().map(|vantage| vantage.location);
        let later = over + spec.policy.confirm.after;
        let asked: smallvec::SmallVec<[Ask; 1]> = spec
            .policy
            .vantages
            .iter()
            .map(|vantage| {
                let due = if Some(vantage.location) == here { later } else { self.context.now };
                Ask { vantage: *vantage, due, published: false }
            })
            .collect();
        let last = asked.iter().map(|ask| ask.due).max().unwrap_or(later);
        let ends = window(last, spec.policy.every, spec.policy.timeout).lost_at;
        self.state.round = Some(Round { slot: ended.round.0, r#try, asked, ends });
    }

    /// Enough rounds: the health changes, back-dated to the first of them.
    fn settle(&mut self, goal: Health, streak: Streak, ended: &Ended<'_>) {
        let before = self.state.clone();
        self.settled(goal, streak.first_at);
        match goal {
            Health::Down => tell::down(self, &before, streak, ended),
            _ => tell::up(self, &before, streak, ended),
        }
    }

    /// The health is this since then.
    pub fn settled(&mut self, goal: Health, since: Instant) {
        self.state.health = goal;
        self.state.known = Some(goal);
        self.state.since = since;
        self.state.streak = None;
        self.state.round = None;
    }

    /// Nobody knows any more. Silent: our own trouble is not told as theirs.
    pub fn lose_sight(&mut self, since: Instant, why: &str) {
        self.state.streak = None;
        self.state.round = None;
        self.state.stale_at = None;
        if self.state.health == Health::Unknown {
            return;
        }
        let from = self.state.health;
        self.state.health = Health::Unknown;
        self.state.since = since.max(self.state.since);
        if let Some(id) = self.state.incident {
            let entry = Entry::new(
                self.context.now,
                EntryKind::NotObserved,
                format!("not observed since {since}: {why}"),
            );
            self.change_incident(IncidentChange::Update {
                id,
                cause: None,
                not_observed_since: Some(Some(since)),
                entries: vec![entry],
            });
        }
        let reason = Cause { code: Code::OK, text: why.to_owned() };
        self.transit(from, Health::Unknown, self.state.since, reason);
        let summary = format!("{} is UNKNOWN: {why}", self.spec.name());
        tell::changed(self, tell::since(self, from, false, why), summary);
    }

    /// The failure is another one than before, within the same incident.
    pub fn changed_failure(&mut self, before: Option<&Cell>, outcome: &Outcome) {
        let (Some(id), Some(cell)) = (self.state.incident, before) else { return };
        let other =
            cell.verdict == Verdict::Fail && outcome.verdict == Verdict::Fail && cell.code != outcome.code;
        if other && self.state.health == Health::Down {
            let text = format!("now {}: {}", outcome.code, tell::sentence(outcome.code, Some(outcome)));
            self.change_incident(IncidentChange::Update {
                id,
                cause: None,
                not_observed_since: None,
                entries: vec![Entry::new(outcome.at, EntryKind::Changed, text)],
            });
        }
    }

    /// A line in the timeline of the open incident, if there is one.
    pub fn note(&mut self, what: &str) {
        let Some(id) = self.state.incident else { return };
        let by =
            if self.context.actor.is_empty() { String::new() } else { format!(" by {}", self.context.actor) };
        let entry = Entry::new(self.context.now, EntryKind::Edited, format!("{what}{by}"));
        self.change_incident(IncidentChange::Update {
            id,
            cause: None,
            not_observed_since: None,
            entries: vec![entry],
        });
    }

    /// The monitor is no more: its incident ends with it.
    pub fn end(&mut self, why: &str) {
        if let Some(id) = self.state.incident.take() {
            tell::ended(self, id, why);
        }
    }

    /// Adds to the change of the incident; a step touches one incident at most.
    pub fn change_incident(&mut self, change: IncidentChange) {
        let earlier = self.out.incident.take();
        self.out.incident = Some(match earlier {
            None => change,
            Some(earlier) => merge(earlier, change),
        });
    }

    pub fn transit(&mut self, from: Health, to: Health, since: Instant, reason: Cause) {
        self.out.transition = Some(Transition { from, to, at: self.context.now, since, reason });
    }
}

/// Two changes of one incident in one step: the later one wins, the lines of both stay.
fn merge(earlier: IncidentChange, mut later: IncidentChange) -> IncidentChange {
    let before = earlier.entries().to_vec();
    match &mut later {
        IncidentChange::Open(_, entries)
        | IncidentChange::Update { entries, .. }
        | IncidentChange::Close { entries, .. }
        | IncidentChange::Acknowledge { entries, .. } => drop(entries.splice(0..0, before)),
    }
    later
}
