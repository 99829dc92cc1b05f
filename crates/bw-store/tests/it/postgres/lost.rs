//! Connections that end and servers that go away: what was acknowledged is there, what was not comes out right when it is
//! offered again, and nothing is there twice.

use super::beats;
use super::database::{Database, connection, database, options, own_server};
use bw_domain::monitor::Spec;
use bw_domain::outcome::{Code, Outcome};
use bw_domain::port::store::{Answer, Commit, OutcomeQuery, StoreError};
use bw_domain::state::Trigger;
use bw_domain::time::Instant;
use bw_store::postgres;
use bw_testkit::builders::{START, fail, job, pass};
use bw_testkit::clock::ManualClock;
use bw_testkit::contract::store::{Installation, Rig};
use bw_testkit::postgres::Server;
use serde_json::json;
use std::sync::Arc;

fn slot(spec: &Spec, n: u32) -> Instant {
    spec.effective_from + spec.policy.every * n
}

async fn monitor(rig: &Rig<'_>) -> Spec {
    let document = json!({"name": "Shop", "http": "http://shop.test/", "every": "10s",
                          "confirm": {"failures": 1, "recoveries": 1}});
    rig.create(&document).await
}

async fn rows(rig: &Rig<'_>, spec: &Spec) -> usize {
    let (from, to, limit) = (Instant::ZERO, Instant::MAX, 9_999);
    let query = OutcomeQuery { monitor: spec.id, from, to, verdict: None, repeats: true, limit };
    rig.store.outcomes.range(query).await.expect("the store is there").len()
}

/// Waits, within a bound, until somebody waits for this.
pub async fn waits(server: &Server, database: &str, event: &str) {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND wait_event = '{event}'"
    );
    for _ in 0..1_000 {
        if server.sql(database, &sql) != "0" {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("nobody waits for {event}");
}

#[tokio::test]
async fn what_was_cut_off_before_its_commit_has_written_nothing() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let spec = monitor(&rig).await;
    let loaded = rig.load(spec.id).await;
    let decision = rig.decide(&spec, &loaded, &fail(job(&spec, slot(&spec, 1)), Code::CONNECT_REFUSED)).await;
    let other = connection(&database.url()).await;
    other.batch_execute("BEGIN; SELECT 1 FROM observed FOR UPDATE").await.expect("the server is there");
    let kill = async {
        waits(database.server, &database.name, "transactionid").await;
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event = 'transactionid'";
        database.sql(sql);
    };
    let (answer, ()) = tokio::join!(rig.store.states.commit(vec![decision.clone()]), kill);
    let error = answer.expect_err("its connection was ended");
    assert!(error.retry() && error.to_string().contains(&database.name), "{error}");
    other.batch_execute("ROLLBACK").await.expect("the server is there");
    assert_eq!(rig.load(spec.id).await, loaded);
    assert_eq!(rows(&rig, &spec).await, 0);
    assert_eq!(rig.commit(vec![decision]).await, [Answer::Committed]);
    assert_eq!(rows(&rig, &spec).await, 1);
    database.stop(rig.store).await;
}

/// A commit that waits for a standby that does not exist is durable here and not acknowledged: whoever is cut off then
/// does not know.
#[tokio::test]
async fn a_commit_that_nobody_knows_of_is_not_made_twice() {
    let Some(server) = own_server(&[], &[]) else { return };
    let server: &'static Server = Box::leak(Box::new(server));
    let (url, clock) = (server.url("bellwether"), Arc::new(ManualClock::new(START)));
    postgres::prepare(&options(&url, &clock)).await.expect("the database is ours");
    let database = Database::named(server, "bellwether".to_owned());
    let rig = Rig::start(&database).await;
    let spec = monitor(&rig).await;
    let with_outcome = |n: u32| fail(job(&spec, slot(&spec, n)), Code::CONNECT_REFUSED);
    let loaded = rig.load(spec.id).await;
    let first = rig.decide(&spec, &loaded, &with_outcome(1)).await;
    assert_eq!(cut_off(&rig, server, first.clone()).await, [Answer::Duplicate]);
    // Without an outcome the fence says it.
    let edited = rig.follow(&spec, &rig.load(spec.id).await, Trigger::Edited);
    assert_eq!(cut_off(&rig, server, edited).await, [Answer::Conflict]);
    assert_eq!((rows(&rig, &spec).await, rig.load(spec.id).await.observed.seq), (1, 2));
    let events = rig.store.deliveries.unrouted(99).await.expect("the store is there");
    assert_eq!(events.len(), first.events.len());
    database.stop(rig.store).await;
}

/// Commits, is cut off while the commit is under way, and offers the same again.
async fn cut_off(rig: &Rig<'_>, server: &Server, decision: Commit) -> Vec<Answer> {
    let answer = cut_off_in_commit(server, rig.store.states.commit(vec![decision.clone()])).await;
    assert!(answer.expect_err("its connection was ended").retry());
    rig.commit(vec![decision]).await
}

