//! Beats of several nodes at the same time, and what only a server's plans, tables and locks can do to them.

use super::database::{connection, database};
use super::fleet::nodes;
use bw_domain::beat::{Deaf, Signal, Taken, Track};
use bw_domain::monitor::Spec;
use bw_domain::port::store::{
    Appended, BeatQuery, BeatRow, EditKind, Hearing, Incoming, NodeId, Store, Timer,
};
use bw_domain::time::{Duration, Instant};
use bw_testkit::builders::{START, beat};
use bw_testkit::contract::store::{Installation, Rig};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

pub async fn heartbeat(rig: &Rig<'_>, name: &str) -> Arc<Spec> {
    Arc::new(rig.create(&json!({"name": name, "heartbeat": {"every": "10m", "grace": "5m"}})).await)
}

pub fn success(spec: &Arc<Spec>, seconds: u64) -> Incoming {
    let at = START + Duration::from_secs(seconds);
    Incoming { spec: spec.clone(), beat: beat(spec, at, Signal::Success) }
}

pub fn number(answer: &Appended) -> u64 {
    match answer {
        Appended::Taken(Taken { number, .. }) => *number,
        Appended::Gone => 0,
    }
}

pub async fn append(store: &Store, batch: Vec<Incoming>) -> Vec<u64> {
    store.beats.append(batch).await.expect("the store is there").iter().map(number).collect()
}

pub async fn list(store: &Store, spec: &Spec) -> Vec<BeatRow> {
    let query = BeatQuery { monitor: spec.id, before: None, limit: 9_999 };
    store.beats.list(query).await.expect("the store is there")
}

async fn track(store: &Store, spec: &Spec) -> Option<Track> {
    store.beats.tracks(vec![spec.id]).await.expect("the store is there").remove(0)
}

/// All nodes beat for the first time at once, in every order: no number is given twice, none is left out, nobody fails.
#[tokio::test]
async fn first_beats_on_every_node_at_once() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let stores = nodes(&database, 4).await;
    let mut specs = Vec::new();
    for n in 0..12 {
        specs.push(heartbeat(&rig, &format!("Heartbeat {n}")).await);
    }
    let node = |index: usize| {
        let (store, mut specs) = (&stores[index], specs.clone());
        async move {
            let mut taken = Vec::new();
            for round in 0..8 {
                specs.rotate_left(index * 3 + 1);
                if (index + round).is_multiple_of(2) {
                    specs.reverse();
                }
                let batch = specs.iter().map(|spec| success(spec, round as u64)).collect();
                let numbers = append(store, batch).await;
                taken.extend(specs.iter().map(|spec| spec.id).zip(numbers));
            }
            taken
        }
    };
    let (a, b, c, d) = tokio::join!(node(0), node(1), node(2), node(3));
    let taken: BTreeSet<_> = [a, b, c, d].concat().into_iter().collect();
    assert_eq!(taken.len(), 4 * 8 * specs.len(), "no number was given twice");
    for spec in &specs {
        let numbers: Vec<u64> = list(&rig.store, spec).await.iter().map(|row| row.number).collect();
        assert_eq!(numbers, (1..=32).rev().collect::<Vec<u64>>());
        assert_eq!(track(&rig.store, spec).await.map(|track| track.count), Some(32));
    }
    database.stop(rig.store).await;
}

