//! What a start finds, what a commit costs, and what stays small.

use crate::directory::{Directory, FILES, options};
use bw_domain::port::store::Answer;
use bw_store::sqlite::{self, Handle};
use bw_testkit::builders::{job, pass};
use bw_testkit::contract::store::{Installation, Rig};
use rusqlite::Connection;
use serde_json::json;
use std::sync::Arc;

fn count(directory: &Directory, sql: &str) -> i64 {
    let conn = Connection::open(directory.path().join(FILES[0])).expect("it is a database");
    conn.query_row(sql, [], |row| row.get(0)).expect("the statement is good")
}

/// In the steady state a passing outcome is one appended row, and now and then a row of the snapshot.
#[tokio::test]
async fn a_passing_outcome_is_one_row() {
    let directory = Directory::new();
    let rig = Rig::start(&directory).await;
    let mut specs = Vec::new();
    for n in 0..16 {
        let document = json!({"name": format!("Monitor {n}"), "http": "http://shop.test/", "every": "10s"});
        specs.push(rig.create(&document).await);
    }
    let see = async |n: u32| {
        for spec in &specs {
            rig.see(spec, &pass(job(spec, spec.effective_from + spec.policy.every * n))).await;
        }
    };
    for n in 0..3 {
        see(n).await;
    }
    let changes = |table: &str, column: &str| {
        count(&directory, &format!("SELECT ifnull(sum({column}), 0) FROM {table}"))
    };
    let (observed, state) = (changes("observed", "seq"), count(&directory, "SELECT count(*) FROM state"));
    see(3).await;
    // Sixteen outcomes paid for two rows of the snapshot, which moved by a few numbers each.
    let moved = changes("observed", "seq") - observed;
    assert!((1..=8).contains(&moved), "{moved}");
    assert_eq!(count(&directory, "SELECT count(*) FROM state"), state);
    assert_eq!(count(&directory, "SELECT count(*) FROM outcomes_498684"), 64);
}

#[tokio::test]
async fn the_report_knows_the_installation() {
    let directory = Directory::new();
    let clock = Arc::new(bw_testkit::clock::ManualClock::new(bw_testkit::builders::START));
    let first = sqlite::open(options(&directory.path(), &clock)).expect("it opens");
    let (report, handle) = (first.report, first.handle);
    assert_eq!((report.monitors, report.schema), (0, 2));
    close(handle).await;
    clock.advance(bw_domain::time::Duration::from_secs(60));
    let second = sqlite::open(options(&directory.path(), &clock)).expect("it opens again");
    assert_eq!(second.report, report);
}

async fn close(handle: Handle) {
    handle.close().await.expect("it was open");
}

#[tokio::test]
async fn the_stats_move() {
    let directory = Directory::new();
    let clock = Arc::new(bw_testkit::clock::ManualClock::new(bw_testkit::builders::START));
    let opened = sqlite::open(options(&directory.path(), &clock)).expect("it opens");
    let before = opened.handle.stats();
    assert!(before.file_bytes > 0);
    opened.store.catalog.remember_file("file".into(), [1; 32]).await.expect("the store is there");
    let after = opened.handle.stats();
    assert_eq!((after.commits, after.items), (before.commits + 1, before.items + 1));
    assert_eq!(after.buckets.iter().sum::<u64>(), after.commits);
    close(opened.handle).await;
}

/// While one transaction is synchronised the next gathers everything that comes.
#[tokio::test]
async fn what_waits_is_committed_together() {
    let directory = Directory::new();
    let clock = Arc::new(bw_testkit::clock::ManualClock::new(bw_testkit::builders::START));
    let opened = sqlite::open(options(&directory.path(), &clock)).expect("it opens");
    let before = opened.handle.stats();
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..200u8 {
        let catalog = opened.store.catalog.clone();
        calls.spawn(async move { catalog.remember_file(format!("file {n}").into(), [n; 32]).await });
    }
    assert!(calls.join_all().await.into_iter().all(|answer| answer.is_ok()));
    let after = opened.handle.stats();
    assert_eq!(after.items, before.items + 200);
    assert!(after.commits < before.commits + 100, "{} commits", after.commits - before.commits);
    close(opened.handle).await;
}

/// One bad work in a group is answered with its own error; the others of its transaction are committed.
#[tokio::test]
async fn a_bad_work_spoils_no_other() {
    let directory = Directory::new();
    let rig = Rig::start(&directory).await;
    let spec = rig.create(&json!({"name": "Shop", "http": "http://shop.test/", "every": "10s"})).await;
    let loaded = rig.load(spec.id).await;
    let good = rig.decide(&spec, &loaded, &pass(job(&spec, spec.effective_from))).await;
    let mut bad = rig.decide(&spec, &loaded, &pass(job(&spec, spec.effective_from))).await;
    if let Some(outcome) = &mut bad.outcome {
        outcome.job.monitor.0 += 1;
    }
    let states = &rig.store.states;
    let accounts = &rig.store.accounts;
    let shard = bw_domain::limits::SHARDS;
    let beyond = (shard, 1, bw_domain::port::store::Watermark::Published, spec.effective_from);
    let (good, bad, beyond) =
        tokio::join!(states.commit(vec![good]), states.commit(vec![bad]), accounts.advance(vec![beyond]));
    assert_eq!(good.expect("it is good"), [Answer::Committed]);
    assert!(bad.is_err() && beyond.is_err());
    assert_eq!(rig.load(spec.id).await.observed.seq, 1);
    directory.stop(rig.store).await;
}
