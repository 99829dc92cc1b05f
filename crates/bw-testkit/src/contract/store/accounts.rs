//! `Accounts`: up to where slots are planned and accounted for.

use super::Installation;
use super::rig::{Rig, document, slot};
use crate::builders::{job, pass};
use bw_domain::id::MonitorId;
use bw_domain::limits::SHARDS;
use bw_domain::outcome::Code;
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{Answer, Gap, NodeId, Watermark, Watermarks};
use bw_domain::schedule::shard_of;
use bw_domain::time::{Duration, Instant};

async fn marks(rig: &Rig<'_>, shard: u16) -> Watermarks {
    let marks = rig.store.accounts.watermarks(vec![shard]).await.expect("the store is there");
    marks[0]
}

async fn advance(rig: &Rig<'_>, epoch: u64, which: Watermark, to: Instant) -> bool {
    rig.store.accounts.advance(vec![(5, epoch, which, to)]).await.expect("the store is there")[0]
}

fn seconds(rig: &Rig<'_>, seconds: u64) -> Instant {
    rig.clock().now() + Duration::from_secs(seconds)
}

pub async fn marks_begin_at_the_first_start(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let first = rig.clock().now();
    rig.clock().advance(Duration::from_secs(86_400));
    let rig = rig.stop().await;
    let all = rig.store.accounts.watermarks((0..SHARDS).collect()).await.expect("the store is there");
    for (shard, marks) in (0..).zip(all) {
        assert_eq!(marks, Watermarks { shard, published: first, accounted: first });
    }
    assert!(rig.store.accounts.watermarks(vec![SHARDS]).await.is_err());
}

pub async fn marks_move_forward_only(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let epoch = rig.hold(1).await[5].epoch;
    let start = rig.clock().now();
    assert!(advance(&rig, epoch, Watermark::Published, seconds(&rig, 20)).await);
    assert!(advance(&rig, epoch, Watermark::Accounted, seconds(&rig, 10)).await);
    assert!(advance(&rig, epoch, Watermark::Published, seconds(&rig, 5)).await);
    let (published, accounted) = (seconds(&rig, 20), seconds(&rig, 10));
    assert_eq!(marks(&rig, 5).await, Watermarks { shard: 5, published, accounted });
    assert_eq!(marks(&rig, 6).await.published, start);
    let rig = rig.kill().await;
    assert_eq!(marks(&rig, 5).await, Watermarks { shard: 5, published, accounted });
}

pub async fn a_lost_shard_moves_nothing(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let (start, epoch) = (rig.clock().now(), rig.hold(1).await[5].epoch);
    rig.store.leases.release(NodeId(1)).await.expect("the store is there");
    rig.hold(2).await;
    assert!(!advance(&rig, epoch, Watermark::Published, seconds(&rig, 20)).await);
    let gap = Gap { shard: 5, from: start, to: seconds(&rig, 60), code: Code::SELF_MISSED };
    assert_eq!(rig.store.accounts.gap(vec![(epoch, gap)]).await.expect("the store is there"), [false]);
    assert_eq!(marks(&rig, 5).await, Watermarks { shard: 5, published: start, accounted: start });
    let gaps = rig.store.outcomes.gaps(MonitorId(5), Instant::ZERO, Instant::MAX).await;
    assert!(gaps.expect("the store is there").is_empty());
}

pub async fn a_gap_accounts_for_its_slots(at: &dyn Installation) {
    let rig = Rig::start(at).await;
    let spec = rig.create(&document("Shop")).await;
    let shard = shard_of(spec.id);
    let epoch = rig.hold(1).await[usize::from(shard)].epoch;
    rig.see(&spec, &pass(job(&spec, slot(&spec, 0)))).await;
    let gap =
        |from: u32, to: u32, code| (epoch, Gap { shard, from: slot(&spec, from), to: slot(&spec, to), code });
    let gaps = vec![
        gap(0, 4, Code::SELF_MISSED),
        gap(4, 6, Code::SELF_MISSED),
        gap(6, 7, Code::SELF_OVERLOADED),
        gap(9, 10, Code::SELF_OVERLOADED),
    ];
    let answers = rig.store.accounts.gap(gaps).await.expect("the store is there");
    assert_eq!(answers, [true; 4]);
    let end = slot(&spec, 10);
    assert_eq!(marks(&rig, shard).await, Watermarks { shard, published: end, accounted: end });
    // Whatever comes for such a slot now comes too late.
    for n in [0, 3, 4, 10] {
        let outcome = pass(job(&spec, slot(&spec, n)));
        assert_eq!(rig.judge(&spec, &outcome).await, Answer::Duplicate, "slot {n}");
    }
    rig.see(&spec, &pass(job(&spec, slot(&spec, 11)))).await;

    let rig = rig.kill().await;
    let stored = |from: u32, to: u32| rig.store.outcomes.gaps(spec.id, slot(&spec, from), slot(&spec, to));
    let all = stored(0, 99).await.expect("the store is there");
    let expected =
        [gap(0, 6, Code::SELF_MISSED), gap(6, 7, Code::SELF_OVERLOADED), gap(9, 10, Code::SELF_OVERLOADED)];
    assert_eq!(all, expected.map(|(_, gap)| gap), "gaps that touch are one");
    assert_eq!(stored(8, 9).await.expect("the store is there"), []);
    assert_eq!(stored(6, 7).await.expect("the store is there").len(), 2);
}