/// Ends the connection of a call while its commit is under way: it is durable, and nobody says so.
async fn cut_off_in_commit<T>(server: &Server, call: impl Future<Output = T>) -> T {
    let kill = async {
        waits(server, "bellwether", "SyncRep").await;
        end_commits(server);
    };
    without_standby(server, async { tokio::join!(call, kill).0 }).await
}

fn end_commits(server: &Server) {
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    server.sql("bellwether", sql);
}

/// While this goes on every commit waits for a standby that does not exist.
async fn without_standby<T>(server: &Server, work: impl Future<Output = T>) -> T {
    server.sql("bellwether", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    server.sql("bellwether", "SELECT pg_reload_conf()");
    for _ in 0..1_000 {
        if server.sql("bellwether", "SHOW synchronous_standby_names") == "nobody" {
            break;
        }
        tokio::task::yield_now().await;
    }
    let answer = work.await;
    server.sql("bellwether", "ALTER SYSTEM RESET synchronous_standby_names");
    server.sql("bellwether", "SELECT pg_reload_conf()");
    answer
}

/// Whoever does not know whether his beats were kept offers them again, perhaps together with others or in parts: each is
/// kept once, and answered as it was counted then.
#[tokio::test]
async fn beats_that_nobody_knows_of_are_not_kept_twice() {
    let Some(server) = own_server(&[], &[]) else { return };
    let server: &'static Server = Box::leak(Box::new(server));
    let (url, clock) = (server.url("bellwether"), Arc::new(ManualClock::new(START)));
    postgres::prepare(&options(&url, &clock)).await.expect("the database is ours");
    let database = Database::named(server, "bellwether".to_owned());
    let rig = Rig::start(&database).await;
    let (a, b) = (beats::heartbeat(&rig, "A").await, beats::heartbeat(&rig, "B").await);
    let kept = async |spec: &Spec| {
        let rows = beats::list(&rig.store, spec).await;
        rows.iter().rev().map(|row| (row.number, row.at)).collect::<Vec<_>>()
    };
    let at = |seconds| START + bw_domain::time::Duration::from_secs(seconds);
    beats::append(&rig.store, vec![beats::success(&a, 0), beats::success(&b, 0)]).await;

    // Two are the same in everything: they are two.
    let batch =
        || vec![beats::success(&a, 1), beats::success(&b, 1), beats::success(&a, 2), beats::success(&a, 2)];
    let answer = cut_off_in_commit(server, rig.store.beats.append(batch())).await;
    let error = answer.expect_err("its connection was ended");
    assert!(error.retry(), "{error}");
    // Another node has beaten meanwhile, and this one has others to offer.
    let other = database.open().await.expect("it is prepared").store;
    assert_eq!(beats::append(&other, vec![beats::success(&a, 3)]).await, [5]);
    let again = [vec![beats::success(&b, 4)], batch(), vec![beats::success(&a, 5)]].concat();
    assert_eq!(beats::append(&rig.store, again).await, [3, 2, 2, 3, 4, 6]);
    assert_eq!(kept(&a).await, [(1, at(0)), (2, at(1)), (3, at(2)), (4, at(2)), (5, at(3)), (6, at(5))]);
    assert_eq!(kept(&b).await, [(1, at(0)), (2, at(1)), (3, at(4))]);
    // What was answered is not remembered: the same once more is another beat.
    assert_eq!(beats::append(&rig.store, batch()).await, [7, 4, 8, 9]);

    // In parts, one after the other.
    let batch = || vec![beats::success(&a, 10), beats::success(&b, 10)];
    cut_off_in_commit(server, rig.store.beats.append(batch())).await.expect_err("its connection was ended");
    let [first, second] = <[_; 2]>::try_from(batch()).expect("two");
    assert_eq!(beats::append(&rig.store, vec![second]).await, [5]);
    assert_eq!(beats::append(&rig.store, vec![first]).await, [10]);

    // Nobody waits for it any more; it goes on all the same.
    let batch = || vec![beats::success(&a, 20), beats::success(&b, 20)];
    let drop_it = async {
        tokio::select! {
            answer = rig.store.beats.append(batch()) => panic!("{answer:?}"),
            () = waits(server, "bellwether", "SyncRep") => {}
        }
        end_commits(server);
    };
    without_standby(server, drop_it).await;
    assert_eq!(beats::append(&rig.store, batch()).await, [11, 6]);
    assert_eq!((kept(&a).await.len(), kept(&b).await.len()), (11, 6));
    database.stop(rig.store).await;
}

/// Cut off before the commit nothing was kept, and nothing is believed to be.
#[tokio::test]
async fn beats_that_were_cut_off_are_kept_when_they_are_offered_again() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let spec = beats::heartbeat(&rig, "Backup").await;
    beats::append(&rig.store, vec![beats::success(&spec, 0)]).await;
    let other = connection(&database.url()).await;
    other.batch_execute("BEGIN; SELECT 1 FROM tracks FOR UPDATE").await.expect("the server is there");
    let kill = async {
        waits(database.server, &database.name, "transactionid").await;
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event = 'transactionid'";
        database.sql(sql);
    };
    let (answer, ()) = tokio::join!(rig.store.beats.append(vec![beats::success(&spec, 1)]), kill);
    assert!(answer.expect_err("its connection was ended").retry());
    other.batch_execute("ROLLBACK").await.expect("the server is there");
    assert_eq!(beats::list(&rig.store, &spec).await.len(), 1);
    assert_eq!(beats::append(&rig.store, vec![beats::success(&spec, 1)]).await, [2]);
    assert_eq!(beats::list(&rig.store, &spec).await.len(), 2);
    database.stop(rig.store).await;
}