/// A heartbeat ends while its first or a later beat comes: the beat is kept before, or it is not kept; in neither case is
/// anything waited for afterwards.
#[tokio::test]
async fn a_beat_that_meets_the_end_of_its_heartbeat() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let stores = nodes(&database, 2).await;
    let (mut kept, mut gone) = (0, 0);
    for n in 0..40 {
        let spec = heartbeat(&rig, &format!("Heartbeat {n}")).await;
        let before = u64::from(n % 4 >= 2);
        if before > 0 {
            append(&rig.store, vec![success(&spec, 0)]).await;
        }
        let delete = EditKind::Delete { id: spec.id, expect_revision: None };
        let delete = vec![bw_domain::port::store::Edit { kind: delete, consequence: None }];
        let (beat, end) = (stores[0].beats.append(vec![success(&spec, 1)]), stores[1].catalog.apply(delete));
        // Whoever is polled first is ahead by a little.
        let (beat, end) = if n % 2 == 0 {
            tokio::join!(beat, end)
        } else {
            let (end, beat) = tokio::join!(end, beat);
            (beat, end)
        };
        end.expect("the store is there").expect("it is deleted once");
        let number = number(&beat.expect("the store is there")[0]);
        let count = track(&rig.store, &spec).await.map_or(0, |track| track.count);
        assert_eq!(count, number.max(before));
        assert_eq!(list(&rig.store, &spec).await.len() as u64, count);
        *(if number > 0 { &mut kept } else { &mut gone }) += 1;
        assert_eq!(append(&rig.store, vec![success(&spec, 2)]).await, [0]);
    }
    assert_eq!(kept + gone, 40);
    assert!(rig.store.beats.due(Instant::MAX, 9).await.expect("the store is there").is_empty());
    assert_eq!(
        database.sql("SELECT count(*) FROM tracks WHERE deadline IS NOT NULL OR wake IS NOT NULL"),
        "0"
    );
    database.stop(rig.store).await;
}

/// A batch that has its number and is not committed holds back what has a larger one.
#[tokio::test]
async fn the_tail_waits_for_who_is_under_way() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let (slow, quick) = (heartbeat(&rig, "Slow").await, heartbeat(&rig, "Quick").await);
    append(&rig.store, vec![success(&slow, 0), success(&quick, 0)]).await;
    let tail = async |after| rig.store.beats.tail(after, 9).await.expect("the store is there");
    let told = |rows: &[BeatRow]| rows.iter().map(|row| (row.monitor, row.number)).collect::<Vec<_>>();
    let (rows, cursor) = tail(None).await;
    assert_eq!(rows.len(), 2);

    // Whoever writes the second beat of the slow one waits for this.
    let other = connection(&database.url()).await;
    let day = START.ms() / 86_400_000;
    let hold = format!(
        "BEGIN; INSERT INTO beats (monitor, number, day, id, at, signal, ignored, via)
         VALUES ({}, 2, {day}, 0, 0, 0, false, '')",
        slow.id
    );
    other.batch_execute(&hold).await.expect("the server is there");
    let later = async {
        super::lost::waits(database.server, &database.name, "transactionid").await;
        assert_eq!(append(&rig.store, vec![success(&quick, 1)]).await, [2]);
        assert_eq!(list(&rig.store, &quick).await.len(), 2, "it is kept");
        assert_eq!(tail(Some(cursor)).await, (vec![], cursor));
        assert_eq!(tail(None).await.0, rows);
        other.batch_execute("ROLLBACK").await.expect("the server is there");
    };
    let (first, ()) = tokio::join!(append(&rig.store, vec![success(&slow, 1)]), later);
    assert_eq!(first, [2]);
    let (rows, cursor) = tail(Some(cursor)).await;
    assert_eq!(told(&rows), [(slow.id, 2), (quick.id, 2)]);
    assert!(tail(Some(cursor)).await.0.is_empty());
    database.stop(rig.store).await;
}

/// A reader that goes on from its cursor sees every beat once, whoever keeps beats meanwhile.
#[tokio::test]
async fn the_tail_of_a_busy_fleet() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let stores = nodes(&database, 4).await;
    let mut specs = Vec::new();
    for n in 0..5 {
        specs.push(heartbeat(&rig, &format!("Heartbeat {n}")).await);
    }
    let node = |index: usize| {
        let (store, specs) = (&stores[index], &specs);
        async move {
            for round in 0..30 {
                let batch = (0..=round % 4).map(|n| success(&specs[(index + round + n) % 5], round as u64));
                append(store, batch.collect()).await;
            }
        }
    };
    let expected = 3 * (0..30).map(|round| round % 4 + 1).sum::<usize>();
    let read = async {
        let (mut cursor, mut seen) = (0, Vec::new());
        for _ in 0..5_000 {
            let (rows, next) = stores[3].beats.tail(Some(cursor), 7).await.expect("the store is there");
            assert!(next >= cursor);
            cursor = next;
            seen.extend(rows.iter().map(|row| (row.monitor, row.number)));
            if seen.len() >= expected {
                break;
            }
        }
        seen
    };
    let ((), (), (), seen) = tokio::join!(node(0), node(1), node(2), read);
    assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (expected, expected));
    database.stop(rig.store).await;
}

