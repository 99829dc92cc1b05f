//! Beats in a file: `kill -9` at any instant, the snapshot under tracks that come all the time, an older database, and what
//! a check finds.

use crate::child;
use crate::directory::{Directory, FILES, image, open, temporary};
use crate::telling_beats::{answered, beat_all, heartbeats};
use bw_domain::beat::{Deaf, Signal, Track};
use bw_domain::id::MonitorId;
use bw_domain::limits;
use bw_domain::monitor::Spec;
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{Appended, BeatQuery, Edit, EditKind, Hearing, Incoming, NodeId, Refused};
use bw_domain::time::Duration;
use bw_store::sqlite;
use bw_testkit::builders::{beat, job, pass};
use bw_testkit::contract::store::{Installation, Rig};
use bw_testkit::dice::Dice;
use rusqlite::Connection;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

fn database(path: &Path) -> Connection {
    Connection::open(path.join(FILES[0])).expect("it is a database")
}

async fn heartbeat(rig: &Rig<'_>, name: &str) -> Arc<Spec> {
    let document = json!({"name": name, "heartbeat": {"every": "10m", "grace": "5m", "run_limit": "3m"}});
    Arc::new(rig.create(&document).await)
}

async fn take(rig: &Rig<'_>, batch: Vec<Incoming>) {
    let answers = rig.store.beats.append(batch).await.expect("the store is there");
    assert!(answers.iter().all(|answer| matches!(answer, Appended::Taken(_))), "{answers:?}");
}

async fn tracks(rig: &Rig<'_>, specs: &[Arc<Spec>]) -> Vec<Option<Track>> {
    let monitors = specs.iter().map(|spec| spec.id).collect();
    rig.store.beats.tracks(monitors).await.expect("the store is there")
}

async fn numbers(rig: &Rig<'_>, monitor: MonitorId) -> Vec<u64> {
    let query = BeatQuery { monitor, before: None, limit: 1_000_000 };
    let rows = rig.store.beats.list(query).await.expect("the store is there");
    rows.iter().map(|row| row.number).collect()
}

#[tokio::test]
async fn no_beat_that_was_answered_is_lost() {
    if let Some(directory) = child::directory() {
        return beat_all(directory).await;
    }
    let directory = temporary();
    let dice = Dice::new(31);
    let mut told: BTreeMap<MonitorId, u64> = BTreeMap::new();
    for _ in 0..6 {
        for (monitor, number) in kill_after(directory.path(), 50 + (dice.throw() % 2_000) as usize) {
            let last = told.entry(monitor).or_default();
            *last = number.max(*last);
        }
        look(directory.path(), &told).await;
    }
}

/// Lets a child work until it has told of so many beats, and kills it.
fn kill_after(directory: &Path, lines: usize) -> Vec<(MonitorId, u64)> {
    let mut command = child::command("beats::no_beat_that_was_answered_is_lost", directory);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("this binary starts");
    let out = child.stdout.take().expect("it was asked for");
    let mut told = Vec::new();
    for line in BufReader::new(out).lines() {
        told.extend(answered(&line.expect("lines are text")));
        if told.len() == lines {
            child.kill().expect("it is our child");
        }
    }
    child.wait().expect("it is our child");
    assert!(told.len() >= lines, "the child ended by itself after {} beats", told.len());
    told
}

async fn look(path: &Path, told: &BTreeMap<MonitorId, u64>) {
    let directory = Directory::at(path.to_owned());
    let rig = Rig::start(&directory).await;
    let specs = heartbeats(&rig).await;
    for (spec, track) in specs.iter().zip(tracks(&rig, &specs).await) {
        // Each once, without a gap, and counted.
        let all = numbers(&rig, spec.id).await;
        let count = track.map_or(0, |track| track.count);
        assert_eq!(all, (1..=count).rev().collect::<Vec<_>>());
        let last = told.get(&spec.id).copied().unwrap_or(0);
        assert!(count >= last, "beat {last} of {} was answered, and there are {count}", spec.id);
    }
    directory.stop(rig.store).await;
    let report = sqlite::check(path).expect("it can be read");
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}

