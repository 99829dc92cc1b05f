//! `Outcomes`: history.

use super::Installation;
use super::rig::{Rig, document, plain, slot};
use crate::builders::{certificate, fail, inconclusive, job, pass};
use bw_domain::id::IncidentId;
use bw_domain::job::{Job, OutcomeKey};
use bw_domain::limits::{EVIDENCE_MAX, EVIDENCE_PER_INCIDENT};
use bw_domain::monitor::Spec;
use bw_domain::outcome::{Code, Evidence, Exchange, Outcome, Verdict};
use bw_domain::port::store::{Answer, EditKind, OutcomeQuery, OutcomeRow, Watermark};
use bw_domain::state::{Health, Trigger};
use bw_domain::time::{Duration, Instant};
use serde_json::json;

const DAY: Duration = Duration::from_secs(86_400);

fn all(spec: &Spec) -> OutcomeQuery {
    let (from, to) = (Instant::ZERO, Instant::MAX);
    OutcomeQuery { monitor: spec.id, from, to, verdict: None, repeats: true, limit: 100_000 }
}

async fn range(rig: &Rig<'_>, query: OutcomeQuery) -> Vec<OutcomeRow> {
    rig.store.outcomes.range(query).await.expect("the store is there")
}

fn keys(rows: &[OutcomeRow]) -> Vec<OutcomeKey> {
    rows.iter().map(|row| row.key).collect()
}

/// A monitor each ten minutes, so that a few outcomes reach over hours.
async fn slow(rig: &Rig<'_>, name: &str) -> Spec {
    let mut slow = document(name);
    slow["every"] = json!("10m");
    rig.create(&slow).await
}

