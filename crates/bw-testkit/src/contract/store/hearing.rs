//! `Beats`, the part about hearing: how far the beats of every node are in, and when nobody could hear.

use super::Installation;
use super::rig::Rig;
use bw_domain::beat::Deaf;
use bw_domain::limits::{DEAF_MIN, HEARING_LEASE};
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{Hearing, NodeId};
use bw_domain::time::{Duration, Instant};

/// What a process that died may not have kept of how far it was: the clock is held so much longer, never shorter.
const UNSAID: Duration = Duration::from_millis(2_250);

async fn begin(rig: &Rig<'_>, node: u128) -> Option<Deaf> {
    let now = rig.clock().now();
    rig.store.beats.begin_hearing(NodeId(node), now).await.expect("the store is there")
}

async fn hear(rig: &Rig<'_>, node: u128, until: Instant) {
    tell(rig, Hearing { node: NodeId(node), until, deaf: None }).await;
}

async fn tell(rig: &Rig<'_>, hearing: Hearing) {
    rig.store.beats.hear(hearing).await.expect("the store is there");
}

async fn end(rig: &Rig<'_>, node: u128) {
    rig.store.beats.end_hearing(NodeId(node)).await.expect("the store is there");
}

async fn heard(rig: &Rig<'_>) -> Option<Instant> {
    rig.store.beats.heard_until().await.expect("the store is there")
}

async fn deaf(rig: &Rig<'_>) -> Vec<Deaf> {
    rig.store.beats.deaf().await.expect("the store is there")
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub async fn time_in_which_nobody_heard_is_deaf(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let start = rig.clock().now();
    assert_eq!(heard(&rig).await, None);
    assert_eq!(begin(&rig, 1).await, None, "before the first nobody was expected to hear");
    assert_eq!(heard(&rig).await, Some(start));
    assert!(deaf(&rig).await.is_empty());

    // It ends in order, and the next comes a minute later.
    hear(&rig, 1, start + seconds(5)).await;
    end(&rig, 1).await;
    assert_eq!(heard(&rig).await, None);
    let rig = rig.stop().await;
    rig.clock().advance(seconds(60));
    let stopped = Deaf { from: start + seconds(5), to: start + seconds(60) };
    assert_eq!(begin(&rig, 2).await, Some(stopped));
    assert_eq!((deaf(&rig).await, heard(&rig).await), (vec![stopped], Some(stopped.to)));

    // It dies after it has heard for ten seconds, and the next comes when nobody waits for it any more.
    for _ in 0..40 {
        rig.clock().advance(Duration::from_millis(250));
        hear(&rig, 2, rig.clock().now()).await;
    }
    let rig = rig.kill().await;
    rig.clock().advance(HEARING_LEASE);
    let killed = begin(&rig, 3).await.expect("nobody heard");
    let until = start + seconds(70);
    assert!(killed.from <= until && killed.from >= until - UNSAID, "{killed:?}, {until}");
    assert_eq!(killed.to, rig.clock().now());
    assert_eq!(deaf(&rig).await, [stopped, killed]);
    // A second one comes while the first hears.
    hear(&rig, 3, rig.clock().now()).await;
    rig.clock().advance(seconds(5));
    assert_eq!(begin(&rig, 4).await, None);
    let rig = rig.kill().await;
    assert_eq!(deaf(&rig).await, [stopped, killed]);
}

pub async fn what_is_heard_is_the_least_of_all(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let start = rig.clock().now();
    begin(&rig, 1).await;
    rig.clock().advance(seconds(2));
    begin(&rig, 2).await;
    assert_eq!(heard(&rig).await, Some(start));
    hear(&rig, 1, start + seconds(4)).await;
    assert_eq!(heard(&rig).await, Some(start + seconds(2)));
    hear(&rig, 2, start + seconds(3)).await;
    assert_eq!(heard(&rig).await, Some(start + seconds(3)));
    // What was heard stays heard.
    hear(&rig, 2, start + seconds(1)).await;
    assert_eq!(heard(&rig).await, Some(start + seconds(3)));
    end(&rig, 2).await;
    assert_eq!(heard(&rig).await, Some(start + seconds(4)));
    end(&rig, 2).await;
    end(&rig, 1).await;
    assert_eq!(heard(&rig).await, None);
    // The furthest that any has said counts for who comes next.
    rig.clock().advance(seconds(8));
    assert_eq!(begin(&rig, 2).await, Some(Deaf { from: start + seconds(4), to: start + seconds(10) }));
}

pub async fn a_node_that_is_silent_is_not_waited_for(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let start = rig.clock().now();
    begin(&rig, 1).await;
    begin(&rig, 2).await;
    rig.clock().advance(seconds(6));
    hear(&rig, 2, start + seconds(6)).await;
    assert_eq!(heard(&rig).await, Some(start), "it may still have something to say");
    rig.clock().advance(HEARING_LEASE - seconds(6));
    assert_eq!(heard(&rig).await, Some(start + seconds(6)));
    // It was only slow, and hears again.
    hear(&rig, 1, start + seconds(5)).await;
    assert_eq!(heard(&rig).await, Some(start + seconds(5)));
    // A node that never began hears by saying so.
    hear(&rig, 3, start + seconds(4)).await;
    assert_eq!(heard(&rig).await, Some(start + seconds(4)));
    rig.clock().advance(HEARING_LEASE);
    assert_eq!(heard(&rig).await, None);
}

pub async fn deafness_is_told_with_what_is_heard(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let start = rig.clock().now();
    begin(&rig, 1).await;
    let stalled = Deaf { from: start + seconds(1), to: start + seconds(7) };
    rig.clock().advance(seconds(7));
    tell(&rig, Hearing { node: NodeId(1), until: stalled.to, deaf: Some(stalled) }).await;
    assert_eq!((deaf(&rig).await, heard(&rig).await), (vec![stalled], Some(stalled.to)));
    // They are told in the order of their beginning, whoever tells them first.
    let earlier = Deaf { from: start - seconds(9), to: start - seconds(2) };
    tell(&rig, Hearing { node: NodeId(2), until: start + seconds(7), deaf: Some(earlier) }).await;
    let rig = rig.kill().await;
    assert_eq!(deaf(&rig).await, [earlier, stalled]);
}

pub async fn a_short_silence_is_nobodys_fault(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    begin(&rig, 1).await;
    end(&rig, 1).await;
    let short = DEAF_MIN - Duration::from_millis(1);
    rig.clock().advance(short);
    assert_eq!(begin(&rig, 2).await, None);
    end(&rig, 2).await;
    rig.clock().advance(DEAF_MIN);
    assert!(begin(&rig, 3).await.is_some());
    assert_eq!(deaf(&rig).await.len(), 1);
}
