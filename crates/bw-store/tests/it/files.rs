//! What can be wrong with the files, and what is said of it.

use crate::directory::{Directory, FILES, image, open, options, temporary};
use bw_domain::outcome::Code;
use bw_domain::port::store::{Answer, IncidentFilter, StoreError};
use bw_store::SealKey;
use bw_store::sqlite::{self, OpenError, RestoreError};
use bw_testkit::builders::{START, fail, job, pass};
use bw_testkit::clock::ManualClock;
use bw_testkit::contract::store::{Installation, Rig};
use rusqlite::Connection;
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Arc;

fn told(error: impl std::error::Error) -> String {
    error.to_string()
}

fn refusal(directory: &Path) -> String {
    told(open(directory).err().expect("it must not open"))
}

/// A directory with a monitor that was closed in order.
async fn filled() -> Directory {
    let directory = Directory::new();
    let rig = Rig::start(&directory).await;
    let spec = rig.create(&json!({"name": "Shop", "http": "http://shop.test/", "every": "10s"})).await;
    for n in 0..100 {
        rig.see(&spec, &pass(job(&spec, spec.effective_from + spec.policy.every * n))).await;
    }
    directory.stop(rig.store).await;
    directory
}

#[tokio::test]
async fn a_second_process_is_told_who_has_the_directory() {
    let directory = Directory::new();
    let rig = Rig::start(&directory).await;
    let sentence = refusal(&directory.path());
    assert!(sentence.contains(&directory.path().display().to_string()), "{sentence}");
    assert!(sentence.contains(&format!("process {}", std::process::id())), "{sentence}");
    directory.stop(rig.store).await;
    assert!(open(&directory.path()).is_ok());
}

#[tokio::test]
async fn after_closing_the_ports_say_so() {
    let directory = Directory::new();
    let rig = Rig::start(&directory).await;
    let store = rig.store.clone();
    directory.stop(rig.store).await;
    let error = store.catalog.changes(0).await.expect_err("it is closed");
    assert!(error.retry() && error.to_string().contains("closed"), "{error}");
    assert!(store.deliveries.raise(vec![]).await.is_err());
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let directory = filled().await;
    let clock = Arc::new(ManualClock::new(START));
    let wrong = sqlite::Options { key: SealKey::new([8; 32]), ..options(&directory.path(), &clock) };
    let error = sqlite::open(wrong).err().expect("it must not open");
    assert!(matches!(error, OpenError::WrongKey { .. }));
    let sentence = told(error);
    assert!(sentence.contains("secret key does not fit") && sentence.contains(FILES[0]), "{sentence}");
    assert!(open(&directory.path()).is_ok(), "the right one still does");
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let directory = filled().await;
    let file = directory.path().join(FILES[0]);
    let conn = Connection::open(&file).expect("it is a database");
    conn.execute("INSERT INTO migrations VALUES (99, 'later', x'00', 0)", []).expect("there is room");
    conn.close().expect("nothing holds it");
    let sentence = refusal(&directory.path());
    assert!(sentence.contains("newer Bellwether (schema 99"), "{sentence}");

    let conn = Connection::open(&file).expect("it is a database");
    conn.execute_batch("DELETE FROM migrations WHERE number = 99; UPDATE migrations SET digest = x'00'")
        .expect("there is room");
    conn.close().expect("nothing holds it");
    let sentence = refusal(&directory.path());
    assert!(sentence.contains("its migration 1 is not ours"), "{sentence}");
}

#[tokio::test]
async fn a_damaged_database_is_refused_with_a_sentence() {
    let file = |directory: &Directory| directory.path().join(FILES[0]);
    let not_a_database = temporary();
    fs::write(not_a_database.path().join(FILES[0]), [b'x'; 8_192]).expect("there is room");
    let cut = filled().await;
    let length = fs::metadata(file(&cut)).expect("it is there").len();
    let open_cut = OpenOptions::new().write(true).open(file(&cut)).expect("it is ours");
    open_cut.set_len(length / 2).expect("it is ours");
    let overwritten = filled().await;
    let mut bytes = fs::read(file(&overwritten)).expect("it is there");
    let end = bytes.len();
    bytes[8_192..end].fill(0xA5);
    fs::write(file(&overwritten), bytes).expect("there is room");
    for path in [not_a_database.path().to_owned(), cut.path(), overwritten.path()] {
        let sentence = refusal(&path);
        assert!(sentence.contains(&path.join(FILES[0]).display().to_string()), "{sentence}");
        assert!(sentence.contains("bellwether db check"), "{sentence}");
        let checked = sqlite::check(&path);
        assert!(checked.map_or(true, |report| !report.problems.is_empty()), "db check finds it too");
    }
}

#[tokio::test]
async fn a_row_that_nobody_wrote_is_damage() {
    let directory = filled().await;
    let conn = Connection::open(directory.path().join(FILES[0])).expect("it is a database");
    conn.execute("UPDATE revisions SET declared = '{\"name\": 7}'", []).expect("there is room");
    conn.close().expect("nothing holds it");
    let opened = open(&directory.path()).expect("what is in memory is whole");
    let error = opened.store.catalog.changes(0).await.expect_err("a declaration cannot be read");
    assert!(matches!(error, StoreError::Corrupt(_)) && !error.retry());
    assert!(error.to_string().contains("monitor/1"), "{error}");
}

