//! Probes: each begins at its instant, sees what its target really is at that moment, and ends as an outcome. What it
//! saw goes into the journal beside what is true.

use crate::Ms;
use crate::journal::Fact;
use crate::mutant::Mutant;
use crate::truth::Target;
use crate::world::{Inner, Life, Link};
use bw_domain::job::Job;
use bw_domain::limits;
use bw_domain::monitor::Spec;
use bw_domain::outcome::{Code, Evidence, Outcome, Phases, Verdict};
use bw_domain::port::Fut;
use bw_domain::port::prober::{Assignment, Prober};
use bw_domain::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Poll, Waker};

/// The probes of one process.
#[derive(Debug, Default)]
pub struct Probes {
    running: usize,
    finished: VecDeque<Outcome>,
    listener: Option<Waker>,
}

impl Probes {
    fn take(&mut self, max: usize) -> Vec<Outcome> {
        let count = max.min(self.finished.len());
        self.finished.drain(..count).collect()
    }

    fn end(&mut self, outcome: Outcome) {
        self.running -= 1;
        self.finished.push_back(outcome);
        if let Some(listener) = self.listener.take() {
            listener.wake();
        }
    }
}

/// A probe begins; its outcome, and how long it takes.
fn probe(inner: &mut Inner, life: Life, job: Job, spec: &Spec) -> (Outcome, Ms) {
    let at = inner.wall(life);
    if at > job.not_after {
        let outcome = Outcome::ours(job, at, Code::SELF_MISSED, "would have begun too late");
        return (outcome, 0);
    }
    let timeout = spec.policy.timeout.as_millis() as Ms;
    let target = inner.script.target(spec.probe().map_or("", |probe| probe.host()), inner.now);
    let failure = target.failure(job.vantage.family, &inner.chance);
    let took = match (target, failure) {
        (Target::Slow, _) => timeout,
        (_, Some(_)) => inner.chance.between(2..=80).min(timeout),
        (_, None) => inner.chance.between(5..=timeout.saturating_sub(1).min(300)),
    };
    let (verdict, code) = verdict(inner, failure);
    let outcome = Outcome {
        job,
        at,
        verdict,
        code,
        status: if verdict == Verdict::Pass { 200 } else { 0 },
        latency_us: (took * 1_000) as u32,
        phases: Phases::default(),
        evidence: (verdict != Verdict::Pass).then(|| Box::new(Evidence::text(code.text()))),
        certificate: None,
    };
    inner.note(life, Fact::Probed { job, at, ill: failure.is_some(), verdict: outcome.verdict });
    let (late, until) = inner.mood.outcomes_late;
    (outcome, took + inner.chance.between(0..=late).min(until.saturating_sub(inner.now)))
}

fn verdict(inner: &Inner, failure: Option<Code>) -> (Verdict, Code) {
    if inner.chance.permille(inner.mood.panics) {
        return (Verdict::Inconclusive, Code::SELF_FAULT);
    }
    match failure {
        _ if inner.mood.network_lost => (Verdict::Inconclusive, Code::SELF_BLIND),
        Some(code) => (Verdict::Fail, code),
        None => (Verdict::Pass, Code::OK),
    }
}

/// The outcome as it is handed over.
fn said(inner: &Inner, outcome: Outcome) -> Outcome {
    let blames = inner.mutant == Some(Mutant::InconclusiveCountedAsFail);
    if blames && outcome.verdict == Verdict::Inconclusive {
        return Outcome { verdict: Verdict::Fail, code: Code::CONNECT_TIMEOUT, ..outcome };
    }
    outcome
}

fn begin(inner: &mut Inner, life: Life, job: Job, spec: &Spec) {
    let (outcome, took) = probe(inner, life, job, spec);
    let outcome = said(inner, outcome);
    inner.later(life, took, move |inner| inner.probes.entry(life).or_default().end(outcome));
}

impl Prober for Link {
    fn room(&self) -> usize {
        let inner = self.world.lock();
        let bound = if inner.mood.no_room { 2 } else { limits::PROBES_AT_ONCE };
        let running = inner.probes.get(&self.life).map_or(0, |probes| probes.running + probes.finished.len());
        bound.saturating_sub(running)
    }

    fn start(&self, mut batch: Vec<Assignment>) -> Vec<Assignment> {
        let rest = batch.split_off(self.room().min(batch.len()));
        let mut inner = self.world.lock();
        let life = self.life;
        inner.probes.entry(life).or_default().running += batch.len();
        for Assignment { job, spec } in batch {
            let early = job.start.since(inner.wall(life)).as_millis() as Ms;
            inner.later(life, early, move |inner| begin(inner, life, job, &spec));
        }
        rest
    }

    fn finished(&self, max: usize) -> Fut<'_, Vec<Outcome>> {
        Box::pin(std::future::poll_fn(move |context| {
            let mut inner = self.world.lock();
            let probes = inner.probes.entry(self.life).or_default();
            let taken = probes.take(max);
            if taken.is_empty() {
                probes.listener = Some(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(taken)
        }))
    }

    fn take(&self, max: usize) -> Vec<Outcome> {
        self.world.lock().probes.entry(self.life).or_default().take(max)
    }

    fn once(&self, assignment: Assignment) -> Fut<'_, Outcome> {
        let (life, spec): (Life, Arc<Spec>) = (self.life, assignment.spec);
        Box::pin(async move {
            let (outcome, took) = probe(&mut self.world.lock(), life, assignment.job, &spec);
            self.sleep(Duration::from_millis(took)).await;
            outcome
        })
    }
}
