//! `Leases`: who plans which shards.

use super::Installation;
use super::rig::Rig;
use bw_domain::limits::SHARDS;
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{Held, NodeId};
use bw_domain::time::Duration;

fn shards(held: &[Held]) -> Vec<u16> {
    held.iter().map(|held| held.shard).collect()
}

pub async fn one_node_takes_all(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (term, now) = (Duration::from_secs(10), rig.clock().now());
    let (held, clock) = rig.store.leases.hold(NodeId(1), term).await.expect("the store is there");
    assert_eq!(clock, now);
    assert_eq!(shards(&held), (0..SHARDS).collect::<Vec<_>>());
    assert!(held.iter().all(|held| held.until == now + term));
    rig.clock().advance(Duration::from_secs(3));
    let again = rig.hold(1).await;
    assert!(again.iter().zip(&held).all(|(again, held)| again.epoch == held.epoch));
    assert!(again.iter().all(|held| held.until == rig.clock().now() + term));
}

pub async fn nodes_share(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    assert_eq!(rig.hold(1).await.len(), usize::from(SHARDS));
    // Whoever comes later gets what the first lets go of.
    assert!(rig.hold(2).await.is_empty());
    let half = usize::from(SHARDS) / 2;
    let (first, second) = (rig.hold(1).await, rig.hold(2).await);
    assert_eq!((first.len(), second.len()), (half, half));
    assert!(shards(&first).iter().all(|shard| !shards(&second).contains(shard)));
    // One that is silent for its term loses what it had.
    rig.clock().advance(Duration::from_secs(6));
    rig.hold(2).await;
    rig.clock().advance(Duration::from_secs(6));
    assert_eq!(rig.hold(2).await.len(), usize::from(SHARDS));
    // One that releases is not waited for.
    rig.store.leases.release(NodeId(2)).await.expect("the store is there");
    assert_eq!(rig.hold(3).await.len(), usize::from(SHARDS));
}

pub async fn epochs_grow_with_every_change(at: &dyn Installation) {
    let mut rig = Rig::start(at).await;
    let mut last = 0;
    for node in 1..6 {
        let held = rig.hold(node).await;
        assert_eq!(held.len(), usize::from(SHARDS));
        assert!(held[9].epoch > last, "{} after {last}", held[9].epoch);
        last = held[9].epoch;
        rig.store.leases.release(NodeId(node)).await.expect("the store is there");
        rig = if node % 2 == 0 { rig.kill().await } else { rig.stop().await };
    }
}

pub async fn the_shards_of_a_process_that_died_are_free_in_time(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let term = Duration::from_secs(10);
    let before = rig.hold(1).await[9].epoch;
    let rig = rig.kill().await;
    if at.is_shared() {
        // It may live and plan: until its term ends nobody else does.
        assert!(rig.hold(2).await.is_empty());
        rig.clock().advance(term);
    }
    let held = rig.hold(2).await;
    assert_eq!(shards(&held), (0..SHARDS).collect::<Vec<_>>());
    assert!(held[9].epoch > before);
}