/// New heartbeats, busy ones and silent ones: wherever the round of the snapshot is, a kill loses none.
#[tokio::test]
async fn the_snapshot_and_the_rows_after_it_are_all() {
    let directory = Directory::new();
    let mut rig = Rig::start(&directory).await;
    let dice = Dice::new(8);
    let mut specs: Vec<Arc<Spec>> = Vec::new();
    for round in 0..60u64 {
        for _ in 0..dice.throw() % 4 {
            specs.push(heartbeat(&rig, &format!("Heartbeat {}", specs.len())).await);
        }
        let now = rig.clock().now();
        let busy = specs.len().min(7) as u64;
        let mut batch: Vec<_> = (0..if busy == 0 { 0 } else { dice.throw() % 40 })
            .map(|_| &specs[(dice.throw() % busy) as usize])
            .chain(specs.iter().rev().take(2))
            .map(|spec| Incoming { spec: spec.clone(), beat: beat(spec, now, Signal::Success) })
            .collect();
        batch.truncate(32);
        take(&rig, batch).await;
        let before = tracks(&rig, &specs).await;
        if round % 3 == 0 {
            rig = if round % 12 == 0 { rig.stop().await } else { rig.kill().await };
        }
        assert_eq!(tracks(&rig, &specs).await, before, "after round {round}");
        rig.clock().advance(Duration::from_secs(7_000));
    }
    let replayed = "SELECT (SELECT sum(last) FROM (SELECT max(ifnull(last, 0)) last FROM beat_days)) > 0
                    AND (SELECT replay_from FROM beat_marks) > 0";
    let rolled: bool =
        database(&directory.path()).query_row(replayed, [], |row| row.get(0)).expect("it is there");
    assert!(rolled, "rounds have ended");
    for spec in &specs {
        let count = tracks(&rig, std::slice::from_ref(spec)).await[0].as_ref().map_or(0, |track| track.count);
        assert_eq!(numbers(&rig, spec.id).await, (1..=count).rev().collect::<Vec<_>>());
    }
}

/// A beat is one row in the table of its day: 64 of as many heartbeats are a handful of pages.
#[tokio::test]
async fn a_batch_costs_a_handful_of_pages() {
    let directory = Directory::new();
    let rig = Rig::start(&directory).await;
    let mut specs = Vec::new();
    for n in 0..640 {
        specs.push(heartbeat(&rig, &format!("Heartbeat {n}")).await);
    }
    // The log begins anew, and is not copied into the database before a thousand pages.
    let rig = rig.stop().await;
    let batch = |n: usize| {
        let now = rig.clock().now();
        let one = |spec: &Arc<Spec>| Incoming { spec: spec.clone(), beat: beat(spec, now, Signal::Success) };
        specs.iter().skip(n).step_by(10).map(one).collect::<Vec<_>>()
    };
    for n in 0..10 {
        take(&rig, batch(n)).await;
    }
    let log = || std::fs::metadata(directory.path().join(FILES[1])).expect("it is there").len();
    let mut grown = Vec::new();
    for n in 0..10 {
        let before = log();
        take(&rig, batch(n)).await;
        grown.push((log() - before) / 4_096);
    }
    grown.sort_unstable();
    assert!((1..=12).contains(&grown[5]), "{grown:?} pages");
}

#[tokio::test]
async fn an_older_database_is_brought_up_to_date() {
    let directory = Directory::new();
    let rig = Rig::start(&directory).await;
    let spec = rig.create(&json!({"name": "Shop", "http": "http://shop.test/", "every": "10s"})).await;
    rig.see(&spec, &pass(job(&spec, spec.effective_from))).await;
    let before = rig.all().await;
    directory.stop(rig.store).await;
    // As the release before had left it.
    let conn = database(&directory.path());
    conn.execute_batch(
        "DROP TABLE beat_days; DROP TABLE tracks; DROP TABLE beat_marks; DROP TABLE deaf;
         DELETE FROM migrations WHERE number = 2",
    )
    .expect("they are there");
    conn.close().expect("nothing holds it");
    let report = sqlite::check(&directory.path()).expect("it can be read");
    assert_eq!((report.schema, report.problems), (1, vec![]));
    // Its backups are put back, too.
    let place = temporary();
    let copy = place.path().join("copy.db");
    sqlite::backup(&directory.path(), &copy).expect("nobody uses it");
    let restored = place.path().join("restored");
    sqlite::restore(&restored, &copy).expect("it is sound");
    for path in [directory.path(), restored] {
        let there = Directory::at(path);
        let rig = Rig::start(&there).await;
        assert_eq!(rig.all().await, before);
        let new = heartbeat(&rig, "Backup").await;
        take(
            &rig,
            vec![Incoming { spec: new.clone(), beat: beat(&new, rig.clock().now(), Signal::Success) }],
        )
        .await;
        let rig = rig.kill().await;
        assert_eq!(numbers(&rig, new.id).await, [1]);
        assert_eq!(sqlite::check(&there.path()).expect("it can be read").schema, 2);
    }
}

