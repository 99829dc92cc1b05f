//! A full disk: the store says so, keeps what it has, answers reads, and goes on when there is room again.

use crate::child;
use crate::directory::{Directory, FILES, temporary};
use bw_domain::beat::Signal;
use bw_domain::monitor::Spec;
use bw_domain::port::store::{Answer, Appended, Commit, Incoming, OutcomeQuery, StoreError};
use bw_domain::time::Instant;
use bw_testkit::builders::{START, beat, job, pass};
use bw_testkit::contract::store::Rig;
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// A file system of its own in a mount name space of its own, then the command line that follows.
const SCRIPT: &str = "mount -t tmpfs -o size=3m none \"$BELLWETHER_STORE_CHILD\" && exec \"$0\" \"$@\"";

#[tokio::test]
async fn a_full_disk_is_told_and_survived() {
    match child::directory() {
        Some(directory) => fill(&directory).await,
        None => on_a_small_disk("full::a_full_disk_is_told_and_survived"),
    }
}

#[tokio::test]
async fn a_full_disk_takes_no_half_of_a_batch() {
    match child::directory() {
        Some(directory) => fill_with_beats(&directory).await,
        None => on_a_small_disk("full::a_full_disk_takes_no_half_of_a_batch"),
    }
}

/// Runs a test as a child whose directory is small enough to fill.
fn on_a_small_disk(test: &str) {
    let before = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT];
    let directory = temporary();
    let probe = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none"])
        .arg(directory.path())
        .stderr(Stdio::null())
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        return child::missing("unshare cannot make a file system that is small enough to fill");
    }
    let status = child::command_after(&before, test, directory.path()).status().expect("unshare is here");
    assert!(status.success(), "the child on its small file system: {status}");
}

/// Takes all the room that there is; it is there again when the file is removed and closed.
fn filler(path: &Path) -> (PathBuf, File) {
    let filler = path.join("filler");
    let mut file = File::create(&filler).expect("there is room for a name");
    while file.write_all(&[0; 4_096]).is_ok() {}
    (filler, file)
}

async fn fill(path: &Path) {
    let directory = Directory::at(path.to_owned());
    let rig = Rig::start(&directory).await;
    let spec = rig.create(&json!({"name": "Shop", "http": "http://shop.test/", "every": "1s"})).await;
    let slot = |n: u64| spec.effective_from + spec.policy.every * n as u32;
    let decided = async |n: u64| {
        let loaded = rig.load(spec.id).await;
        rig.decide(&spec, &loaded, &pass(job(&spec, slot(n)))).await
    };
    let offer = async |commit: Commit| rig.store.states.commit(vec![commit]).await;
    for n in 0..20 {
        assert_eq!(offer(decided(n).await).await.expect("there is room"), [Answer::Committed]);
    }
    let (filler, file) = filler(path);
    let mut n = 20;
    let told = loop {
        match offer(decided(n).await).await {
            Ok(answers) => assert_eq!(answers, [Answer::Committed]),
            Err(told) => break told,
        }
        n += 1;
        assert!(n < 2_000, "a full disk was never told");
    };
    assert!(matches!(told, StoreError::Full(_)) && told.retry(), "{told:?}");
    assert!(told.to_string().contains(FILES[0]), "{told}");
    // What was refused is nowhere, and what was acknowledged can be read.
    let seen = rig.load(spec.id).await;
    assert_eq!((seen.observed.seq, seen.observed.cells[0].slot), (n, slot(n - 1)));
    let (from, to) = (Instant::ZERO, Instant::MAX);
    let all = OutcomeQuery { monitor: spec.id, from, to, verdict: None, repeats: true, limit: 9_999 };
    let count = async |rig: &Rig<'_>| {
        rig.store.outcomes.range(all.clone()).await.expect("reading needs no room").len() as u64
    };
    assert_eq!(count(&rig).await, n);
    // It is told again and again, and nothing dies of it.
    for _ in 0..3 {
        assert!(matches!(offer(decided(n).await).await, Err(StoreError::Full(_))));
    }

    std::fs::remove_file(&filler).expect("it is ours");
    drop(file);
    for more in n..n + 50 {
        assert_eq!(offer(decided(more).await).await.expect("there is room again"), [Answer::Committed]);
    }
    assert_eq!(count(&rig).await, n + 50);
    let rig = rig.stop().await;
    assert_eq!(count(&rig).await, n + 50);
}

async fn fill_with_beats(path: &Path) {
    let directory = Directory::at(path.to_owned());
    let rig = Rig::start(&directory).await;
    let mut specs = Vec::new();
    for n in 0..8 {
        let document = json!({"name": format!("Heartbeat {n}"), "heartbeat": {"every": "10m"}});
        specs.push(Arc::new(rig.create(&document).await));
    }
    // Each batch has one beat of every heartbeat, so all of them have the same count.
    let offer = async || {
        let one =
            |spec: &Arc<Spec>| Incoming { spec: spec.clone(), beat: beat(spec, START, Signal::Success) };
        rig.store.beats.append(specs.iter().map(one).collect()).await
    };
    let counts = async |rig: &Rig<'_>| {
        let monitors: Vec<_> = specs.iter().map(|spec| spec.id).collect();
        let tracks = rig.store.beats.tracks(monitors.clone()).await.expect("it is memory");
        let mut counts: Vec<_> =
            tracks.into_iter().map(|track| track.map_or(0, |track| track.count)).collect();
        for rows in rig.store.beats.recent(monitors, 1).await.expect("reading needs no room") {
            counts.push(rows.first().map_or(0, |row| row.number));
        }
        counts.dedup();
        counts
    };
    offer().await.expect("there is room");
    let (filler, file) = filler(path);
    let mut taken = 1;
    let told = loop {
        match offer().await {
            Ok(answers) => assert!(answers.iter().all(|answer| matches!(answer, Appended::Taken(_)))),
            Err(told) => break told,
        }
        taken += 1;
        assert!(taken < 20_000, "a full disk was never told");
    };
    assert!(matches!(told, StoreError::Full(_)) && told.retry(), "{told:?}");
    assert_eq!(counts(&rig).await, [taken]);
    for _ in 0..3 {
        assert!(matches!(offer().await, Err(StoreError::Full(_))));
    }
    assert_eq!(counts(&rig).await, [taken]);

    std::fs::remove_file(&filler).expect("it is ours");
    drop(file);
    for _ in 0..20 {
        offer().await.expect("there is room again");
    }
    assert_eq!(counts(&rig).await, [taken + 20]);
    let rig = rig.stop().await;
    assert_eq!(counts(&rig).await, [taken + 20]);
}
