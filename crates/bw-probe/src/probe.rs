//! One probe, from its instant to its outcome. Whatever happens in between, there is an outcome, and it comes
//! within the time limit.

use crate::evidence;
use crate::hosts::Hosts;
use crate::record::Record;
use crate::selftest::Gate;
use crate::{http, redact, tcp, tls};
use bw_domain::assert::{Seen, Unmet, judge};
use bw_domain::monitor::{Family, Spec};
use bw_domain::outcome::{Code, Evidence, Outcome, Verdict};
use bw_domain::port::prober::Assignment;
use bw_domain::probe::Probe;
use bw_domain::secret::MASK;
use bw_domain::time::Span;
use bw_net::{Failure, Net, Stopwatch};
use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// A probe that ends this long after its time limit was held up by us (no processor, a frozen machine), so the
/// time that passed says nothing about the target.
const STALL: Duration = Duration::from_secs(1);

/// What every probe needs.
pub(crate) struct Context {
    pub net: Arc<Net>,
    pub gate: Option<Arc<Gate>>,
    pub hosts: Hosts,
}

impl Context {
    /// A scheduled probe: it waits for its instant and for a place at its host, and is *missed* when that takes
    /// too long.
    pub async fn scheduled(&self, assignment: &Assignment) -> Outcome {
        let (job, clock) = (assignment.job, self.net.clock());
        let early = job.start.since(clock.now());
        if !early.is_zero() {
            tokio::time::sleep(early).await;
        }
        let host = assignment.spec.probe().map_or("", |probe| probe.host());
        let patience = job.not_after.since(clock.now());
        let place = match tokio::time::timeout(patience, self.hosts.enter(host)).await {
            Ok(place) if clock.now() <= job.not_after => place,
            Ok(_) => {
                let late = Span(clock.now().since(job.start));
                return Outcome::ours(
                    job,
                    clock.now(),
                    Code::SELF_MISSED,
                    format!("would have begun {late} late"),
                );
            }
            Err(_) => {
                let text = format!("others that probe {host} left no place for {}", Span(patience));
                return Outcome::ours(job, clock.now(), Code::SELF_MISSED, text);
            }
        };
        let outcome = self.now(assignment).await;
        drop(place);
        outcome
    }