#[tokio::test]
async fn a_check_finds_what_does_not_belong_together() {
    let directory = filled().await;
    let report = sqlite::check(&directory.path()).expect("it can be read");
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let conn = Connection::open(directory.path().join(FILES[0])).expect("it is a database");
    let period: i32 =
        conn.query_row("SELECT max(period) FROM periods", [], |row| row.get(0)).expect("there is one");
    conn.execute_batch(&format!(
        "UPDATE outcomes_{period} SET back = 500 WHERE id = (SELECT max(id) FROM outcomes_{period});
         INSERT INTO timeline (incident, at, kind, text) VALUES (99, 0, 'note', '');
         INSERT INTO periods (period) VALUES (7)"
    ))
    .expect("there is room");
    conn.close().expect("nothing holds it");
    let problems = sqlite::check(&directory.path()).expect("it can be read").problems;
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[2].starts_with("1 broken chains of outcomes in period"), "{problems:?}");
}

/// The last commit is cut anywhere: it is there whole or not at all, and those before it are there.
#[tokio::test]
async fn a_log_that_is_cut_loses_the_end_alone() {
    let directory = Directory::new();
    let rig = Rig::start(&directory).await;
    let spec = rig
        .create(&json!({"name": "Shop", "http": "http://shop.test/", "every": "10s",
                        "confirm": {"failures": 1, "recoveries": 1}}))
        .await;
    let slot = |n: u32| spec.effective_from + spec.policy.every * n;
    for n in 0..10 {
        rig.see(&spec, &pass(job(&spec, slot(n)))).await;
    }
    let log = |path: &Path| path.join(FILES[1]);
    let length = fs::metadata(log(&directory.path())).expect("it is there").len();
    rig.see(&spec, &fail(job(&spec, slot(10)), Code::CONNECT_REFUSED)).await;
    let grown = fs::metadata(log(&directory.path())).expect("it is there").len();
    assert!(grown > length, "the log grows in this test");
    for left in [length, length + 1, length + 24 + 2_048, grown - 4_096, grown - 1, grown] {
        let cut = image(&directory.path());
        let file = OpenOptions::new().write(true).open(log(cut.path())).expect("it is ours");
        file.set_len(left).expect("it is ours");
        let there = Directory::at(cut.path().to_owned());
        let after = Rig::start(&there).await;
        let whole = left == grown;
        assert_eq!(after.load(spec.id).await.observed.seq, if whole { 11 } else { 10 }, "{left} of {grown}");
        let filter = IncidentFilter { limit: 9, ..IncidentFilter::default() };
        let incidents = after.store.incidents.list(filter).await.expect("the store is there").items;
        assert_eq!(incidents.len(), usize::from(whole));
        let events = after.store.deliveries.unrouted(99).await.expect("the store is there");
        assert_eq!(events.iter().any(|event| event.incident.is_some()), whole);
        let again = after.judge(&spec, &fail(job(&spec, slot(10)), Code::CONNECT_REFUSED)).await;
        assert_eq!(again, if whole { Answer::Duplicate } else { Answer::Committed });
        there.stop(after.store).await;
    }
}

#[tokio::test]
async fn a_backup_is_taken_in_use_and_put_back() {
    let directory = filled().await;
    let rig = Rig::start(&directory).await;
    let place = temporary();
    let copy = place.path().join("copy.db");
    sqlite::backup(&directory.path(), &copy).expect("it may be in use");
    assert!(sqlite::backup(&directory.path(), &copy).is_err(), "it is there already");
    let before = rig.all().await;
    directory.stop(rig.store).await;

    // Into a new directory, and over an old one, whose database is kept.
    let fresh = place.path().join("fresh");
    assert_eq!(sqlite::restore(&fresh, &copy).expect("there is room"), None);
    let old = filled().await;
    let kept = sqlite::restore(&old.path(), &copy).expect("there is room").expect("the old one is kept");
    assert!(kept.exists() && kept.parent() == Some(&*old.path()));
    for path in [fresh, old.path()] {
        let there = Directory::at(path);
        let rig = Rig::start(&there).await;
        assert_eq!(rig.all().await, before);
        let report = sqlite::check(&there.path()).expect("it may be in use");
        assert_eq!((report.monitors, report.problems), (1, vec![]));
        let running = sqlite::restore(&there.path(), &copy).expect_err("it is in use");
        assert!(matches!(running, RestoreError::Open(OpenError::InUse { .. })), "{running}");
        there.stop(rig.store).await;
    }
    fs::write(&copy, "not a database").expect("it is ours");
    let error = sqlite::restore(&place.path().join("other"), &copy).expect_err("it is no backup");
    assert!(matches!(error, RestoreError::NotSound { .. }), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_directory_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = temporary();
    let made = place.path().join("a/b");
    let opened = open(&made).expect("it is made");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&made), 0o700);
    for file in FILES {
        assert_eq!(mode(&made.join(file)), 0o600, "{file}");
    }
    opened.handle.close().await.expect("it was open");
}
