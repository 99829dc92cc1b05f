//! Several nodes at the same time: transactions that overlap.

use super::database::{Database, database};
use bw_domain::id::MonitorId;
use bw_domain::limits::SHARDS;
use bw_domain::monitor::Spec;
use bw_domain::outcome::Code;
use bw_domain::port::store::{Answer, EditKind, NodeId, OutcomeQuery, Routed, Store};

use bw_domain::state::Health;
use bw_domain::time::{Duration, Instant};
use bw_testkit::builders::{compiled, declaration, event, fail, job, pass};
use bw_testkit::contract::store::{Installation, Rig};
use bw_testkit::dice::Dice;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio_postgres::NoTls;

fn document(name: &str) -> Value {
    json!({"name": name, "http": "http://shop.test/", "every": "10s",
           "confirm": {"failures": 1, "recoveries": 1}})
}

fn slot(spec: &Spec, n: u32) -> Instant {
    spec.effective_from + spec.policy.every * n
}

/// The stores of so many nodes. Their connections end with the test.
pub async fn nodes(database: &Database, count: usize) -> Vec<Store> {
    let mut stores = Vec::new();
    for _ in 0..count {
        stores.push(database.open().await.expect("it is prepared").store);
    }
    stores
}

async fn waiting(database: &Database, count: &str) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
               AND wait_event IN ('transactionid', 'tuple')";
    for _ in 0..1_000 {
        if database.sql(sql) == count {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("there are not {count} who wait");
}

/// Both decided from the same rows, both under way at once: whoever comes second is told, in either order.
#[tokio::test]
async fn a_pass_and_a_late_failure_in_transactions_that_overlap() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let others = nodes(&database, 2).await;
    let (client, connection) =
        tokio_postgres::connect(&database.url(), NoTls).await.expect("the server is there");
    let mut connection = Box::pin(connection);
    for (name, pass_first) in [("pass first", true), ("fail first", false)] {
        let spec = rig.create(&document(name)).await;
        let nine = fail(job(&spec, slot(&spec, 9)), Code::CONNECT_REFUSED);
        let ten = pass(job(&spec, slot(&spec, 10)));
        let order = if pass_first { [&ten, &nine] } else { [&nine, &ten] };
        let old = rig.load(spec.id).await;
        let [first, second] =
            [rig.decide(&spec, &old, order[0]).await, rig.decide(&spec, &old, order[1]).await];
        let hold = format!("BEGIN; SELECT 1 FROM observed WHERE monitor = {} FOR UPDATE", spec.id);
        let work = async {
            client.batch_execute(&hold).await.expect("the server is there");
            let let_go = async {
                waiting(&database, "2").await;
                client.batch_execute("COMMIT").await.expect("the server is there");
            };
            let later = async {
                waiting(&database, "1").await;
                others[1].states.commit(vec![second]).await
            };
            tokio::join!(others[0].states.commit(vec![first]), later, let_go)
        };
        let (first, second, ()) = tokio::select! {
            answers = work => answers,
            ended = &mut connection => panic!("{ended:?}"),
        };
        assert_eq!(first.expect("the store is there"), [Answer::Committed], "{name}");
        assert_eq!(second.expect("the store is there"), [Answer::Conflict], "{name}");
        rig.see(&spec, order[1]).await;
        let now = rig.load(spec.id).await;
        assert_eq!((now.observed.cells[0].slot, now.state.health), (ten.job.slot, Health::Up), "{name}");
        for outcome in order {
            assert_eq!(rig.judge(&spec, outcome).await, Answer::Duplicate, "{name}");
        }
    }
    database.stop(rig.store).await;
}

