//! `work` receives jobs as far as there is room for them, hands them to the prober with the specification of their
//! revision, and puts what comes back into the inbox. It decides nothing about targets: a job that can no longer be
//! run in time, or whose monitor was edited, ends as an outcome of ours.
//!
//! A broker hands jobs out seconds before their instants: those wait here, so that the prober's places are for probes
//! that run, and what becomes of them is decided when they are due, by what is known of edits then. Receiving and waiting for probes go on between ticks, so neither delays the other.

use super::calls::Calls;
use super::{Next, Parts, Tick, noted};
use crate::inbox::Inbox;
use crate::usecase::Services;
use crate::vitals::LoopName;
use bw_domain::job::Job;
use bw_domain::monitor::Spec;
use bw_domain::outcome::{Code, Outcome};
use bw_domain::port::Fut;
use bw_domain::port::prober::Assignment;
use bw_domain::port::queue::{Leased, QueueError};
use bw_domain::port::wake::Topic;
use bw_domain::time::{Duration, Instant};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;

/// Jobs in one message.
const BATCH: usize = 500;
/// How long one call waits for a first job.
const WAIT: Duration = Duration::from_secs(1);
/// While there is no room, or the queue is away.
const AGAIN: Duration = Duration::from_millis(50);
/// The prober gets a probe so long before its instant, and begins it by its own timer. No shorter than the lead of the
/// queue in process, whose jobs are the prober's at once.
const EARLY: Duration = Duration::from_millis(100);
/// A lease is prolonged when a third of it has passed.
const EXTEND: Duration = Duration::from_secs(30);

/// The loop.
pub(super) struct Worker {
    services: Services,
    inbox: Arc<Inbox>,
    receiving: Calls<Result<Vec<Leased>, QueueError>>,
    finishing: Calls<Vec<Outcome>>,
    /// Received and not yet begun, by their instants; the number keeps equal ones apart.
    waiting: BTreeMap<(Instant, u64), Job>,
    received: u64,
    /// On the clock that never steps.
    extend_at: Duration,
    receive_at: Duration,
}

/// What becomes of a job that was received.
enum Turn {
    Run(Assignment),
    Over(Outcome),
}

impl Worker {
    pub fn new(parts: &Parts) -> Self {
        let services = parts.services.clone();
        services.vitals.probes_bound.store(services.prober.room() as u64, Relaxed);
        Worker {
            services,
            inbox: parts.inbox.clone(),
            receiving: Calls::default(),
            finishing: Calls::default(),
            waiting: BTreeMap::new(),
            received: 0,
            extend_at: EXTEND,
            receive_at: Duration::ZERO,
        }
    }

    async fn work(&mut self) -> Next {
        while let Some(outcomes) = self.finishing.take() {
            self.finish(outcomes);
        }
        while let Some(received) = self.receiving.take() {
            self.begin(received).await;
        }
        self.start_waiting();
        self.extend().await;
        self.receive();
        if self.finishing.is_idle() {
            let prober = self.services.prober.clone();
            self.finishing.start(async move { prober.finished(BATCH).await });
        }
        let running = self.inbox.running().saturating_sub(self.waiting.len());
        self.services.vitals.probes_running.store(running as u64, Relaxed);
        let wait = if self.receiving.is_idle() { AGAIN } else { WAIT };
        let now = self.services.clock.now();
        let turn = self.waiting.first_key_value().map(|((start, _), _)| *start - EARLY);
        // Those that are due wait for room in the prober.
        let turn = turn.map_or(now + wait, |turn| if turn > now { turn } else { now + AGAIN });
        Next::At(turn.min(now + wait))
    }

    fn finish(&self, outcomes: Vec<Outcome>) {
        if !outcomes.is_empty() {
            self.inbox.finish(outcomes);
            self.services.wake.notify(Topic::Outcomes);
        }
    }

    /// Asks for more jobs, if there is room for them.
    fn receive(&mut self) {
        let room = self.services.prober.room().min(self.inbox.room()).min(BATCH);
        let monotonic = self.services.clock.monotonic();
        if room > 0 && !self.is_held_up() && self.receiving.is_idle() && monotonic >= self.receive_at {
            let queue = self.services.queue.clone();
            self.receiving.start(async move { queue.receive(room, WAIT).await });
        }
    }

    async fn begin(&mut self, received: Result<Vec<Leased>, QueueError>) {
        let batch = match received {
            Ok(batch) => batch,
            Err(error) => {
                tracing::debug!("no jobs could be received: {error}");
                self.receive_at = self.services.clock.monotonic() + AGAIN;
                return;
            }
        };
        let fresh = self.inbox.begin(batch, self.services.clock.monotonic());
        if fresh.is_empty() {
            return;
        }
        know(&self.services, &fresh).await;
        fresh.into_iter().for_each(|job| self.put(job));
    }