#[tokio::test]
async fn a_server_that_was_killed_delays() {
    let Some(server) = own_server(&[], &[]) else { return };
    let server: &'static Server = Box::leak(Box::new(server));
    let (url, clock) = (server.url("bellwether"), Arc::new(ManualClock::new(START)));
    postgres::prepare(&options(&url, &clock)).await.expect("the database is ours");
    let database = Database::named(server, "bellwether".to_owned());
    let rig = Rig::start(&database).await;
    let spec = monitor(&rig).await;
    for (round, kill) in [(0, true), (1, false), (2, true)] {
        let outcomes: Vec<Outcome> = (0..20).map(|n| pass(job(&spec, slot(&spec, round * 20 + n)))).collect();
        for outcome in &outcomes {
            rig.see(&spec, outcome).await;
        }
        let before = rig.load(spec.id).await;
        if kill {
            server.kill()
        } else {
            server.stop()
        }
        let error = rig.store.states.load(vec![spec.id]).await.expect_err("nobody is there");
        assert!(matches!(error, StoreError::Away(_)), "{error}");
        assert!(rig.store.timers.next().await.expect_err("nobody is there").retry());
        server.restart();
        // The same store, without being opened again; connections that ended are noticed one by one.
        let mut tries = 0;
        while rig.store.timers.next().await.is_err() {
            tries += 1;
            assert!(tries < 20, "it is there again");
        }
        assert_eq!(rig.load(spec.id).await, before);
        for outcome in &outcomes {
            assert_eq!(rig.judge(&spec, outcome).await, Answer::Duplicate);
        }
        assert_eq!(rows(&rig, &spec).await, outcomes.len() * (round as usize + 1));
    }
    database.stop(rig.store).await;
}

/// A call that nobody waits for any more leaves no transaction behind.
#[tokio::test]
async fn a_call_that_is_dropped_is_undone() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let spec = monitor(&rig).await;
    let loaded = rig.load(spec.id).await;
    let decision = rig.decide(&spec, &loaded, &pass(job(&spec, slot(&spec, 1)))).await;
    let other = connection(&database.url()).await;
    other.batch_execute("BEGIN; SELECT 1 FROM observed FOR UPDATE").await.expect("the server is there");
    tokio::select! {
        answer = rig.store.states.commit(vec![decision.clone()]) => panic!("{answer:?}"),
        () = waits(database.server, &database.name, "transactionid") => {}
    }
    other.batch_execute("COMMIT").await.expect("the server is there");
    assert_eq!(rig.commit(vec![decision]).await, [Answer::Committed]);
    let idle =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
    assert_eq!(database.sql(idle), "0");
    database.stop(rig.store).await;
}

/// As after a fail-over: the old primary lets nobody write.
#[tokio::test]
async fn a_server_that_only_reads_delays() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let spec = monitor(&rig).await;
    let loaded = rig.load(spec.id).await;
    let decision = rig.decide(&spec, &loaded, &pass(job(&spec, slot(&spec, 1)))).await;
    let read_only = |value: &str| {
        let sql = format!("ALTER DATABASE {} SET default_transaction_read_only = {value}", database.name);
        database.server.sql("bellwether", &sql);
        database.server.terminate(&database.name);
    };
    read_only("on");
    for _ in 0..20 {
        let error = rig.store.states.commit(vec![decision.clone()]).await.expect_err("it only reads");
        assert!(matches!(error, StoreError::Away(_)), "{error}");
    }
    read_only("off");
    let mut tries = 0;
    let answers = loop {
        match rig.store.states.commit(vec![decision.clone()]).await {
            Ok(answers) => break answers,
            Err(error) => assert!(error.retry() && tries < 20, "{error}"),
        }
        tries += 1;
    };
    assert_eq!(answers, [Answer::Committed]);
    database.stop(rig.store).await;
}

/// What nobody can have written and what no schema of ours says is told as it is, not tried for ever.
#[tokio::test]
async fn what_fails_for_ever_is_no_reason_to_come_again() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let spec = monitor(&rig).await;
    database.sql("UPDATE state SET state = 'nobody wrote this'");
    let error = rig.store.states.load(vec![spec.id]).await.expect_err("it cannot be read");
    assert!(matches!(error, StoreError::Corrupt(_)) && !error.retry(), "{error}");
    database.sql("ALTER TABLE gaps DROP COLUMN code");
    let error = rig.store.outcomes.gaps(spec.id, START, START).await.expect_err("a column is gone");
    assert!(matches!(error, StoreError::Invalid(_)) && !error.to_string().is_empty(), "{error}");
    database.stop(rig.store).await;
}
