//! `Timers`: one a monitor, that of its state.

use super::Installation;
use super::rig::{Rig, document, plain, slot};
use crate::builders::{fail, inconclusive, job, pass};
use bw_domain::monitor::Spec;
use bw_domain::outcome::Code;
use bw_domain::port::store::{EditKind, Timer};
use bw_domain::state::Trigger;
use bw_domain::time::Instant;
use serde_json::json;

async fn due(rig: &Rig<'_>, now: Instant, limit: usize) -> Vec<Timer> {
    rig.store.timers.due(now, limit).await.expect("the store is there")
}

/// Monitors that want two failures: the first opens a repeat.
async fn repeating(rig: &Rig<'_>, name: &str) -> Spec {
    let mut document = document(name);
    document["confirm"] = json!({"failures": 2, "recoveries": 1, "after": "3s"});
    rig.create(&document).await
}

pub async fn a_timer_is_that_of_its_state(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    assert_eq!(rig.store.timers.next().await.expect("the store is there"), None);
    let (a, b) = (repeating(&rig, "A").await, repeating(&rig, "B").await);
    for spec in [&a, &b] {
        rig.see(spec, &fail(job(spec, slot(spec, 0)), Code::CONNECT_REFUSED)).await;
    }
    let mut timers = Vec::new();
    for spec in [&a, &b] {
        let due = rig.load(spec.id).await.state.timer().expect("a repeat is due");
        timers.push(Timer { due, monitor: spec.id });
    }
    timers.sort();
    assert_eq!(due(&rig, Instant::MAX, 9).await, timers);
    assert_eq!(due(&rig, Instant::MAX, 1).await, timers[..1]);
    assert_eq!(due(&rig, timers[0].due, 9).await, timers[..1]);
    assert_eq!(rig.store.timers.next().await.expect("the store is there"), Some(timers[0].due));

    // What `sweep` does when it is due: the timer moves on to the end of the round.
    rig.clock().step_to(timers[1].due);
    let fired = rig.follow(&a, &rig.load(a.id).await, Trigger::Timer);
    rig.commit(vec![fired]).await;
    let moved = rig.load(a.id).await.state.timer().expect("the end of the round");
    assert!(due(&rig, Instant::MAX, 9).await.contains(&Timer { due: moved, monitor: a.id }));
    // A pass needs none, and what is deleted has none.
    rig.see(&a, &pass(job(&a, slot(&a, 1)))).await;
    rig.apply(vec![plain(EditKind::Delete { id: b.id, expect_revision: None })]).await;
    assert!(due(&rig, Instant::MAX, 9).await.is_empty());
}

pub async fn timers_survive_a_restart(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (a, b) = (repeating(&rig, "A").await, repeating(&rig, "B").await);
    rig.see(&a, &fail(job(&a, slot(&a, 0)), Code::CONNECT_REFUSED)).await;
    rig.see(&b, &pass(job(&b, slot(&b, 0)))).await;
    rig.see(&b, &inconclusive(job(&b, slot(&b, 1)), Code::SELF_BLIND)).await;
    let before = due(&rig, Instant::MAX, 9).await;
    assert_eq!(before.len(), 2);
    let rig = rig.kill().await;
    assert_eq!(due(&rig, Instant::MAX, 9).await, before);
}