/// Four nodes judge outcomes of the same monitors, each outcome at two of them: each is there once.
#[tokio::test]
async fn many_nodes_judge_the_same_outcomes() {
    let database = database!();
    let rig = Rig::start(&database).await;
    let mut specs = Vec::new();
    for n in 0..8 {
        specs.push(rig.create(&document(&format!("M{n}"))).await);
    }
    let stores = nodes(&database, 4).await;
    let judge = |seed: u64, store: Store| {
        let (specs, dice, at) = (&specs, Dice::new(seed), &database);
        async move {
            let (mut committed, mut conflicts) = (0, 0);
            for n in (0..24u32).filter(|n| [0, 1].contains(&((u64::from(*n) + seed) % 4))) {
                let mut open: Vec<&Spec> = specs.iter().collect();
                open.sort_by_key(|_| dice.throw());
                while !open.is_empty() {
                    let ids = open.iter().map(|spec| spec.id).collect();
                    let loaded = store.states.load(ids).await.expect("the store is there");
                    let node = Rig::on(store.clone(), at);
                    let mut batch = Vec::new();
                    for (spec, loaded) in open.iter().zip(loaded) {
                        let loaded = loaded.expect("the monitor is there");
                        let job = job(spec, slot(spec, n));
                        let outcome = if n % 5 == 3 { fail(job, Code::EXPECT_STATUS) } else { pass(job) };
                        batch.push(node.decide(spec, &loaded, &outcome).await);
                    }
                    let answers = store.states.commit(batch).await.expect("the store is there");
                    let again =
                        open.into_iter().zip(&answers).filter(|(_, answer)| **answer == Answer::Conflict);
                    committed += answers.iter().filter(|answer| **answer == Answer::Committed).count();
                    open = again.map(|(spec, _)| spec).collect();
                    conflicts += open.len();
                }
            }
            (committed, conflicts)
        }
    };
    let node = |index: usize| judge(index as u64, stores[index].clone());
    let (a, b, c, d) = tokio::join!(node(0), node(1), node(2), node(3));
    assert_eq!([a, b, c, d].iter().map(|(committed, _)| committed).sum::<usize>(), 8 * 24);
    assert!([a, b, c, d].iter().any(|(_, conflicts)| *conflicts > 0), "they met each other");
    for spec in &specs {
        let (from, to, limit) = (Instant::ZERO, Instant::MAX, 999);
        let query = OutcomeQuery { monitor: spec.id, from, to, verdict: None, repeats: true, limit };
        assert_eq!(rig.store.outcomes.range(query).await.expect("the store is there").len(), 24);
        assert_eq!(rig.load(spec.id).await.observed.seq, 24);
    }
    database.stop(rig.store).await;
}

/// A reader that goes on from its cursor sees every edit once, in order, whoever edits meanwhile.
#[tokio::test]
async fn the_feed_leaves_nothing_out() {
    let database = database!();
    let stores = nodes(&database, 4).await;
    let edit = |node: usize| {
        let store = &stores[node];
        async move {
            for n in 0..15u128 {
                let name = format!("{node}-{n}");
                let kind = EditKind::Create {
                    uuid: bw_domain::id::Uuid::from_random(n << 8 | node as u128),
                    owner: None,
                    declared: Box::new(declaration(&document(&name))),
                    first_look: false,
                };
                let edits = vec![bw_domain::port::store::Edit { kind, consequence: None }];
                store.catalog.apply(edits).await.expect("the store is there").expect("it is new");
            }
        }
    };
    let read = async {
        let (mut cursor, mut seen) = (0, Vec::<MonitorId>::new());
        while seen.len() < 45 {
            let changes = stores[3].catalog.changes(cursor).await.expect("the store is there");
            assert!(changes.cursor >= cursor);
            cursor = changes.cursor;
            seen.extend(changes.revisions.iter().map(|revision| compiled(revision).id));
        }
        (cursor, seen)
    };
    let ((), (), (), (cursor, seen)) = tokio::join!(edit(0), edit(1), edit(2), read);
    assert_eq!((cursor, seen.len()), (45, 45));
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 45);
}