/// What is known of a heartbeat that has ended goes with the rest of its monitor.
#[tokio::test]
async fn the_track_of_an_ended_heartbeat_goes_at_last() {
    let directory = Directory::new();
    let rig = Rig::start(&directory).await;
    let specs = [heartbeat(&rig, "Ends").await, heartbeat(&rig, "Lives").await];
    let both = || {
        let now = rig.clock().now();
        let one = |spec: &Arc<Spec>| Incoming { spec: spec.clone(), beat: beat(spec, now, Signal::Success) };
        specs.iter().map(one).collect::<Vec<_>>()
    };
    take(&rig, both()).await;
    let kind = EditKind::Delete { id: specs[0].id, expect_revision: None };
    rig.apply(vec![Edit { kind, consequence: None }]).await;
    let retain = async |rig: &Rig<'_>, days: u64| {
        let now = rig.clock().now() + Duration::from_secs(86_400 * days);
        rig.store.outcomes.retain(now).await.expect("the store is there");
    };
    retain(&rig, 1).await;
    assert!(tracks(&rig, &specs).await.iter().all(Option::is_some));
    retain(&rig, 1_000).await;
    let there = |tracks: Vec<Option<Track>>| tracks.iter().map(Option::is_some).collect::<Vec<_>>();
    assert_eq!(there(tracks(&rig, &specs).await), [false, true]);
    let rig = rig.kill().await;
    assert_eq!(there(tracks(&rig, &specs).await), [false, true]);
    directory.stop(rig.store).await;
    let report = sqlite::check(&directory.path()).expect("it can be read");
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}

#[tokio::test]
async fn a_check_looks_at_beats() {
    let directory = Directory::new();
    let rig = Rig::start(&directory).await;
    let specs = [heartbeat(&rig, "A").await, heartbeat(&rig, "B").await];
    for _ in 0..3 {
        for spec in &specs {
            let beat = beat(spec, rig.clock().now(), Signal::Success);
            take(&rig, vec![Incoming { spec: spec.clone(), beat }]).await;
        }
        rig.clock().advance(Duration::from_secs(86_400));
    }
    directory.stop(rig.store).await;
    let broken = |sql: &str| {
        let copy = image(&directory.path());
        let conn = database(copy.path());
        conn.execute_batch(sql).expect("there is room");
        conn.close().expect("nothing holds it");
        sqlite::check(copy.path()).expect("it can be read").problems
    };
    assert!(broken("").is_empty());
    let day =
        "INSERT INTO beats_3 SELECT id + 2, monitor, number + 1, 1, leap, at, track, beat, body FROM beats_3";
    for (sql, problem) in [
        ("UPDATE beats_2 SET back = 1 WHERE id = 4", "1 broken chains of beats in day 2"),
        (day, "2 broken chains of beats in day 3"),
        ("UPDATE tracks SET track = x'01'", "2 tracks of heartbeats that cannot be read"),
        ("UPDATE tracks SET monitor = 99 WHERE monitor = 1", "1 tracks of heartbeats that are not there"),
        (
            "UPDATE beat_days SET last = 9 WHERE day = 1",
            "1 days of beats that do not go on where the one before ends",
        ),
        ("DROP TABLE beats_2", "1 days of beats without their table"),
    ] {
        assert_eq!(broken(sql), [problem], "{sql}");
    }
    // A track that nobody wrote is not believed.
    let copy = image(&directory.path());
    database(copy.path()).execute("UPDATE tracks SET track = x'01'", []).expect("there is room");
    let error = open(copy.path()).err().expect("it must not open").to_string();
    assert!(error.contains("track of a heartbeat"), "{error}");
}

/// Edits that are taken back take the table of a new day with them; the next beat makes it again.
#[tokio::test]
async fn a_day_that_begins_with_a_refusal() {
    let directory = Directory::new();
    let rig = Rig::start(&directory).await;
    let spec = heartbeat(&rig, "Backup").await;
    let one = || vec![Incoming { spec: spec.clone(), beat: beat(&spec, rig.clock().now(), Signal::Success) }];
    take(&rig, one()).await;
    rig.clock().advance(Duration::from_secs(86_400));
    let before = tracks(&rig, std::slice::from_ref(&spec)).await;
    let replace = |expect_revision| {
        let kind = EditKind::Replace { id: spec.id, expect_revision, declared: spec.declared.clone() };
        Edit { kind, consequence: None }
    };
    let refused = rig.try_apply(vec![replace(None), replace(Some(1))]).await;
    assert_eq!(refused.map(drop), Err(Refused::Stale(2)));
    assert_eq!(tracks(&rig, std::slice::from_ref(&spec)).await, before);
    take(&rig, one()).await;
    let rig = rig.kill().await;
    assert_eq!(numbers(&rig, spec.id).await, [2, 1]);
    directory.stop(rig.store).await;
    let report = sqlite::check(&directory.path()).expect("it can be read");
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}

