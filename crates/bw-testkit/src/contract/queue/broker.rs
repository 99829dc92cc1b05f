//! What a queue promises when it lies in another process: receivers that vanish, messages that are not ours, a
//! broker that is killed, and a road to it that is closed.

use super::{Subject, ack, drain, jobs, leases, monitors, publish, together, until};
use bw_domain::port::Fut;
use bw_domain::port::queue::{Lane, Queue};
use bw_domain::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A queue at a broker, and what a test can do to both.
pub struct Broker {
    pub subject: Subject,
    /// Another process with the same queue.
    pub another: Box<dyn Fn() -> Fut<'static, Arc<dyn Queue>>>,
    /// Puts a message that is no message of jobs into the planned lane.
    pub poison: Box<dyn Fn() -> Fut<'static, ()>>,
    /// Puts a job of another installation into the planned lane: the monitor 4711.
    pub foreign: Box<dyn Fn() -> Fut<'static, ()>>,
    /// How many messages could not be read, and how many were of another installation, as the subject counts.
    pub strangers: Box<dyn Fn() -> (u64, u64)>,
    /// Ends every connection of the subject, and refuses new ones.
    pub cut: Box<dyn Fn()>,
    /// Leaves its connections open, and lets nothing through.
    pub stall: Box<dyn Fn()>,
    /// Opens the road again.
    pub heal: Box<dyn Fn()>,
    /// Kills the broker and starts it again.
    pub restart: Box<dyn Fn() -> Fut<'static, ()>>,
    /// Whether what was published survives that.
    pub keeps: bool,
}

/// How long a call may take beyond the time it was given when nobody answers.
const BEYOND: Duration = Duration::from_secs(8);

/// The cases that one broker can serve at once; `make` answers a new queue.
pub async fn suite(make: impl AsyncFn() -> Broker) {
    tokio::join!(
        async { a_receiver_that_is_gone_loses_nothing(make().await).await },
        async { poison_stops_nobody(make().await).await },
        async { what_is_not_ours_is_left(make().await).await },
        async { a_road_that_is_cut(make().await).await },
        async { a_road_on_which_nothing_passes(make().await).await },
    );
}

async fn a_receiver_that_is_gone_loses_nothing(broker: Broker) {
    let subject = &broker.subject;
    publish(subject, Lane::Planned, together(0..50)).await;
    publish(subject, Lane::Now, together(50..60)).await;
    let other = (broker.another)().await;
    let mut died_with = Vec::new();
    while died_with.len() < 25 {
        died_with.extend(other.receive(25, subject.settle).await.expect("the queue is there"));
    }
    assert!(died_with.iter().any(|leased| leased.job.monitor.0 >= 50), "the urgent ones first");
    other.ack(leases(&died_with[..10])).await.expect("the queue is there");
    let acknowledged = monitors(&died_with[..10]);
    drop(other);
    let wanted = &(0..60).collect() - &acknowledged;
    ack(subject, &until(subject, &wanted).await).await;
}

async fn poison_stops_nobody(broker: Broker) {
    let subject = &broker.subject;
    publish(subject, Lane::Planned, jobs(0..3)).await;
    (broker.poison)().await;
    (broker.poison)().await;
    publish(subject, Lane::Planned, jobs(3..6)).await;
    let received = until(subject, &(0..6).collect()).await;
    assert_eq!(received.len(), 6);
    ack(subject, &received).await;
    assert!(drain(subject).await.is_empty());
    let (unreadable, foreign) = (broker.strangers)();
    assert!(unreadable >= 2 && foreign == 0, "both are counted: {unreadable}");
}

async fn what_is_not_ours_is_left(broker: Broker) {
    let subject = &broker.subject;
    (broker.foreign)().await;
    publish(subject, Lane::Planned, jobs(0..3)).await;
    let received = until(subject, &(0..3).collect()).await;
    assert_eq!(monitors(&received), BTreeSet::from([0, 1, 2]));
    ack(subject, &received).await;
    assert!(drain(subject).await.is_empty());
    let (unreadable, foreign) = (broker.strangers)();
    assert!(unreadable == 0 && foreign >= 1, "it is counted: {foreign}");
}

