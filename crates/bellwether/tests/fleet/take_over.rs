//! Shards go to whoever lives: killed, frozen and come back, stopped in order. And who cannot work says so.

use crate::eventually::{PATIENCE, eventually};
use crate::fleet::Fleet;
use crate::node::Node;
use rustix::process::Signal;
use std::time::Duration;

const SHARDS: f64 = 64.0;
/// A lease of ten seconds, and a look at who is there each three.
const TAKEN_WITHIN: Duration = Duration::from_secs(20);
/// Thirty seconds without the store, and the time in which calls fail.
const NOT_READY_WITHIN: Duration = Duration::from_secs(50);

async fn owned(node: &Node) -> f64 {
    node.metric("bellwether_shards_owned").await
}

async fn owns(node: &Node, shards: f64, within: Duration) {
    eventually(&format!("it has {shards} shards"), within, async || {
        let has = owned(node).await;
        if has == shards { Ok(()) } else { Err(has) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_that_dies_or_hangs_is_replaced() {
    let fleet = Fleet::with_nats().await;
    let first = fleet.start("scheduler").await;
    owns(&first, SHARDS, PATIENCE).await;
    let second = fleet.start("scheduler").await;
    owns(&second, SHARDS / 2.0, PATIENCE).await;
    owns(&first, SHARDS / 2.0, PATIENCE).await;

    first.kill().await;
    owns(&second, SHARDS, TAKEN_WITHIN).await;

    let third = fleet.start("scheduler").await;
    owns(&third, SHARDS / 2.0, PATIENCE).await;
    second.signal(Signal::STOP);
    owns(&third, SHARDS, TAKEN_WITHIN).await;
    second.signal(Signal::CONT);
    owns(&second, SHARDS / 2.0, PATIENCE).await;

    // Who ends in order gives everything back at once.
    second.stop().await;
    owns(&third, SHARDS, PATIENCE).await;
    third.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_nobody_is_ready_and_afterwards_all_are() {
    let fleet = Fleet::with_nats().await;
    let nodes = [fleet.start("api").await, fleet.start("scheduler").await, fleet.start("worker").await];
    let ready = async |node: &Node| node.http().get("/-/ready").await.status;
    for node in &nodes {
        assert_eq!(ready(node).await, 200);
    }
    fleet.postgres.kill();
    for node in &nodes {
        eventually("it is not ready", NOT_READY_WITHIN, async || match ready(node).await {
            503 => Ok(()),
            other => Err(other),
        })
        .await;
        assert_eq!(node.http().get("/-/healthy").await.status, 200, "its loops go on");
    }
    fleet.postgres.restart();
    for node in &nodes {
        eventually("it is ready again", TAKEN_WITHIN, async || match ready(node).await {
            200 => Ok(()),
            other => Err(other),
        })
        .await;
    }
}