pub async fn a_range_is_newest_first(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (spec, other) = (slow(&rig, "A").await, slow(&rig, "B").await);
    let mut seen = Vec::new();
    for n in (0..40).filter(|n| n % 7 != 3) {
        seen.push(pass(job(&spec, slot(&spec, n))));
        rig.see(&spec, &seen[seen.len() - 1]).await;
        rig.see(&other, &pass(job(&other, slot(&other, n)))).await;
    }
    let repeat = Job { r#try: 1, ..job(&spec, slot(&spec, 39)) };
    seen.push(fail(Job { start: repeat.slot + Duration::from_secs(9), ..repeat }, Code::HTTP_PROTOCOL));
    rig.see(&spec, &seen[seen.len() - 1]).await;
    for n in [3, 10, 38] {
        seen.push(inconclusive(job(&spec, slot(&spec, n)), Code::SELF_LOST));
        rig.judge(&spec, &seen[seen.len() - 1]).await;
    }
    seen.sort_by_key(|outcome| std::cmp::Reverse((outcome.job.slot, outcome.job.r#try)));
    seen.dedup_by_key(|outcome| outcome.job.key());
    let rig = rig.kill().await;
    let rows = range(&rig, all(&spec)).await;
    assert_eq!(rows.len(), seen.len());
    for (row, outcome) in rows.iter().zip(&seen) {
        assert_eq!((row.key, row.revision, row.at), (outcome.job.key(), 1, outcome.at));
        assert_eq!((row.verdict, row.code, row.status), (outcome.verdict, outcome.code, outcome.status));
        assert_eq!((row.latency_us, row.phases), (outcome.latency_us, outcome.phases));
    }
}

pub async fn a_range_has_filters(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = slow(&rig, "Shop").await;
    for n in 0..20 {
        let job = job(&spec, slot(&spec, n));
        rig.see(&spec, &pass(job)).await;
        if n % 5 == 0 {
            rig.see(&spec, &fail(Job { r#try: 1, ..job }, Code::WAIT_TIMEOUT)).await;
        }
    }
    assert_eq!(range(&rig, all(&spec)).await.len(), 24);
    assert_eq!(range(&rig, OutcomeQuery { repeats: false, ..all(&spec) }).await.len(), 20);
    let fails = range(&rig, OutcomeQuery { verdict: Some(Verdict::Fail), ..all(&spec) }).await;
    assert!(fails.len() == 4 && fails.iter().all(|row| row.key.r#try == 1));
    let (from, to) = (slot(&spec, 5), slot(&spec, 8));
    let part = range(&rig, OutcomeQuery { from, to, ..all(&spec) }).await;
    let slots: Vec<_> = part.iter().map(|row| row.key.slot).collect();
    assert_eq!(slots, [slot(&spec, 7), slot(&spec, 6), from, from]);
    // Page after page, each from before the last slot of the page before.
    let mut paged = Vec::new();
    let mut to = Instant::MAX;
    loop {
        let page = range(&rig, OutcomeQuery { to, limit: 7, repeats: false, ..all(&spec) }).await;
        let Some(last) = page.last() else { break };
        to = last.key.slot;
        paged.extend(keys(&page));
    }
    assert_eq!(paged, keys(&range(&rig, OutcomeQuery { repeats: false, ..all(&spec) }).await));
    assert!(range(&rig, OutcomeQuery { from: to, to, ..all(&spec) }).await.is_empty());
}

pub async fn what_is_known(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = rig.monitor("Shop").await;
    for n in 0..100 {
        let job = job(&spec, slot(&spec, n));
        if n % 3 != 0 {
            rig.see(&spec, &pass(job)).await;
        }
        if n % 20 == 1 {
            rig.see(&spec, &pass(Job { r#try: 1, ..job })).await;
        }
    }
    let rig = rig.kill().await;
    let key = |n: u32, r#try: u8| OutcomeKey { r#try, ..job(&spec, slot(&spec, n)).key() };
    let asked: Vec<_> = (0..110).flat_map(|n| [key(n, 0), key(n, 1)]).collect();
    let known = rig.store.outcomes.known(asked).await.expect("the store is there");
    for n in 0..110u32 {
        let slots = n < 100 && n % 3 != 0;
        assert_eq!(known[n as usize * 2], slots, "slot {n}");
        assert_eq!(known[n as usize * 2 + 1], n < 100 && n % 20 == 1, "repeat of {n}");
    }
    // What is accounted for is known, whether by a row or by a gap.
    let shard = bw_domain::schedule::shard_of(spec.id);
    let epoch = rig.hold(1).await[usize::from(shard)].epoch;
    let moves = vec![(shard, epoch, Watermark::Accounted, slot(&spec, 103))];
    rig.store.accounts.advance(moves).await.expect("the store is there");
    let known = rig.store.outcomes.known((99..106).map(|n| key(n, 0)).collect()).await;
    assert_eq!(known.expect("the store is there"), [true, true, true, true, true, false, false]);
    assert_eq!(rig.judge(&spec, &pass(job(&spec, slot(&spec, 102)))).await, Answer::Duplicate);
}

pub async fn evidence_belongs_to_its_incident(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let mut careful = document("Shop");
    careful["confirm"] = json!({"failures": 3, "recoveries": 1});
    let spec = rig.create(&careful).await;
    // A failure that led to nothing, and three that led to an incident.
    rig.see(&spec, &fail(job(&spec, slot(&spec, 0)), Code::DNS_TIMEOUT)).await;
    rig.see(&spec, &pass(job(&spec, slot(&spec, 1)))).await;
    for (n, code) in [(2, Code::CONNECT_REFUSED), (3, Code::CONNECT_TIMEOUT), (4, Code::EXPECT_STATUS)] {
        rig.see(&spec, &fail(job(&spec, slot(&spec, n)), code)).await;
    }
    let incident = rig.load(spec.id).await.state.incident.expect("three failures are enough");
    let rig = rig.kill().await;
    let of = |incident: Option<IncidentId>, limit| rig.store.outcomes.evidence_of(spec.id, incident, limit);
    let belonging = of(Some(incident), 99).await.expect("the store is there");
    let codes: Vec<_> = belonging.iter().map(|row| row.code).collect();
    assert_eq!(codes, [Code::EXPECT_STATUS, Code::CONNECT_TIMEOUT, Code::CONNECT_REFUSED]);
    assert_eq!(of(None, 99).await.expect("the store is there").len(), 4);
    assert_eq!(of(None, 2).await.expect("the store is there"), belonging[..2]);
    let rows = range(&rig, OutcomeQuery { limit: 1, ..all(&spec) }).await;
    let id = rows[0].evidence.expect("the row names its evidence");
    assert_eq!(
        rig.store.outcomes.evidence(id).await.expect("the store is there").as_ref(),
        belonging.first()
    );
    assert_eq!(belonging[0].key, rows[0].key);
}

pub async fn evidence_is_bounded(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (spec, incident) = rig.down("Shop").await;
    let huge = Evidence {
        text: "saw 503".to_owned(),
        exchange: Some(Exchange { body: "x".repeat(3 * EVIDENCE_MAX), ..Exchange::default() }),
        ..Evidence::default()
    };
    for n in 1..40 {
        let code = if n % 2 == 0 { Code::EXPECT_STATUS } else { Code::EXPECT_BODY };
        let evidence = Some(Box::new(huge.clone()));
        rig.see(&spec, &Outcome { evidence, ..fail(job(&spec, slot(&spec, n)), code) }).await;
    }
    let kept = rig.store.outcomes.evidence_of(spec.id, Some(incident), 99).await.expect("the store is there");
    assert_eq!(kept.len(), EVIDENCE_PER_INCIDENT);
    assert_eq!(kept[0].key.slot, slot(&spec, 39), "the newest");
    assert_eq!(kept[EVIDENCE_PER_INCIDENT - 1].key.slot, slot(&spec, 0), "the first");
    for row in kept {
        let json = serde_json::to_string(&row.evidence).expect("evidence is JSON");
        assert!(json.len() <= EVIDENCE_MAX && !row.evidence.text.is_empty());
    }
}

pub async fn the_certificate_that_was_seen_last(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = rig.monitor("Shop").await;
    let seen = || rig.store.outcomes.certificate(spec.id);
    assert_eq!(seen().await.expect("the store is there"), None);
    for (n, mark) in [(0, 7), (1, 7), (2, 8), (3, 8)] {
        let certificate = certificate(mark);
        let shown = Some(Box::new(certificate.clone()));
        rig.see(&spec, &Outcome { certificate: shown, ..pass(job(&spec, slot(&spec, n))) }).await;
        assert_eq!(seen().await.expect("the store is there"), Some(certificate));
    }
    rig.see(&spec, &pass(job(&spec, slot(&spec, 4)))).await;
    assert_eq!(seen().await.expect("the store is there"), Some(certificate(8)));
    let rig = rig.kill().await;
    let kept = rig.store.outcomes.certificate(spec.id).await.expect("the store is there");
    assert_eq!(kept, Some(certificate(8)));
    assert_eq!(rig.load(spec.id).await.observed.cells[0].certificate, 8);
}

pub async fn changes_of_health(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = rig.monitor("Shop").await;
    for n in 0..4 {
        let job = job(&spec, slot(&spec, n));
        let outcome = if n % 2 == 0 { pass(job) } else { fail(job, Code::TLS_EXPIRED) };
        rig.see(&spec, &outcome).await;
    }
    let rows = rig.store.outcomes.transitions(spec.id, 3).await.expect("the store is there");
    let path: Vec<_> = rows.iter().map(|row| (row.from, row.to, row.code)).collect();
    let (up, down) = (Health::Up, Health::Down);
    assert_eq!(path, [(up, down, Code::TLS_EXPIRED), (down, up, Code::OK), (up, down, Code::TLS_EXPIRED)]);
    assert!(rows[0].since <= rows[0].at && rows[1].at < rows[0].at);
}

pub async fn old_periods_go(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    // A few outcomes that reach over a week: a period is a day at most.
    let every = |name: &str| {
        let mut rare = document(name);
        rare["every"] = json!("8h");
        rare
    };
    let (busy, silent) = (rig.create(&every("busy")).await, rig.create(&every("silent")).await);
    rig.see(&silent, &pass(job(&silent, slot(&silent, 0)))).await;
    for n in 0..20 {
        rig.see(&busy, &pass(job(&busy, slot(&busy, n)))).await;
    }
    let retain = |rig: &Rig<'_>, now: Instant| {
        let store = rig.store.clone();
        async move { store.outcomes.retain(now).await.expect("the store is there") }
    };
    let (before, newest) = (rig.all().await, slot(&busy, 19));
    assert_eq!(retain(&rig, newest).await, 0);
    let kept_from = newest - DAY * 2;
    assert!(retain(&rig, kept_from + DAY * 30).await > 0);
    assert_eq!(retain(&rig, kept_from + DAY * 30).await, 0);
    let rig = rig.kill().await;
    let left = range(&rig, all(&busy)).await;
    assert!(left.len() >= 6 && left.len() < 20, "{}", left.len());
    assert_eq!(left[0].key.slot, newest);
    assert!(range(&rig, all(&silent)).await.is_empty());
    // What is believed does not hang on history.
    assert_eq!(rig.all().await, before);
    rig.see(&silent, &pass(job(&silent, slot(&silent, 20)))).await;
    assert_eq!(range(&rig, all(&silent)).await.len(), 1);
}

pub async fn the_history_of_a_deleted_monitor_stays(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (spec, incident) = rig.down("Shop").await;
    rig.see(&spec, &fail(job(&spec, slot(&spec, 1)), Code::EXPECT_BODY)).await;
    let ended = rig.follow(&spec, &rig.load(spec.id).await, Trigger::Deleted);
    let delete = EditKind::Delete { id: spec.id, expect_revision: None };
    rig.apply(vec![bw_domain::port::store::Edit { consequence: Some(ended), ..plain(delete) }]).await;
    let rig = rig.kill().await;
    assert_eq!(range(&rig, all(&spec)).await.len(), 2);
    assert!(rig.store.incidents.get(incident).await.expect("the store is there").is_some());
    assert!(!rig.store.outcomes.transitions(spec.id, 9).await.expect("the store is there").is_empty());
    // Until nothing of it is young enough any more.
    rig.store.outcomes.retain(slot(&spec, 0) + DAY * 1_000).await.expect("the store is there");
    assert!(range(&rig, all(&spec)).await.is_empty());
    assert!(rig.store.incidents.get(incident).await.expect("the store is there").is_none());
    assert!(rig.store.catalog.revisions(spec.id).await.expect("the store is there").is_empty());
    assert!(rig.monitor("New").await.id > spec.id);
}
