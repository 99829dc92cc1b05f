//! The one way to a decision: load the rows, call `step`, commit, tell. `judge`, `sweep` and `plan` come here with
//! what happened; nothing else writes a state.
//!
//! Jobs of a timer are published before its commit: a crash in between publishes them again, and their key makes
//! that harmless. Everything else follows after the commit, from rows that it wrote.

use super::{Parts, noted, written};
use crate::usecase::Services;
use bw_domain::beat::Deaf;
use bw_domain::id::{IncidentId, MonitorId};
use bw_domain::job::Job;
use bw_domain::monitor::Spec;
use bw_domain::outcome::{Outcome, Verdict};
use bw_domain::port::queue::Lane;
use bw_domain::port::store::{Answer, Commit, Loaded, StoreError};
use bw_domain::port::wake::Topic;
use bw_domain::state::{Context, Heard, Step, Trigger, step};
use bw_domain::time::Instant;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What happened to a monitor.
#[derive(Debug)]
pub(super) enum What {
    Outcome(Outcome),
    Timer,
    /// Nobody planned since then.
    Away(Instant),
    /// All beats received before `until` are in, and we were deaf at these times.
    Heard {
        until: Instant,
        deaf: Arc<[Deaf]>,
    },
}

/// One decision to make.
#[derive(Debug)]
pub(super) struct Case {
    pub monitor: MonitorId,
    pub what: What,
}

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Durable, or nothing was to be done, now or ever.
    Done,
    /// The rows moved meanwhile: the same case again.
    Again,
}

/// Makes decisions.
pub(super) struct Decider {
    services: Services,
    spare: Option<IncidentId>,
}

/// A decision that is to be committed.
struct Made {
    case: usize,
    commit: Commit,
    jobs: Vec<Job>,
    sets_timer: bool,
}

impl Decider {
    pub fn new(parts: &Parts) -> Self {
        Decider { services: parts.services.clone(), spare: None }
    }

    /// Decides and commits, at most one case a monitor. On an error nothing is known of any of them: all again.
    pub async fn decide(&mut self, cases: &[Case]) -> Result<Vec<Fate>, StoreError> {
        let monitors: Vec<MonitorId> = cases.iter().map(|case| case.monitor).collect();
        debug_assert_eq!(
            monitors.iter().collect::<BTreeSet<_>>().len(),
            monitors.len(),
            "one case a monitor"
        );
        let loaded = noted(&self.services, self.services.store.states.load(monitors).await)?;
        let specs = self.specs(cases, &loaded).await?;

        let mut fates = vec![Fate::Done; cases.len()];
        let mut made = Vec::with_capacity(cases.len());
        for (index, ((case, loaded), spec)) in cases.iter().zip(loaded).zip(specs).enumerate() {
            // Gone, or stored in a form that no longer compiles: nothing can be decided.
            let (Some(loaded), Some(spec)) = (loaded, spec) else { continue };
            if spec.revision < loaded.state.revision {
                fates[index] = Fate::Again;
                continue;
            }
            made.extend(self.make(index, case, loaded, &spec).await?);
        }
        self.publish_first(cases, &mut made, &mut fates).await;
        self.commit(cases, made, &mut fates).await?;
        Ok(fates)
    }

    /// The newest specification of each. Where the catalog is behind the rows it is read again, once.
    async fn specs(
        &self,
        cases: &[Case],
        loaded: &[Option<Loaded>],
    ) -> Result<Vec<Option<Arc<Spec>>>, StoreError> {
        let catalog = &self.services.catalog;
        let find = || cases.iter().map(|case| catalog.get(case.monitor)).collect::<Vec<_>>();
        let specs = find();
        let behind = specs.iter().zip(loaded).any(|(spec, loaded)| match (spec, loaded) {
            (Some(spec), Some(loaded)) => spec.revision < loaded.state.revision,
            (None, Some(_)) => true,
            _ => false,
        });
        if !behind {
            return Ok(specs);
        }
        noted(&self.services, catalog.refresh(&self.services.store).await)?;
        Ok(find())
    }

