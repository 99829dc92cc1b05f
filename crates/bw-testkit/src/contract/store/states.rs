//! `States`: the one commit.

use super::Installation;
use super::rig::{Rig, document, plain, slot};
use crate::builders::{fail, inconclusive, job, pass};
use crate::dice::Dice;
use bw_domain::id::MonitorId;
use bw_domain::incident::{Entry, EntryKind, IncidentChange};
use bw_domain::job::Job;
use bw_domain::monitor::Spec;
use bw_domain::outcome::{Code, Evidence, Outcome};
use bw_domain::port::store::{Answer, Commit, Edit, EditKind, IncidentFilter, OutcomeQuery};
use bw_domain::state::{Health, Observed, State, Trigger};
use bw_domain::time::{Duration, Instant};
use serde_json::json;

async fn rows(rig: &Rig<'_>, monitor: MonitorId) -> Vec<(Instant, u8, Code)> {
    let (from, to) = (Instant::ZERO, Instant::MAX);
    let query = OutcomeQuery { monitor, from, to, verdict: None, repeats: true, limit: 100_000 };
    let rows = rig.store.outcomes.range(query).await.expect("the store is there");
    rows.into_iter().map(|row| (row.key.slot, row.key.r#try, row.code)).collect()
}

pub async fn a_commit_moves_the_rows(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = rig.monitor("Shop").await;
    let fresh = rig.load(spec.id).await;
    assert_eq!(fresh.observed, Observed::default());
    assert_eq!(fresh.state, State::new(spec.created_at, 1));

    let outcome = pass(job(&spec, slot(&spec, 0)));
    rig.see(&spec, &outcome).await;
    let seen = rig.load(spec.id).await;
    assert_eq!(seen.observed.seq, 1);
    assert_eq!(seen.state.health, Health::Up);
    assert_eq!(seen.observed.cells[0].latency_us, outcome.latency_us);
    assert_eq!(rig.all().await, [seen]);
    assert_eq!(rig.store.states.load(vec![MonitorId(99)]).await.expect("the store is there"), [None]);
}

pub async fn a_decision_on_rows_that_moved_is_left_out(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = rig.monitor("Shop").await;
    let old = rig.load(spec.id).await;
    rig.see(&spec, &pass(job(&spec, slot(&spec, 0)))).await;
    let before = rig.load(spec.id).await;
    let late = rig.decide(&spec, &old, &fail(job(&spec, slot(&spec, 1)), Code::CONNECT_REFUSED)).await;
    assert_eq!(rig.commit(vec![late]).await, [Answer::Conflict]);
    assert_eq!(rig.load(spec.id).await, before);
    assert_eq!(rows(&rig, spec.id).await.len(), 1);
    assert!(rig.store.deliveries.unrouted(9).await.expect("the store is there").len() <= 1);
}

pub async fn what_conflicts_is_left_out_and_the_rest_is_committed(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (a, b) = (rig.monitor("A").await, rig.monitor("B").await);
    let (in_a, in_b) = (rig.load(a.id).await, rig.load(b.id).await);
    let batch = vec![
        rig.decide(&a, &in_a, &pass(job(&a, slot(&a, 0)))).await,
        rig.decide(&a, &in_a, &fail(job(&a, slot(&a, 1)), Code::TLS_EXPIRED)).await,
        rig.decide(&b, &in_b, &pass(job(&b, slot(&b, 0)))).await,
        Commit { monitor: MonitorId(99), ..rig.follow(&b, &in_b, Trigger::Edited) },
        rig.decide(&a, &in_a, &pass(job(&a, slot(&a, 0)))).await,
    ];
    let answers = rig.commit(batch).await;
    assert_eq!(
        answers,
        [Answer::Committed, Answer::Conflict, Answer::Committed, Answer::Gone, Answer::Duplicate]
    );
    assert_eq!(rows(&rig, a.id).await, [(slot(&a, 0), 0, Code::OK)]);
    assert_eq!(rows(&rig, b.id).await.len(), 1);
    assert_eq!(rig.load(a.id).await.state.health, Health::Up);
}

pub async fn twice_is_once(at: &dyn Installation) {
    let mut rig = Rig::start(at).await;
    let spec = rig.monitor("Shop").await;
    let mut outcomes: Vec<Outcome> = (0..70).map(|n| pass(job(&spec, slot(&spec, n)))).collect();
    for n in [3, 40, 69] {
        outcomes.push(pass(Job { r#try: 1, ..job(&spec, slot(&spec, n)) }));
    }
    outcomes.sort_by_key(|outcome| (outcome.job.slot, outcome.job.r#try));
    for outcome in &outcomes {
        rig.see(&spec, outcome).await;
    }
    for restart in [false, true] {
        if restart {
            rig = rig.kill().await;
        }
        let before = rig.all().await;
        for outcome in &outcomes {
            assert_eq!(rig.judge(&spec, outcome).await, Answer::Duplicate, "{outcome:?}");
        }
        assert_eq!(rig.all().await, before);
        assert_eq!(rows(&rig, spec.id).await.len(), outcomes.len());
    }
}

pub async fn a_late_failure_counts_nothing_in_either_order(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    for (name, pass_first) in [("pass first", true), ("fail first", false)] {
        let spec = rig.monitor(name).await;
        let nine = fail(job(&spec, slot(&spec, 9)), Code::CONNECT_REFUSED);
        let ten = pass(job(&spec, slot(&spec, 10)));
        let order = if pass_first { [&ten, &nine] } else { [&nine, &ten] };
        // Both are decided from the same rows before either is committed.
        let old = rig.load(spec.id).await;
        let decided = [rig.decide(&spec, &old, order[0]).await, rig.decide(&spec, &old, order[1]).await];
        let [first, second] = decided;
        assert_eq!(rig.commit(vec![first]).await, [Answer::Committed]);
        assert_eq!(rig.commit(vec![second]).await, [Answer::Conflict]);
        rig.see(&spec, order[1]).await;

        let now = rig.load(spec.id).await;
        assert_eq!((now.observed.cells[0].slot, now.state.health), (ten.job.slot, Health::Up), "{name}");
        let both = [(ten.job.slot, 0, Code::OK), (nine.job.slot, 0, Code::CONNECT_REFUSED)];
        assert_eq!(rows(&rig, spec.id).await, both, "{name}");
        for outcome in order {
            assert_eq!(rig.judge(&spec, outcome).await, Answer::Duplicate, "{name}");
        }
        let filter = IncidentFilter { monitor: Some(spec.id), limit: 9, ..IncidentFilter::default() };
        let incidents = rig.store.incidents.list(filter).await.expect("the store is there").items;
        assert_eq!(incidents.len(), usize::from(!pass_first), "{name}");
        assert!(incidents.iter().all(|incident| incident.closed_at.is_some()), "{name}");
    }
}

pub async fn an_outcome_of_an_earlier_revision_is_recorded_once(at: &dyn Installation) {
    let mut rig = Rig::start(at).await;
    let old = rig.monitor("Shop").await;
    rig.see(&old, &pass(job(&old, slot(&old, 0)))).await;
    let mut changed = document("Shop");
    changed["http"] = json!("http://other.test/");
    let declared = Box::new(crate::builders::declaration(&changed));
    let kind = EditKind::Replace { id: old.id, expect_revision: Some(1), declared };
    let mut next = old.clone();
    next.revision = 2;
    let consequence = rig.follow(&next, &rig.load(old.id).await, Trigger::Edited);
    rig.apply(vec![Edit { kind, consequence: Some(consequence) }]).await;

    let before = rig.load(old.id).await;
    let late = [
        fail(job(&old, slot(&old, 5)), Code::CONNECT_REFUSED),
        fail(Job { r#try: 1, ..job(&old, slot(&old, 6)) }, Code::CONNECT_REFUSED),
    ];
    for outcome in &late {
        rig.see(&old, outcome).await;
        assert_eq!(rig.judge(&old, outcome).await, Answer::Duplicate);
    }
    rig = rig.kill().await;
    for outcome in &late {
        assert_eq!(rig.judge(&old, outcome).await, Answer::Duplicate);
    }
    let after = rig.load(old.id).await;
    assert_eq!(after.state, before.state);
    assert_eq!(after.observed.cells[0].slot, before.observed.cells[0].slot);
    assert_eq!(rows(&rig, old.id).await.len(), 3);
}

pub async fn another_cadence_forgets_nothing(at: &dyn Installation) {
    let mut rig = Rig::start(at).await;
    let old = rig.monitor("Shop").await;
    let seen: Vec<Outcome> = (0..3).map(|n| pass(job(&old, slot(&old, n)))).collect();
    for outcome in &seen {
        rig.see(&old, outcome).await;
    }
    let mut slower = document("Shop");
    slower["every"] = json!("20s");
    let declared = Box::new(crate::builders::declaration(&slower));
    let spec = rig.edit(EditKind::Replace { id: old.id, expect_revision: Some(1), declared }).await;
    // Slots of the old grid that lie on the new one are known, although only the new one is remembered.
    rig.see(&spec, &pass(job(&spec, slot(&old, 4)))).await;
    for outcome in &seen {
        assert_eq!(rig.judge(&spec, outcome).await, Answer::Duplicate);
    }
    rig = rig.kill().await;
    for outcome in &seen {
        assert_eq!(rig.judge(&spec, outcome).await, Answer::Duplicate);
    }
    assert_eq!(rows(&rig, old.id).await.len(), 4);
}

pub async fn two_vantages_cannot_both_decide_from_half_of_the_votes(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let mut both = document("Shop");
    both["family"] = json!("both");
    let spec = rig.create(&both).await;
    let loaded = rig.load(spec.id).await;
    let [v4, v6] = [0, 1].map(|vantage| {
        let job = Job { vantage: spec.policy.vantages[vantage], ..job(&spec, slot(&spec, 0)) };
        fail(job, Code::CONNECT_REFUSED)
    });
    let batch = vec![rig.decide(&spec, &loaded, &v4).await, rig.decide(&spec, &loaded, &v6).await];
    assert_eq!(rig.commit(batch).await, [Answer::Committed, Answer::Conflict]);
    assert_eq!(rig.load(spec.id).await.state.health, Health::Unknown);
    rig.see(&spec, &v6).await;
    assert_eq!(rig.load(spec.id).await.state.health, Health::Down);
}

pub async fn a_monitor_that_is_gone(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = rig.monitor("Shop").await;
    let loaded = rig.load(spec.id).await;
    let decision = rig.decide(&spec, &loaded, &pass(job(&spec, slot(&spec, 0)))).await;
    let kind = EditKind::Delete { id: spec.id, expect_revision: Some(1) };
    rig.apply(vec![plain(kind)]).await;
    assert_eq!(rig.commit(vec![decision]).await, [Answer::Gone]);
    assert_eq!(rig.store.states.load(vec![spec.id]).await.expect("the store is there"), [None]);
    assert!(rows(&rig, spec.id).await.is_empty());
}

pub async fn everything_of_a_commit_or_nothing(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (a, b) = (rig.monitor("A").await, rig.monitor("B").await);
    let (in_a, in_b) = (rig.load(a.id).await, rig.load(b.id).await);
    let opens = rig.decide(&a, &in_a, &fail(job(&a, slot(&a, 0)), Code::CONNECT_REFUSED)).await;
    let mut same_id = rig.decide(&b, &in_b, &fail(job(&b, slot(&b, 0)), Code::CONNECT_REFUSED)).await;
    let taken = opens.incident.as_ref().expect("the first failure opens it").id();
    if let Some(IncidentChange::Open(incident, _)) = &mut same_id.incident {
        incident.id = taken;
    }
    let events = opens.events.len();
    assert!(events > 0);
    // An id that was given out twice: whoever comes second decides again, and has left nothing behind.
    assert_eq!(rig.commit(vec![opens, same_id]).await, [Answer::Committed, Answer::Conflict]);
    assert_eq!(rig.load(b.id).await, in_b);
    assert!(rows(&rig, b.id).await.is_empty());
    assert!(rig.store.outcomes.transitions(b.id, 9).await.expect("the store is there").is_empty());
    assert_eq!(rig.store.deliveries.unrouted(99).await.expect("the store is there").len(), events);
    assert_eq!(rig.load(a.id).await.state.incident, Some(taken));
}

/// No text of a target makes a commit fail: it would come again for ever.
pub async fn whatever_a_target_says_can_be_stored(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = rig.monitor("Shop").await;
    let text = "it said \0 and \u{fffe} and \u{1f9ff}";
    let evidence = Some(Box::new(Evidence::text(text)));
    let outcome = Outcome { evidence, ..fail(job(&spec, slot(&spec, 0)), Code::EXPECT_BODY) };
    let loaded = rig.load(spec.id).await;
    let mut decision = rig.decide(&spec, &loaded, &outcome).await;
    let transition = decision.transition.as_mut().expect("one failure is enough");
    transition.reason.text = text.to_owned();
    for event in &mut decision.events {
        event.summary = text.to_owned();
    }
    assert_eq!(rig.commit(vec![decision]).await, [Answer::Committed]);
    let kept = rig.store.outcomes.evidence_of(spec.id, None, 9).await.expect("the store is there");
    assert_eq!(kept[0].evidence.text, text);
    let told = rig.store.outcomes.transitions(spec.id, 9).await.expect("the store is there");
    assert!(told[0].text.starts_with("it said ") && told[0].text.ends_with('\u{1f9ff}'));
    let incident = rig.load(spec.id).await.state.incident.expect("one failure is enough");
    let entries = vec![Entry::new(outcome.at, EntryKind::Note, text)];
    let note = IncidentChange::Update { id: incident, cause: None, not_observed_since: None, entries };
    assert!(rig.store.incidents.change(note, vec![]).await.expect("the store is there"));
}

/// A long random walk with everything that moves rows; after any restart they are as they were.
pub async fn a_restart_changes_nothing(at: &dyn Installation) {
    let dice = Dice::new(11);
    let mut rig = Rig::start(at).await;
    let mut both = document("two vantages");
    both["family"] = json!("both");
    both["confirm"] = json!({"failures": 3, "recoveries": 2});
    let mut specs = [rig.monitor("A").await, rig.monitor("B").await, rig.create(&both).await];
    for turn in 0..600u32 {
        let index = (dice.throw() % 3) as usize;
        walk(&rig, &mut specs[index], &dice, turn).await;
        if turn % 67 == 66 {
            let before = rig.all().await;
            rig = if turn % 2 == 0 { rig.kill().await } else { rig.stop().await };
            assert_eq!(rig.all().await, before, "after turn {turn}");
        }
    }
}

async fn walk(rig: &Rig<'_>, spec: &mut Spec, dice: &Dice, turn: u32) {
    let throw = dice.throw();
    let back = if throw.is_multiple_of(7) { (throw >> 8) % 90 } else { 0 };
    let number = turn.saturating_sub(back as u32);
    let vantage = spec.policy.vantages[(throw >> 16) as usize % spec.policy.vantages.len()];
    let r#try = ((throw >> 24) % 5 / 4) as u8;
    let job = Job { vantage, r#try, ..job(spec, slot(spec, number)) };
    let outcome = match (throw >> 32) % 6 {
        0 => fail(job, Code::EXPECT_STATUS),
        1 => inconclusive(job, Code::SELF_BLIND),
        _ => pass(job),
    };
    match (throw >> 40) % 40 {
        0 => {
            let mut document = spec.declared.to_json();
            let every = ["10s", "20s", "30s"][(throw >> 48) as usize % 3];
            document["every"] = json!(every);
            let declared = Box::new(crate::builders::declaration(&document));
            let kind = EditKind::Replace { id: spec.id, expect_revision: Some(spec.revision), declared };
            *spec = rig.edit(kind).await;
        }
        1 => {
            let timer = rig.follow(spec, &rig.load(spec.id).await, Trigger::Edited);
            assert_eq!(rig.commit(vec![timer]).await, [Answer::Committed]);
        }
        _ => {
            rig.clock().step_to(outcome.at + Duration::from_secs(1));
            let answer = rig.judge(spec, &outcome).await;
            assert!(matches!(answer, Answer::Committed | Answer::Duplicate), "{answer:?}");
        }
    }
}