    /// A probe that begins at once. A panic in it is a fault of ours, and goes no further.
    pub async fn now(&self, assignment: &Assignment) -> Outcome {
        let at = self.net.clock().now();
        let mut probe = pin!(self.probe(assignment));
        let caught = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| probe.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(outcome)) => Poll::Ready(Ok(outcome)),
            Err(panic) => Poll::Ready(Err(panic)),
        });
        caught.await.unwrap_or_else(|panic| {
            let text = format!("the probe failed by a fault of its own: {}", said(&*panic));
            tracing::error!(monitor = assignment.job.monitor.0, "{text}");
            Outcome::ours(assignment.job, at, Code::SELF_FAULT, text)
        })
    }

    async fn probe(&self, assignment: &Assignment) -> Outcome {
        let spec = &*assignment.spec;
        let at = self.net.clock().now();
        let Some(probe) = spec.probe() else {
            return Outcome::ours(assignment.job, at, Code::SELF_FAULT, "a heartbeat is not probed");
        };
        let watch = Stopwatch::start(self.net.clock());
        let mut record = Record::default();
        let family = assignment.job.vantage.family;
        // On the heap: a task is moved several times on its way into the runtime, and this is nearly all of it.
        let steps = Box::pin(steps(&self.net, probe, (family, spec.policy.timeout), &watch, &mut record));
        let ended = match tokio::time::timeout(spec.policy.timeout, steps).await {
            Ok(ended) => ended,
            Err(_) => Err(watch.phase().map_or_else(
                || Failure::new(Code::SELF_FAULT, "the time ran out before the first step"),
                |phase| Failure::timeout(phase, spec.policy.timeout),
            )),
        };
        watch.stop();
        let elapsed = watch.elapsed();
        let ended = if elapsed > spec.policy.timeout + STALL {
            Err(stalled(elapsed - spec.policy.timeout))
        } else {
            ended
        };
        let latency_us = u32::try_from(elapsed.as_micros()).unwrap_or(u32::MAX);
        let (failure, expectation) = match ended.map(|()| self.unmet(spec, &record, &watch, latency_us)) {
            Err(failure) => (Some(failure), None),
            Ok(Some(unmet)) => (Some(Failure::new(unmet.code, unmet.text)), Some(unmet.expectation)),
            Ok(None) => (None, None),
        };
        let evidence = failure
            .as_ref()
            .map(|failure| Box::new(evidence::tell(probe, &record, &watch, &failure.text, expectation)));
        let code = failure.map_or(Code::OK, |failure| failure.code);
        let outcome = Outcome {
            job: assignment.job,
            at,
            verdict: verdict(code),
            code,
            status: record.answer.status(),
            latency_us,
            phases: watch.phases(),
            evidence,
            certificate: record.certificate,
        };
        match &self.gate {
            Some(gate) => abstain(gate, outcome).await,
            None => outcome,
        }
    }

    fn unmet(&self, spec: &Spec, record: &Record, watch: &Stopwatch<'_>, latency_us: u32) -> Option<Unmet> {
        let headers: Vec<(String, String)> = if spec.policy.expect.iter().any(|rule| rule.header().is_some())
        {
            let all = record.answer.headers.iter();
            all.map(|(name, value)| {
                (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect()
        } else {
            Vec::new()
        };
        let mut unmet = judge(
            &spec.policy.expect,
            &Seen {
                status: record.answer.head.map(|(_, status)| status.as_u16()),
                body: record.answer.head.map(|_| record.answer.body.as_slice()),
                headers: &headers,
                latency_us,
                phases: &watch.phases(),
                certificate: record.certificate.as_deref(),
                now: self.net.clock().now(),
            },
        )?;
        let rule = spec.policy.expect.iter().find(|rule| *rule.text == *unmet.expectation);
        if rule.and_then(|rule| rule.header()).is_some_and(redact::is_secret) {
            unmet.text = format!("expected {}, saw {MASK}", unmet.expectation);
        }
        Some(unmet)
    }
}

async fn steps(
    net: &Net,
    probe: &Probe,
    how: (Family, Duration),
    watch: &Stopwatch<'_>,
    record: &mut Record,
) -> Result<(), Failure> {
    match probe {
        Probe::Http(probe) => http::run(net, probe, how, watch, record).await,
        Probe::Tcp(probe) => tcp::run(net, probe, how, watch, record).await,
        Probe::Tls(probe) => tls::run(net, probe, how, watch, record).await,
    }
}

fn stalled(late: Duration) -> Failure {
    let late = Span(Duration::from_millis(late.as_millis() as u64));
    Failure::new(
        Code::SELF_OVERLOADED,
        format!("this observer stood still: the probe ended {late} after its time limit"),
    )
}

fn verdict(code: Code) -> Verdict {
    match code {
        Code::OK => Verdict::Pass,
        code if code.is_ours() => Verdict::Inconclusive,
        _ => Verdict::Fail,
    }
}

/// A failure of the network may be ours: an observer that has lost its own network abstains. What it saw stays
/// in the evidence.
async fn abstain(gate: &Gate, mut outcome: Outcome) -> Outcome {
    let suspect = outcome.verdict == Verdict::Fail && Gate::concerns(outcome.code);
    if !suspect && !gate.is_blind() {
        return outcome;
    }
    // While blind, every end of a probe is an occasion to notice that the network is back.
    let sighted = gate.sighted().await;
    if suspect && !sighted {
        outcome.verdict = Verdict::Inconclusive;
        let evidence = outcome.evidence.get_or_insert_with(|| Box::new(Evidence::default()));
        evidence.text =
            format!("this observer has lost its own network; it saw {}: {}", outcome.code, evidence.text);
        outcome.code = Code::SELF_BLIND;
    }
    outcome
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no word")
}