    fn turn(&self, job: Job, now: Instant) -> Turn {
        let spec = self.services.catalog.at(job.monitor, job.revision);
        match spec.filter(|spec| spec.enabled && self.is_in_force(&job)) {
            None => Turn::Over(Outcome::ours(job, now, Code::SELF_EDITED, Code::SELF_EDITED.text())),
            Some(_) if now > job.not_after => {
                let late = now.since(job.start).as_millis();
                let text = format!("the probe would have begun {late} ms late");
                Turn::Over(Outcome::ours(job, now, Code::SELF_MISSED, text))
            }
            Some(spec) => Turn::Run(Assignment { job, spec }),
        }
    }

    /// A slot belongs to the revision in force at its instant, a repeat to the one at its begin. The first look at a
    /// new revision may begin a moment before that counts.
    fn is_in_force(&self, job: &Job) -> bool {
        let at = if job.r#try == 0 { job.slot } else { job.start };
        let in_force = self.services.catalog.in_force(job.monitor, at);
        in_force.is_none_or(|spec: Arc<Spec>| spec.revision <= job.revision)
    }

    fn put(&mut self, job: Job) {
        self.received += 1;
        self.waiting.insert((job.start, self.received), job);
    }

    /// Hands the prober what is due; what it has no room for goes on waiting.
    fn start_waiting(&mut self) {
        let now = self.services.clock.now();
        let later = self.waiting.split_off(&(now + EARLY, u64::MAX));
        let due = std::mem::replace(&mut self.waiting, later);
        let (mut batch, mut over) = (Vec::new(), Vec::new());
        for job in due.into_values() {
            match self.turn(job, now) {
                Turn::Run(assignment) => batch.push(assignment),
                Turn::Over(outcome) => over.push(outcome),
            }
        }
        if !batch.is_empty() {
            self.services.prober.start(batch).into_iter().for_each(|rest| self.put(rest.job));
        }
        self.finish(over);
    }

    /// Whether something is due that the prober had no room for: others may have the jobs that come now.
    fn is_held_up(&self) -> bool {
        let due = self.services.clock.now() + EARLY;
        self.waiting.first_key_value().is_some_and(|((start, _), _)| *start <= due)
    }

    /// Gives back what is not due yet: others will run it.
    async fn hand_back(&mut self) {
        let later = self.waiting.split_off(&(self.services.clock.now() + EARLY, u64::MAX));
        let leases = self.inbox.end(later.into_values().map(|job| job.key()));
        if leases.is_empty() {
            return;
        }
        if let Err(error) = self.services.queue.release(leases, Duration::ZERO).await {
            tracing::warn!("jobs could not be given back, they come again when their leases end: {error}");
        }
    }

    /// What is under way for long, in the prober or before the store, stays ours.
    async fn extend(&mut self) {
        let monotonic = self.services.clock.monotonic();
        if monotonic < self.extend_at {
            return;
        }
        self.extend_at = monotonic + EXTEND / 3;
        let leases = self.inbox.older(monotonic.saturating_sub(EXTEND), monotonic);
        if leases.is_empty() {
            return;
        }
        if let Err(error) = self.services.queue.extend(leases).await {
            tracing::warn!("leases could not be prolonged: {error}");
        }
    }
}

/// A job of a revision that is not here yet: the catalog is read again.
async fn know(services: &Services, jobs: &[Job]) {
    let catalog = &services.catalog;
    let newer = |job: &Job| catalog.get(job.monitor).is_none_or(|spec| spec.revision < job.revision);
    if !jobs.iter().any(newer) {
        return;
    }
    if let Err(error) = noted(services, catalog.refresh(&services.store).await) {
        tracing::debug!("edits could not be read: {error}");
    }
}

impl Tick for Worker {
    fn name(&self) -> LoopName {
        LoopName::Work
    }

    fn tick(&mut self) -> Fut<'_, Next> {
        Box::pin(self.work())
    }

    fn progress(&mut self) -> Fut<'_, ()> {
        Box::pin(std::future::poll_fn(|context| {
            let received = self.receiving.poll(context);
            let finished = self.finishing.poll(context);
            if received || finished { Poll::Ready(()) } else { Poll::Pending }
        }))
    }

    /// Nothing more is received; what is not due is given back, what runs is waited for.
    fn stop(&mut self) -> Fut<'_, ()> {
        Box::pin(async move {
            self.hand_back().await;
            self.start_waiting();
            while self.inbox.running() > 0 {
                if self.finishing.is_idle() {
                    let prober = self.services.prober.clone();
                    self.finishing.start(async move { prober.finished(BATCH).await });
                }
                self.finishing.any().await;
                while let Some(outcomes) = self.finishing.take() {
                    self.finish(outcomes);
                }
                self.start_waiting();
            }
        })
    }
}