/// Beats put a deadline off and leave the index alone; a look at what is due puts the index right.
#[tokio::test]
async fn beats_leave_the_index_alone() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let spec = heartbeat(&rig, "Backup").await;
    let row = || {
        let sql = format!("SELECT wake || ' ' || deadline FROM tracks WHERE monitor = {}", spec.id);
        let text = database.sql(&sql);
        let (wake, deadline) = text.split_once(' ').expect("two numbers");
        let instant = |text: &str| Instant::from_ms(text.parse().expect("it is a number"));
        (instant(wake), instant(deadline))
    };
    let due = async |until| rig.store.beats.due(until, 9).await.expect("the store is there");
    append(&rig.store, vec![success(&spec, 0)]).await;
    // The first beat wants a decision at once.
    assert_eq!(row(), (START, START));
    rig.clock().step_to(START + Duration::from_secs(1));
    let mut decided = track(&rig.store, &spec).await.expect("it beat");
    decided.due = Some(START + Duration::from_secs(900));
    decided.health = bw_domain::state::Health::Up;
    let loaded = rig.load(spec.id).await;
    let decision = rig.follow(&spec, &loaded, bw_domain::state::Trigger::Timer);
    let decision = bw_domain::port::store::Commit { track: Some(Box::new(decided)), ..decision };
    rig.commit(vec![decision]).await;
    let first = START + Duration::from_secs(900);
    assert_eq!(row(), (first, first));
    for n in 1..=50 {
        append(&rig.store, vec![success(&spec, n * 10)]).await;
    }
    let last = START + Duration::from_secs(500 + 900);
    assert_eq!(row(), (first, last));
    assert!(due(first - Duration::from_secs(61)).await.is_empty());
    assert_eq!(row(), (first, last));
    // A little before it has come it is put right.
    assert!(due(first - Duration::from_secs(59)).await.is_empty());
    assert_eq!(row(), (last, last));
    append(&rig.store, vec![success(&spec, 600)]).await;
    assert_eq!(due(last + Duration::from_secs(99)).await, []);
    let last = START + Duration::from_secs(600 + 900);
    assert_eq!(row(), (last, last));
    assert_eq!(rig.store.beats.next().await.expect("the store is there"), Some(last));
    assert_eq!(due(last).await, [Timer { due: last, monitor: spec.id }]);
    database.stop(rig.store).await;
}

/// Thousands of jobs have beaten just before their deadlines; the one that has not is found by the first look.
#[tokio::test]
async fn who_is_silent_is_found_among_many_who_are_not() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let spec = heartbeat(&rig, "Backup").await;
    let (from, until) = (START.ms(), START + Duration::from_secs(900));
    let many = format!(
        "INSERT INTO tracks (monitor, count, track, last_day, deadline, wake)
         SELECT n, 1, '', 0, {from} + 1800000, {from} + n % 900000 FROM generate_series(1000000, 1005000) n"
    );
    database.sql(&many);
    append(&rig.store, vec![success(&spec, 10)]).await;
    let due = async |limit| rig.store.beats.due(until, limit).await.expect("the store is there");
    let expected = Timer { due: START + Duration::from_secs(10), monitor: spec.id };
    assert_eq!(due(1).await, [expected]);
    // Each look puts some right, until all are.
    let stale = || database.sql("SELECT count(*) FROM tracks WHERE wake < deadline");
    assert_ne!(stale(), "0", "one look takes a bounded time");
    for _ in 0..3 {
        assert_eq!(due(9).await, [expected]);
    }
    assert_eq!(stale(), "0");
    // Rows that somebody holds are left alone, and keep nobody waiting.
    database.sql(&format!("UPDATE tracks SET wake = {from} WHERE monitor = 1000000"));
    let other = connection(&database.url()).await;
    other.batch_execute("BEGIN; SELECT 1 FROM tracks FOR UPDATE").await.expect("the server is there");
    assert_eq!(due(9).await, [expected]);
    other.batch_execute("ROLLBACK").await.expect("the server is there");
    assert_eq!(due(9).await, [expected]);
    assert_eq!(stale(), "0");
    database.stop(rig.store).await;
}