#[tokio::test]
async fn no_shard_and_no_chain_is_held_twice() {
    let database = database!();
    let stores = nodes(&database, 3).await;
    let term = Duration::from_secs(10);
    let hold = |node: usize| stores[node].leases.hold(NodeId(node as u128 + 1), term);
    for _ in 0..4 {
        let (a, b, c) = tokio::join!(hold(0), hold(1), hold(2));
        let held = [a, b, c].map(|held| held.expect("the store is there").0);
        let shards: Vec<u16> = held.iter().flatten().map(|held| held.shard).collect();
        assert_eq!(shards.iter().collect::<BTreeSet<_>>().len(), shards.len(), "{shards:?}");
    }
    let (a, b, c) = tokio::join!(hold(0), hold(1), hold(2));
    let counts = [a, b, c].map(|held| held.expect("the store is there").0.len());
    assert_eq!(counts.iter().sum::<usize>(), usize::from(SHARDS));
    assert!(counts.iter().all(|count| (20..=22).contains(count)), "{counts:?}");

    let kind = bw_domain::event::EventKind::MonitorChanged;
    let events: Vec<_> = (0..30).map(|n| event(n, kind, MonitorId(n as i64 + 1))).collect();
    stores[0].deliveries.raise(events.clone()).await.expect("the store is there");
    let routed = |event: &bw_domain::event::Event| {
        let to = bw_domain::action::ActionRef::MonitorWebhook(MonitorId(1));
        let deliveries = vec![bw_domain::delivery::Delivery::new(event, to)];
        Routed { event: event.id, deliveries, reasons: json!([]) }
    };
    // Two nodes route the same events at once.
    let all: Vec<Routed> = events.iter().map(routed).collect();
    let reversed: Vec<Routed> = all.iter().rev().cloned().collect();
    let (one, two) = tokio::join!(stores[0].deliveries.route(all), stores[1].deliveries.route(reversed));
    one.and(two).expect("the store is there");
    let now = events[0].at;
    let lease = |node: usize| stores[node].deliveries.lease(now, now + term, 12);
    let (a, b, c) = tokio::join!(lease(0), lease(1), lease(2));
    let leased: Vec<_> =
        [a, b, c].into_iter().flat_map(|leased| leased.expect("the store is there")).collect();
    let ids: BTreeSet<_> =
        leased.iter().flat_map(|out| &out.chain).map(|(delivery, _)| delivery.id).collect();
    assert_eq!((leased.len(), ids.len()), (30, 30));
}

/// Whatever a node's own clock shows, the store's is the database's.
#[tokio::test]
async fn all_nodes_have_the_clock_of_the_database() {
    let database = database!();
    let opened = bw_store::postgres::open(database.options()).await.expect("it is prepared");
    let shown = || {
        let text = database.sql("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint");
        Instant::from_ms(text.parse().expect("it is a number"))
    };
    let before = shown();
    let (held, now) =
        opened.store.leases.hold(NodeId(1), Duration::from_secs(10)).await.expect("it is there");
    let after = shown();
    let spare = Duration::from_millis(50);
    assert!(before - spare <= now && now <= after + spare, "{before} {now} {after}");
    assert_eq!(held[0].until, now + Duration::from_secs(10));
    assert_eq!(opened.clock.now(), now, "the clock of this test's process stands still");
    opened.handle.close().await;
}

/// However many calls there are, there are no more connections than were allowed; the listener has one of its own.
#[tokio::test]
async fn connections_are_bounded() {
    let database = database!();
    let options = bw_store::postgres::Options { pool: 3, ..database.options() };
    let opened = bw_store::postgres::open(options).await.expect("it is prepared");
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let store = opened.store.clone();
        calls.spawn(async move { store.timers.next().await });
    }
    while let Some(answer) = calls.join_next().await {
        answer.expect("it does not panic").expect("the store is there");
    }
    assert!(opened.handle.connections().0 <= 3);
    let seen = "SELECT count(*) <= 4 FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'bellwether'";
    assert_eq!(database.sql(seen), "t");
    opened.handle.close().await;
    let closed = opened.store.timers.next().await.expect_err("it is closed");
    assert!(closed.retry(), "{closed}");
}
