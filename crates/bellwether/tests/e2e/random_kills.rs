//! Kills at any instant: whatever was under way, at most one incident is open, no message is lost, and a target that
//! was well all the time was never DOWN.

use crate::eventually::{PATIENCE, eventually};
use crate::message::messages_of;
use crate::walk::Walk;
use bw_testkit::dice::Dice;
use bw_testkit::server::Answer;
use serde_json::{Value, json};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Kills in each of the three parts: well, broken, well again.
const KILLS: usize = 2;
/// Lives are at most so long: a slot, its repeat, and what follows from both fall into them.
const LIFE_MS: u64 = 1_500;
/// `BELLWETHER_TEST_SEED` repeats the kills of a run.
const SEED: &str = "BELLWETHER_TEST_SEED";

#[tokio::test]
async fn kills_at_any_instant() {
    let seed = seed();
    println!("{SEED}={seed}");
    let dice = Dice::new(seed);
    let mut walk = Walk::begin().await;
    // A sink that takes its time, so that kills fall between its first and its last byte, too.
    walk.sink.answer_always(Answer::ok("ok").trickle(Duration::from_millis(5)));

    killed_again_and_again(&mut walk, &dice).await;
    walk.nothing_was_said_of_it().await;

    walk.break_target();
    killed_again_and_again(&mut walk, &dice).await;
    walk.down(PATIENCE).await;
    walk.one_open_incident().await;

    walk.mend_target().await;
    killed_again_and_again(&mut walk, &dice).await;
    walk.node().until(walk.id, "UP", PATIENCE).await;
    let incidents = walk.node().incidents().await;
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    assert_ne!(incidents[0]["closed_at"], Value::Null);
    nothing_is_lost(&walk).await;
}

/// Lets the process live for a while and kills it, several times.
async fn killed_again_and_again(walk: &mut Walk, dice: &Dice) {
    for _ in 0..KILLS {
        // Not a wait for anything: chance says when it dies.
        tokio::time::sleep(Duration::from_millis(dice.throw() % LIFE_MS)).await;
        walk.kill_and_start().await;
        let known = walk.node().incidents().await;
        let open = known.iter().filter(|incident| incident["closed_at"].is_null()).count();
        assert!(open <= 1, "{known:?}");
    }
}

/// Every delivery reached the sink, or was told with a later one that did.
async fn nothing_is_lost(walk: &Walk) {
    walk.sent("UP").await;
    let deliveries = eventually("nothing waits", PATIENCE, async || {
        let deliveries = walk.node().deliveries().await;
        match deliveries.iter().any(|delivery| delivery["state"] == "waiting") {
            true => Err(json!(deliveries)),
            false => Ok(deliveries),
        }
    })
    .await;
    let received = walk.sink.received();
    for delivery in &deliveries {
        let merged = delivery["reason"].as_str().is_some_and(|reason| reason.starts_with("merged into "));
        let seen = !messages_of(&received, delivery).is_empty();
        assert!(seen && delivery["state"] == "sent" || merged, "{delivery}");
    }
    assert_eq!(deliveries.len(), 2, "one change to DOWN and one to UP: {deliveries:?}");
}

/// Another one in each run, unless one is given.
fn seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a test run is repeated by a variable")]
    let given = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| RandomState::new().hash_one(0))
}
