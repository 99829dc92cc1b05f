//! Kills under load: whatever was answered is there afterwards, whatever was under way may be, and nothing else is.

use crate::installation::Installation;
use crate::node::Node;
use crate::raw::Raw;
use bw_testkit::dice::Dice;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Senders at once, and the heartbeats of each: so many that no rate of one is reached.
const SENDERS: usize = 8;
const EACH: usize = 25;
const KILLS: usize = 3;
/// A life under load is at most so long.
const LIFE_MS: u64 = 1_200;
/// `BELLWETHER_TEST_SEED` repeats the kills of a run.
const SEED: &str = "BELLWETHER_TEST_SEED";

/// By heartbeat: beats that were answered, and beats that were sent and not answered.
type Counts = BTreeMap<String, (u64, u64)>;

#[tokio::test(flavor = "multi_thread")]
async fn no_answered_beat_is_lost() {
    let seed = seed();
    println!("{SEED}={seed}");
    let dice = Dice::new(seed);
    let mut file = String::from("monitors:\n");
    for n in 0..SENDERS * EACH {
        writeln!(file, "  - {{ name: job{n}, heartbeat: {{ every: 1h }} }}")
            .expect("a string takes everything");
    }
    let installation = Installation::new().file(&file);
    let mut node = installation.start().await;
    let uuids: Vec<String> = node
        .items("/api/v1/monitors?limit=10000")
        .await
        .iter()
        .map(|monitor| monitor["uuid"].as_str().expect("an address").to_owned())
        .collect();
    assert_eq!(uuids.len(), SENDERS * EACH);
    let mut counts = Counts::new();
    for _ in 0..KILLS {
        let life = Duration::from_millis(200 + dice.throw() % LIFE_MS);
        node = killed_under_load(&installation, node, (&uuids, life), &mut counts).await;
        let answered = all_are_there(&node, &counts).await;
        println!("killed after {life:?}: {answered} answered so far");
        assert!(answered > 0, "nothing was under load");
    }
    let every_beat: u64 = counts.values().map(|(answered, _)| answered).sum();
    let listed = node.items(format!("/api/v1/beats?limit={}", every_beat.min(1_000))).await;
    assert!(!listed.is_empty());
    assert_eq!(node.incidents().await, Vec::<Value>::new());
    node.stop().await;
}

/// Sends with all senders at once, kills it in the middle, and starts the next.
async fn killed_under_load(
    installation: &Installation,
    node: Node,
    (uuids, life): (&[String], Duration),
    counts: &mut Counts,
) -> Node {
    let mut senders = JoinSet::new();
    let first = Arc::new(Notify::new());
    let url = node.http().url();
    for mine in uuids.chunks(EACH) {
        senders.spawn(send(url.clone(), mine.to_vec(), first.clone()));
    }
    first.notified().await;
    // Not a wait for anything: chance says when it dies.
    tokio::time::sleep(life).await;
    node.kill().await;
    for (uuid, answered, lost) in senders.join_all().await.into_iter().flatten() {
        let count = counts.entry(uuid).or_default();
        count.0 += answered;
        count.1 += lost;
    }
    installation.start().await
}

/// Beats one heartbeat after the other until nobody answers.
async fn send(url: String, mine: Vec<String>, first: Arc<Notify>) -> Vec<(String, u64, u64)> {
    let mut counts: Vec<(String, u64, u64)> = mine.into_iter().map(|uuid| (uuid, 0, 0)).collect();
    let Ok(mut raw) = Raw::to(&url).await else { return counts };
    for n in 0.. {
        let at = n % counts.len();
        let (uuid, answered, lost) = &mut counts[at];
        match raw.get(&format!("/ping/{uuid}")).await {
            Ok(told) => {
                assert_eq!((told.status, told.body.as_str()), (200, "OK"), "{}", told.head);
                *answered += 1;
                first.notify_one();
            }
            Err(_) => {
                *lost += 1;
                break;
            }
        }
    }
    counts
}

/// Each heartbeat has what was answered, and at most what was sent; answers how many were answered.
async fn all_are_there(node: &Node, counts: &Counts) -> u64 {
    let monitors = node.items("/api/v1/monitors?limit=10000").await;
    for monitor in &monitors {
        let uuid = monitor["uuid"].as_str().expect("an address");
        let (answered, lost) = counts.get(uuid).copied().unwrap_or_default();
        let counted = monitor["beats"]["count"].as_u64().expect("a heartbeat counts its beats");
        assert!(
            (answered..=answered + lost).contains(&counted),
            "{uuid}: {counted} counted of {answered} answered and {lost} lost"
        );
        let path = format!("/api/v1/monitors/{}/beats?limit=1000", monitor["id"]);
        let numbers: Vec<u64> =
            node.items(path).await.iter().filter_map(|beat| beat["number"].as_u64()).collect();
        let expected: Vec<u64> = (1..=counted).rev().take(1_000).collect();
        assert_eq!(numbers, expected, "{uuid}: each is kept once, none is missing between them");
    }
    counts.values().map(|(answered, _)| answered).sum()
}

/// Another one in each run, unless one is given.
fn seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a test run is repeated by a variable")]
    let given = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| RandomState::new().hash_one(0))
}