    /// What follows from a case; nothing, when nothing does.
    async fn make(
        &mut self,
        index: usize,
        case: &Case,
        loaded: Loaded,
        spec: &Spec,
    ) -> Result<Option<Made>, StoreError> {
        let services = &self.services;
        let spare = match self.spare {
            Some(spare) => spare,
            None => *self.spare.insert(noted(services, services.store.incidents.spare().await)?),
        };
        let context = Context { now: services.clock.now(), spare, base_url: &services.base_url, actor: "" };
        let (trigger, outcome) = match &case.what {
            What::Outcome(outcome) => (Trigger::Outcome(outcome), Some(outcome.clone())),
            What::Timer => (Trigger::Timer, None),
            What::Away(since) => (Trigger::Away(*since), None),
            What::Heard { until, deaf } => match &loaded.track {
                Some(track) => (Trigger::Heard(Heard { track, until: *until, deaf }), None),
                None => return Ok(None),
            },
        };
        let step = step(spec, &loaded.observed, &loaded.state, trigger, &context);
        if step.spare_used {
            self.spare = None;
        }
        if outcome.is_none()
            && step.observed.is_none()
            && step.state.is_none()
            && step.jobs.is_empty()
            && step.track.is_none()
        {
            return Ok(None);
        }
        let Step { observed, state, track, transition, incident, events, jobs, keep_evidence, .. } = step;
        let sets_timer = state.as_ref().is_some_and(|state| state.timer().is_some());
        let commit = Commit {
            monitor: case.monitor,
            expect_seq: loaded.observed.seq,
            outcome,
            keep_evidence,
            observed,
            state,
            transition,
            incident,
            events: events.into_vec(),
            track,
        };
        Ok(Some(Made { case: index, commit, jobs: jobs.into_vec(), sets_timer }))
    }

    /// The jobs of timers. Where the queue does not take them the timer stays due.
    async fn publish_first(&self, cases: &[Case], made: &mut Vec<Made>, fates: &mut [Fate]) {
        let of_timer = |made: &Made| matches!(cases[made.case].what, What::Timer);
        let jobs: Vec<Job> =
            made.iter().filter(|made| of_timer(made)).flat_map(|made| made.jobs.clone()).collect();
        if self.publish(jobs).await {
            return;
        }
        made.retain(|made| {
            let waits = of_timer(made) && !made.jobs.is_empty();
            if waits {
                fates[made.case] = Fate::Again;
            }
            !waits
        });
    }

    /// True when the queue took them.
    async fn publish(&self, jobs: Vec<Job>) -> bool {
        if jobs.is_empty() {
            return true;
        }
        match self.services.queue.publish(Lane::Now, jobs).await {
            Ok(()) => {
                self.services.wake.notify(Topic::Jobs);
                true
            }
            Err(error) => {
                tracing::debug!("repeats could not be handed to the queue: {error}");
                false
            }
        }
    }

    async fn commit(&self, cases: &[Case], made: Vec<Made>, fates: &mut [Fate]) -> Result<(), StoreError> {
        if made.is_empty() {
            return Ok(());
        }
        let services = &self.services;
        // What is told after the commit is taken from what was committed.
        let mut told = Vec::with_capacity(made.len());
        let mut commits = Vec::with_capacity(made.len());
        for Made { case, commit, jobs, sets_timer } in made {
            let change = commit.transition.as_ref().map(|transition| (transition.from, transition.to));
            let verdict = commit.outcome.as_ref().map(|outcome| outcome.verdict);
            told.push(Told { case, change, verdict, events: !commit.events.is_empty(), sets_timer, jobs });
            commits.push(commit);
        }
        let begun = services.clock.monotonic();
        let answers = written(services, services.store.states.commit(commits).await)?;
        services.vitals.commit(services.clock.monotonic().saturating_sub(begun));
        let (mut events, mut timers, mut jobs) = (false, false, Vec::new());
        for (told, answer) in told.into_iter().zip(answers) {
            match answer {
                Answer::Conflict => fates[told.case] = Fate::Again,
                Answer::Duplicate | Answer::Gone => {}
                Answer::Committed => {
                    self.count(cases[told.case].monitor, &told);
                    events |= told.events;
                    timers |= told.sets_timer;
                    if !matches!(cases[told.case].what, What::Timer) {
                        jobs.extend(told.jobs);
                    }
                }
            }
        }
        if events {
            services.wake.notify(Topic::Events);
        }
        if timers {
            services.wake.notify(Topic::Timers);
        }
        // One that the queue does not take ends as a vote that is missing.
        self.publish(jobs).await;
        Ok(())
    }

    fn count(&self, monitor: MonitorId, told: &Told) {
        if let Some(verdict) = told.verdict {
            self.services.vitals.outcome(verdict);
        }
        if let Some((from, to)) = told.change {
            tracing::info!("[STATE CHANGE] monitor={monitor} {} -> {}", from.word(), to.word());
        }
    }
}

/// What is to be said of a commit once it is durable.
struct Told {
    case: usize,
    change: Option<(bw_domain::state::Health, bw_domain::state::Health)>,
    verdict: Option<Verdict>,
    events: bool,
    sets_timer: bool,
    jobs: Vec<Job>,
}