/// Beats of one heartbeat never go back to an earlier day, however late or early a node's clock is; and a table that was
/// dropped meanwhile is made again.
#[tokio::test]
async fn beats_find_their_tables() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let spec = heartbeat(&rig, "Backup").await;
    let day = 86_400;
    for (n, days) in [5, 0, 9, 3].into_iter().enumerate() {
        assert_eq!(append(&rig.store, vec![success(&spec, days * day)]).await, [n as u64 + 1]);
    }
    let days = database
        .sql("SELECT string_agg((day - (SELECT min(day) FROM beats))::text, ' ' ORDER BY number) FROM beats");
    assert_eq!(days, "0 0 4 4");
    let rows = list(&rig.store, &spec).await;
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [4, 3, 2, 1]);
    assert_eq!(rows[0].at, START + Duration::from_secs(3 * day));

    let table = |days: i64| format!("beats_{}", START.ms() / 86_400_000 + days);
    database.sql(&format!("DROP TABLE {}", table(9)));
    assert_eq!(append(&rig.store, vec![success(&spec, 2 * day)]).await, [5]);
    database.sql(&format!("ALTER TABLE beats DETACH PARTITION {}", table(9)));
    assert_eq!(append(&rig.store, vec![success(&spec, 20 * day), success(&spec, 9 * day)]).await, [6, 7]);
    assert_eq!(list(&rig.store, &spec).await.len(), 4);
    database.stop(rig.store).await;
}

/// More than a number has places for is still one transaction, in order.
#[tokio::test]
async fn a_batch_of_thousands() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let spec = heartbeat(&rig, "Backup").await;
    let batch: Vec<Incoming> = (0..2_500).map(|n| success(&spec, n)).collect();
    assert_eq!(append(&rig.store, batch).await, (1..=2_500).collect::<Vec<u64>>());
    let (mut cursor, mut seen) = (0, Vec::new());
    for _ in 0..4 {
        let (rows, next) = rig.store.beats.tail(Some(cursor), 1_000).await.expect("the store is there");
        seen.extend(rows.iter().map(|row| row.number));
        cursor = next;
    }
    assert_eq!(seen, (1..=2_500).collect::<Vec<u64>>());
    database.stop(rig.store).await;
}

/// A process is killed and another begins in its place while it is still waited for: when it is waited for no more, the
/// time between the two is known before anybody sees that it has passed.
#[tokio::test]
async fn who_comes_in_the_place_of_the_dead_was_deaf_until_then() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let beats = &rig.store.beats;
    let after = |seconds| START + Duration::from_secs(seconds);
    let hear = async |node, seconds| {
        let hearing = Hearing { node: NodeId(node), until: after(seconds), deaf: None };
        beats.hear(hearing).await.expect("the store is there");
    };
    let look = async || {
        let until = beats.heard_until().await.expect("the store is there");
        (until, beats.deaf().await.expect("the store is there"))
    };
    assert_eq!(beats.begin_hearing(NodeId(1), START).await.expect("the store is there"), None);
    rig.clock().step_to(after(10));
    hear(1, 10).await;
    // It dies; the next one comes after four seconds, and may not know.
    rig.clock().step_to(after(14));
    assert_eq!(beats.begin_hearing(NodeId(2), after(14)).await.expect("the store is there"), None);
    rig.clock().step_to(after(19));
    hear(2, 19).await;
    assert_eq!(look().await, (Some(after(10)), vec![]));
    rig.clock().step_to(after(20));
    let deaf = Deaf { from: after(10), to: after(14) };
    assert_eq!(look().await, (Some(after(19)), vec![deaf]));
    assert_eq!(look().await, (Some(after(19)), vec![deaf]), "once");

    // A third hears beside the second: that dies and nobody was deaf.
    beats.begin_hearing(NodeId(3), after(20)).await.expect("the store is there");
    rig.clock().step_to(after(25));
    hear(2, 25).await;
    rig.clock().step_to(after(40));
    hear(3, 40).await;
    assert_eq!(beats.begin_hearing(NodeId(4), after(40)).await.expect("the store is there"), None);
    assert_eq!(look().await, (Some(after(40)), vec![deaf]));
    database.stop(rig.store).await;
}