async fn a_road_that_is_cut(broker: Broker) {
    publish(&broker.subject, Lane::Planned, jobs(0..3)).await;
    (broker.cut)();
    nothing_hangs(&broker).await;
    (broker.heal)();
    goes_on(&broker.subject, 0..3).await;
}

async fn a_road_on_which_nothing_passes(broker: Broker) {
    publish(&broker.subject, Lane::Planned, jobs(0..3)).await;
    (broker.stall)();
    nothing_hangs(&broker).await;
    (broker.heal)();
    goes_on(&broker.subject, 0..3).await;
}

/// Nobody answers: every call ends in time, and none says that something was done.
async fn nothing_hangs(broker: &Broker) {
    let (subject, wait) = (&broker.subject, Duration::from_millis(200));
    for _ in 0..3 {
        let receiving = tokio::time::timeout(wait + BEYOND, subject.queue.receive(9, wait));
        let received = receiving.await.expect("receiving ends soon after its time");
        assert!(received.is_err() || received.is_ok_and(|jobs| jobs.is_empty()), "nothing can come");
    }
    let publishing = tokio::time::timeout(BEYOND, subject.queue.publish(Lane::Now, jobs(50..51)));
    let (published, ()) = tokio::join!(publishing, depth_is_not_known(subject));
    let published = published.expect("publishing ends in time");
    assert!(published.is_err_and(|error| error.retry()), "nobody can have taken it");
}

/// What was heard a moment ago serves for a second, and no longer.
async fn depth_is_not_known(subject: &Subject) {
    for _ in 0..40 {
        let depth = tokio::time::timeout(BEYOND, subject.queue.depth()).await.expect("it ends in time");
        if depth.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody can have told how many jobs wait");
}

/// The broker is there again, with or without us having noticed: what waited comes, and what is new.
async fn goes_on(subject: &Subject, waited: std::ops::Range<i64>) {
    let mut looks = 0;
    while let Err(error) = subject.queue.publish(Lane::Planned, jobs(70..72)).await {
        looks += 1;
        assert!(looks < 200, "it does not come back: {error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let wanted: BTreeSet<i64> = waited.chain(70..72).collect();
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        let received = subject.queue.receive(9, subject.settle).await.unwrap_or_default();
        seen.extend(monitors(&received));
        if wanted.is_subset(&seen) {
            return;
        }
    }
    panic!("{wanted:?} should have come, and {seen:?} did");
}

/// The broker is killed with jobs that wait and jobs that are leased. It needs a broker of its own.
pub async fn a_broker_that_is_killed(broker: Broker) {
    let subject = &broker.subject;
    publish(subject, Lane::Planned, jobs(0..20)).await;
    let held = subject.queue.receive(5, subject.settle).await.expect("the queue is there");
    assert!(!held.is_empty());
    (broker.restart)().await;
    goes_on(subject, if broker.keeps { 0..20 } else { 0..0 }).await;
}

/// Many jobs, two receivers, and nothing goes wrong: each comes out exactly once. The subject has the product's
/// bound, and a lease longer than the case.
pub async fn ten_thousand_come_out_once(broker: Broker) {
    const ALL: i64 = 10_000;
    let other = (broker.another)().await;
    let subject = &broker.subject;
    for first in (0..ALL).step_by(2_500) {
        publish(subject, Lane::Planned, together(first..first + 2_500)).await;
    }
    let take = async |queue: &Arc<dyn Queue>| {
        let mut mine = Vec::new();
        loop {
            let batch = queue.receive(500, subject.settle).await.expect("the queue is there");
            if batch.is_empty() {
                return mine;
            }
            queue.ack(leases(&batch)).await.expect("the queue is there");
            mine.extend(batch.into_iter().map(|leased| leased.job.monitor.0));
        }
    };
    let (mine, others) = tokio::join!(take(&subject.queue), take(&other));
    assert!(!mine.is_empty() && !others.is_empty(), "both had a share: {} and {}", mine.len(), others.len());
    let mut all = [mine, others].concat();
    all.sort_unstable();
    assert_eq!(
        all.len(),
        usize::try_from(ALL).expect("it is positive"),
        "none is missing and none came twice"
    );
    assert!(all.into_iter().eq(0..ALL));
}