#[tokio::test]
async fn a_backup_has_the_beats() {
    let directory = Directory::new();
    let rig = Rig::start(&directory).await;
    let spec = heartbeat(&rig, "Backup").await;
    for _ in 0..30 {
        let beat = beat(&spec, rig.clock().now(), Signal::Success);
        take(&rig, vec![Incoming { spec: spec.clone(), beat }]).await;
        rig.clock().advance(Duration::from_secs(20_000));
    }
    let place = temporary();
    let (copy, restored) = (place.path().join("copy.db"), place.path().join("restored"));
    sqlite::backup(&directory.path(), &copy).expect("it may be in use");
    sqlite::restore(&restored, &copy).expect("it is sound");
    let there = Directory::at(restored);
    let after = Rig::start(&there).await;
    let specs = [spec];
    assert_eq!(tracks(&after, &specs).await, tracks(&rig, &specs).await);
    assert_eq!(numbers(&after, specs[0].id).await, (1..=30).rev().collect::<Vec<_>>());
    let query = |before| BeatQuery { monitor: specs[0].id, before, limit: 4 };
    for before in [None, Some(30), Some(17), Some(3)] {
        let (a, b) = (after.store.beats.list(query(before)), rig.store.beats.list(query(before)));
        assert_eq!(a.await.expect("the store is there"), b.await.expect("the store is there"));
    }
}

/// Only the last times are remembered, on disk as in memory.
#[tokio::test]
async fn deaf_times_are_bounded() {
    let directory = Directory::new();
    let rig = Rig::start(&directory).await;
    let now = rig.clock().now();
    let all: Vec<_> = (0..limits::DEAF_KEPT as u64 + 3)
        .map(|n| Deaf { from: now + Duration::from_secs(n * 10), to: now + Duration::from_secs(n * 10 + 5) })
        .collect();
    let mut calls = tokio::task::JoinSet::new();
    for deaf in all.clone() {
        let beats = rig.store.beats.clone();
        let hearing = Hearing { node: NodeId(1), until: deaf.to, deaf: Some(deaf) };
        calls.spawn(async move { beats.hear(hearing).await });
    }
    assert!(calls.join_all().await.into_iter().all(|answer| answer.is_ok()));
    let kept = rig.store.beats.deaf().await.expect("it is memory");
    assert_eq!(kept, all[3..]);
    let rig = rig.kill().await;
    assert_eq!(rig.store.beats.deaf().await.expect("it is memory"), kept);
}

/// What is heard is written with what is written anyway, else every two seconds.
#[tokio::test]
async fn hearing_hardly_writes() {
    let directory = Directory::new();
    let rig = Rig::start(&directory).await;
    let now = rig.clock().now();
    rig.store.beats.begin_hearing(NodeId(1), now).await.expect("the store is there");
    let stored = || -> i64 {
        let sql = "SELECT heard_until FROM beat_marks";
        database(&directory.path()).query_row(sql, [], |row| row.get(0)).expect("it is there")
    };
    let hear = async || {
        rig.clock().advance(limits::HEARING_EVERY);
        let until = rig.clock().now();
        let hearing = Hearing { node: NodeId(1), until, deaf: None };
        rig.store.beats.hear(hearing).await.expect("the store is there");
        until.ms() - now.ms()
    };
    let mut written = Vec::new();
    for _ in 0..20 {
        let until = hear().await;
        let stored = stored() - now.ms();
        assert!(until - stored <= 2_000, "{stored} of {until}");
        written.push(stored);
    }
    written.dedup();
    assert_eq!(written, [0, 2_000, 4_000]);
    // Anything else takes it along.
    rig.store.catalog.remember_file("file".into(), [1; 32]).await.expect("the store is there");
    assert_eq!(stored() - now.ms(), 5_000);
    hear().await;
    directory.stop(rig.store).await;
    assert_eq!(stored() - now.ms(), 5_250, "the end says it, too");
}
