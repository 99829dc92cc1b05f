//! A full disk: the store says so, keeps what it has, answers reads, and goes on when there is room again.

use crate::child;
use crate::directory::{Directory, FILES, temporary};
use bw_domain::port::store::{Answer, Commit, OutcomeQuery, StoreError};
use bw_domain::time::Instant;
use bw_testkit::builders::{job, pass};
use bw_testkit::contract::store::Rig;
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const TEST: &str = "full::a_full_disk_is_told_and_survived";
/// A file system of its own in a mount name space of its own, then the command line that follows.
const SCRIPT: &str = "mount -t tmpfs -o size=3m none \"$BELLWETHER_STORE_CHILD\" && exec \"$0\" \"$@\"";

#[tokio::test]
async fn a_full_disk_is_told_and_survived() {
    if let Some(directory) = child::directory() {
        return fill(&directory).await;
    }
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
    let status = child::command_after(&before, TEST, directory.path()).status().expect("unshare is here");
    assert!(status.success(), "the child on its small file system: {status}");
}

async fn fill(path: &Path) {
    let directory = Directory::at(path.to_owned());
    let rig = Rig::start(&directory).await;
    let spec = rig.create(&json!({"name": "Shop", "http": "http://shop.test/", "every": "1s"})).await;
    let slot = |n: u64| spec.effective_from + spec.every * n as u32;
    let decided = async |n: u64| {
        let loaded = rig.load(spec.id).await;
        rig.decide(&spec, &loaded, &pass(job(&spec, slot(n)))).await
    };
    let offer = async |commit: Commit| rig.store.states.commit(vec![commit]).await;
    for n in 0..20 {
        assert_eq!(offer(decided(n).await).await.expect("there is room"), [Answer::Committed]);
    }
    let filler = path.join("filler");
    let mut file = File::create(&filler).expect("there is room for a name");
    while file.write_all(&[0; 4_096]).is_ok() {}

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
