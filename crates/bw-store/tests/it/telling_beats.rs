//! What a child does with beats while its parent watches: it sends batches to a few heartbeats, decides now and then,
//! and says which beats were answered.

use crate::directory::Directory;
use bw_domain::beat::{Signal, Track};
use bw_domain::id::MonitorId;
use bw_domain::monitor::Spec;
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{Answer, Appended, Commit, Incoming};
use bw_domain::time::Duration;
use bw_testkit::builders::{beat, compiled};
use bw_testkit::contract::store::Rig;
use bw_testkit::dice::Dice;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// Heartbeats that the child has.
pub const HEARTBEATS: usize = 12;

/// Several senders at the same time, for as long as it lives, and one that makes decisions.
pub async fn beat_all(directory: PathBuf) {
    let directory = Directory::at(directory);
    let rig = Rig::start(&directory).await;
    let specs = heartbeats(&rig).await;
    let (first, second) = specs.split_at(HEARTBEATS / 2);
    tokio::join!(send(&rig, first), send(&rig, second), decide(&rig, &specs[0]));
}

/// The heartbeats, made at the first start.
pub async fn heartbeats(rig: &Rig<'_>) -> Vec<Arc<Spec>> {
    let changes = rig.store.catalog.changes(0).await.expect("the store is there");
    let mut specs: Vec<_> = changes.revisions.iter().map(|revision| Arc::new(compiled(revision))).collect();
    while specs.len() < HEARTBEATS {
        let name = format!("Heartbeat {}", specs.len());
        let document = json!({"name": name, "heartbeat": {"every": "10m", "grace": "5m"}});
        specs.push(Arc::new(rig.create(&document).await));
    }
    specs
}

async fn send(rig: &Rig<'_>, specs: &[Arc<Spec>]) {
    let dice = Dice::new(specs[0].id.0 as u64);
    let signals = [Signal::Start, Signal::Success, Signal::Fail, Signal::Exit(3)];
    loop {
        let now = rig.clock().now();
        let one = || {
            let spec = &specs[(dice.throw() % specs.len() as u64) as usize];
            let signal = signals[(dice.throw() % 4) as usize];
            Incoming { spec: spec.clone(), beat: beat(spec, now, signal) }
        };
        let batch: Vec<_> = (0..1 + dice.throw() % 20).map(|_| one()).collect();
        let monitors: Vec<_> = batch.iter().map(|incoming| incoming.spec.id).collect();
        let answers = rig.store.beats.append(batch).await.expect("the store is there");
        let mut out = std::io::stdout().lock();
        for (monitor, answer) in monitors.into_iter().zip(answers) {
            let Appended::Taken(taken) = answer else { panic!("nobody deletes") };
            // The parent may be gone or about to kill us.
            writeln!(out, "ack {monitor} {}", taken.number).ok();
        }
        out.flush().ok();
        rig.clock().advance(Duration::from_secs(600));
    }
}

/// Writes tracks without beats, again and again.
async fn decide(rig: &Rig<'_>, spec: &Spec) {
    loop {
        let loaded = rig.load(spec.id).await;
        let decided = loaded.track.map(|track| Box::new(Track { fell: None, due: None, ..*track }));
        let commit = Commit {
            monitor: spec.id,
            expect_seq: loaded.observed.seq,
            outcome: None,
            keep_evidence: false,
            observed: None,
            state: None,
            transition: None,
            incident: None,
            events: Vec::new(),
            track: decided,
        };
        let answer = rig.commit(vec![commit]).await[0];
        assert!(matches!(answer, Answer::Committed | Answer::Conflict), "{answer:?}");
    }
}

/// The beat that a line of the child acknowledges.
pub fn answered(line: &str) -> Option<(MonitorId, u64)> {
    let (monitor, number) = line.strip_prefix("ack ")?.split_once(' ')?;
    Some((MonitorId(monitor.parse().ok()?), number.trim().parse().ok()?))
}
