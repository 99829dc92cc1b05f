//! Values that tests are made of. Each begins as something ordinary and good; a test says only what matters to it.
//! Documents are written as people write them: `json!({"name": "Shop", "http": "http://shop.test/"})`.

use bw_domain::beat::{Beat, Signal, Via};
use bw_domain::event::{Event, EventKind, Severity, Subject};
use bw_domain::id::{EventId, MonitorId, Uuid};
use bw_domain::job::{Job, window};
use bw_domain::monitor::{Declaration, Defaults, Spec, compile};
use bw_domain::outcome::{Certificate, Code, Evidence, Outcome, Phase, Phases, Verdict};
use bw_domain::port::store::Revision;
use bw_domain::time::{Duration, Instant};
use bytes::Bytes;
use serde_json::Value;

/// When tests begin: 2026-11-21T12:00:00Z, a full hour.
pub const START: Instant = Instant::from_ms(1_795_262_400_000);

/// Reads a declaration; a mistake in it fails the test with all its sentences.
pub fn declaration(document: &Value) -> Declaration {
    Declaration::from_json(document).unwrap_or_else(|problems| panic!("{document}: {problems:?}"))
}

/// Monitor `id` at revision 1, compiled, counting from [`START`].
pub fn spec(id: i64, document: &Value) -> Spec {
    compiled(&revision(id, 1, START, document))
}

/// A stored revision.
pub fn revision(id: i64, number: u32, effective_from: Instant, document: &Value) -> Revision {
    Revision {
        id: MonitorId(id),
        uuid: Uuid(id as u128),
        revision: number,
        effective_from,
        created_at: START,
        updated_at: effective_from,
        owner: None,
        declared: Some(declaration(document)),
    }
}

/// Compiles a revision under the defaults of the product.
pub fn compiled(revision: &Revision) -> Spec {
    compile(revision, &Defaults::default()).unwrap_or_else(|problems| panic!("{revision:?}: {problems:?}"))
}

/// The job of a monitor's first vantage for a slot.
pub fn job(spec: &Spec, slot: Instant) -> Job {
    Job {
        monitor: spec.id,
        revision: spec.revision,
        vantage: spec.policy.vantages[0],
        slot,
        r#try: 0,
        start: slot,
        not_after: window(slot, spec.policy.every, spec.policy.timeout).not_after,
    }
}

/// A beat as a job sends it: with a body of two bytes.
pub fn beat(spec: &Spec, at: Instant, signal: Signal) -> Beat {
    let via = Via {
        scheme: "https".into(),
        method: "POST".into(),
        remote: "192.0.2.7".into(),
        agent: "curl/8.5.0".into(),
    };
    Beat {
        monitor: spec.id,
        at,
        happened: None,
        signal,
        ignored: false,
        run: None,
        took: None,
        via,
        body: Bytes::from_static(b"ok"),
    }
}

/// A pass after 31.2 ms, begun 3 ms after its start, with every phase of an HTTPS probe.
pub fn pass(job: Job) -> Outcome {
    let mut phases = Phases::default();
    for (phase, us) in Phase::ALL.into_iter().zip([1_200, 4_000, 11_000, 100, 14_000, 900]) {
        phases.add(phase, us);
    }
    Outcome {
        job,
        at: job.start + Duration::from_millis(3),
        verdict: Verdict::Pass,
        code: Code::OK,
        status: 200,
        latency_us: phases.total(),
        phases,
        evidence: None,
        certificate: None,
    }
}

/// A failure with this code and a sentence as evidence.
pub fn fail(job: Job, code: Code) -> Outcome {
    let evidence = Some(Box::new(Evidence::text(code.text())));
    Outcome { verdict: Verdict::Fail, code, status: 503, evidence, ..pass(job) }
}

/// Nothing was measured, for a reason of our own.
pub fn inconclusive(job: Job, code: Code) -> Outcome {
    Outcome::ours(job, job.start, code, code.text())
}

/// A certificate whose fingerprint begins with `mark`, valid for 90 days from [`START`].
pub fn certificate(mark: u64) -> Certificate {
    let not_after = START + Duration::from_secs(90 * 86_400);
    Certificate {
        subject: "CN=shop.test".to_owned(),
        issuer: "CN=Test Authority".to_owned(),
        names: vec!["shop.test".to_owned()],
        not_before: START,
        not_after,
        chain_not_after: not_after,
        fingerprint: format!("{mark:016x}{:048x}", 0),
        key: "EC P-256".to_owned(),
        protocol: "TLS 1.3".to_owned(),
        problem: String::new(),
    }
}

/// An event of a monitor. Events of the same `number` are the same event.
pub fn event(number: u64, kind: EventKind, monitor: MonitorId) -> Event {
    let id = EventId::of(&[b"test", &number.to_le_bytes()]);
    let mut event = Event::new(id, kind, START, Severity::Critical, format!("event {number}"));
    event.monitor = Some(Subject {
        id: monitor,
        name: format!("Monitor {monitor}"),
        kind: "http".to_owned(),
        target: "http://shop.test/".to_owned(),
        labels: Default::default(),
    });
    event
}
