//! Outcomes lie in one table a day, made when they are needed and dropped whole.

use super::database::{connection, database};
use bw_domain::job::Job;
use bw_domain::port::store::{Answer, OutcomeQuery};
use bw_domain::time::{Duration, Instant};
use bw_testkit::builders::{START, job, pass};
use bw_testkit::contract::store::{Installation, Rig};
use serde_json::json;

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn an_outcome_of_any_day_finds_its_table() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let spec = rig.create(&json!({"name": "Shop", "http": "http://shop.test/", "every": "8h"})).await;
    let tables = || database.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'outcomes'::regclass");
    assert_eq!(tables(), "4", "today and the days ahead");
    let far = Job { slot: START + DAY * 40, ..job(&spec, START) };
    let old = Job { slot: START - DAY * 20, r#try: 1, ..job(&spec, START) };
    for job in [far, old] {
        rig.see(&spec, &pass(job)).await;
        assert_eq!(rig.judge(&spec, &pass(job)).await, Answer::Duplicate);
    }
    assert_eq!(tables(), "6");

    // Another node drops what this one knows: the next commit makes it again.
    let day = (START + DAY * 40).ms() / 86_400_000;
    database.sql(&format!("DROP TABLE outcomes_{day}"));
    rig.see(&spec, &pass(Job { r#try: 1, ..far })).await;
    // What a node that died has detached and not dropped is in nobody's way.
    database.sql(&format!("ALTER TABLE outcomes DETACH PARTITION outcomes_{day}"));
    rig.see(&spec, &pass(Job { r#try: 2, ..far })).await;
    let (from, to, limit) = (Instant::ZERO, Instant::MAX, 99);
    let query = OutcomeQuery { monitor: spec.id, from, to, verdict: None, repeats: true, limit };
    let rows = rig.store.outcomes.range(query).await.expect("the store is there");
    assert_eq!(rows.iter().map(|row| row.key.r#try).collect::<Vec<_>>(), [2, 1]);
    database.stop(rig.store).await;
}

#[tokio::test]
async fn retention_drops_tables_and_finishes_what_was_begun() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let spec = rig.create(&json!({"name": "Shop", "http": "http://shop.test/", "every": "8h"})).await;
    for days in 1..5 {
        let job = Job { slot: START - DAY * days, r#try: 1, ..job(&spec, START) };
        rig.see(&spec, &pass(job)).await;
    }
    let day = (START - DAY * 3).ms() / 86_400_000;
    database.sql(&format!("ALTER TABLE outcomes DETACH PARTITION outcomes_{day}"));
    let retained = rig.store.outcomes.retain(START + DAY * 28).await.expect("the store is there");
    assert_eq!(retained, 2, "of the four days before today two are older, one of them detached before");
    let left = database.sql("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'outcomes\\_%'");
    assert_eq!(left, "10", "two days before, today with three ahead, and four for the days of the retention");
    assert_eq!(rig.store.outcomes.retain(START + DAY * 28).await.expect("the store is there"), 0);
    database.stop(rig.store).await;
}

/// A partition is detached in two steps; a node that dies between them leaves one that nobody can write to.
#[tokio::test]
async fn a_table_that_is_half_detached_is_in_nobodys_way() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let spec = rig.create(&json!({"name": "Shop", "http": "http://shop.test/", "every": "8h"})).await;
    let at = |days: u32, r#try: u8| Job { slot: START - DAY * days, r#try, ..job(&spec, START) };
    for days in [1, 2] {
        rig.see(&spec, &pass(at(days, 1))).await;
    }
    let reader = connection(&database.url()).await;
    let hasty = format!("{}&options=-cstatement_timeout%3D100", database.url());
    let hasty = connection(&hasty).await;
    reader.batch_execute("BEGIN; SELECT 1 FROM outcomes LIMIT 1").await.expect("the server is there");
    for days in [1, 2] {
        let day = (START - DAY * days).ms() / 86_400_000;
        let sql = format!("ALTER TABLE outcomes DETACH PARTITION outcomes_{day} CONCURRENTLY");
        hasty.batch_execute(&sql).await.expect_err("it waits for the reader");
        reader.batch_execute("COMMIT").await.expect("the server is there");
        if days == 1 {
            // An outcome of that day finds a table all the same; then the day before is left in this state.
            rig.see(&spec, &pass(at(1, 2))).await;
            reader.batch_execute("BEGIN; SELECT 1 FROM outcomes LIMIT 1").await.expect("the server is there");
        }
    }
    let pending = "SELECT count(*) FROM pg_inherits WHERE inhdetachpending";
    assert_eq!(database.sql(pending), "1");
    assert_eq!(rig.store.outcomes.retain(START + DAY * 29).await.expect("the store is there"), 1);
    assert_eq!(database.sql(pending), "0");
    database.stop(rig.store).await;
}
