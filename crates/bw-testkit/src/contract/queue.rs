//! What every queue promises: nothing that was published is lost, nothing that was acknowledged comes again, all of
//! a batch is taken or none, and the urgent lane goes first. Everything else (order, single delivery) it does not
//! promise, and nobody may rely on it.

use bw_domain::id::MonitorId;
use bw_domain::job::Job;
use bw_domain::limits::JOB_LEASE;
use bw_domain::monitor::Vantage;
use bw_domain::port::queue::{Lane, Lease, Leased, Queue, QueueError};
use bw_domain::time::{Duration, Instant};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An empty queue under test.
pub struct Subject {
    pub queue: Arc<dyn Queue>,
    /// How many jobs one lane takes.
    pub bound: usize,
    /// Lets time pass for the queue.
    pub pass: Box<dyn Fn(Duration)>,
}

/// The whole suite; each case begins with an empty queue.
pub async fn suite(make: impl Fn() -> Subject) {
    nothing_acknowledged_comes_again(make()).await;
    a_receiver_that_dies_loses_nothing(make()).await;
    each_message_twice(make()).await;
    the_urgent_lane_goes_first(make()).await;
    all_of_a_batch_or_none(make()).await;
    released_jobs_come_back_after_their_time(make()).await;
    an_extended_lease_lasts_another_term(make()).await;
    a_lease_is_bytes_and_old_ones_do_no_harm(make()).await;
    depth_tells_what_waits(make()).await;
    a_waiting_receiver_is_woken(make()).await;
}

fn job(number: i64) -> Job {
    let slot = Instant::from_ms(1_795_262_400_000 + number * 1_000);
    Job {
        monitor: MonitorId(number),
        revision: 3,
        vantage: Vantage::default(),
        slot,
        r#try: 2,
        start: slot + Duration::from_secs(5),
        not_after: slot + Duration::from_secs(15),
    }
}

fn jobs(numbers: std::ops::Range<i64>) -> Vec<Job> {
    numbers.map(job).collect()
}

async fn publish(subject: &Subject, lane: Lane, jobs: Vec<Job>) {
    subject.queue.publish(lane, jobs).await.expect("there is room");
}

/// Everything that can be received now.
async fn drain(subject: &Subject) -> Vec<Leased> {
    let mut all = Vec::new();
    loop {
        let batch = subject.queue.receive(7, Duration::ZERO).await.expect("the queue is there");
        if batch.is_empty() {
            return all;
        }
        assert!(batch.len() <= 7, "more than was asked for");
        all.extend(batch);
    }
}

fn leases(received: &[Leased]) -> Vec<Lease> {
    received.iter().map(|leased| leased.lease.clone()).collect()
}

fn monitors(received: &[Leased]) -> BTreeSet<i64> {
    received.iter().map(|leased| leased.job.monitor.0).collect()
}

async fn nothing_acknowledged_comes_again(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..20)).await;
    let received = drain(&subject).await;
    let mut same: Vec<Job> = received.iter().map(|leased| leased.job).collect();
    same.sort_unstable();
    assert_eq!(same, jobs(0..20), "what is received is what was published");
    subject.queue.ack(leases(&received)).await.expect("the queue is there");
    (subject.pass)(JOB_LEASE * 2);
    assert!(drain(&subject).await.is_empty());
}

async fn a_receiver_that_dies_loses_nothing(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..9)).await;
    publish(&subject, Lane::Now, jobs(9..10)).await;
    let received = drain(&subject).await;
    subject.queue.ack(leases(&received[..4])).await.expect("the queue is there");
    let died_with = monitors(&received[4..]);
    drop(received);
    (subject.pass)(JOB_LEASE / 2);
    assert!(drain(&subject).await.is_empty(), "while the lease lasts nobody else has it");
    (subject.pass)(JOB_LEASE);
    assert_eq!(monitors(&drain(&subject).await), died_with);
}

async fn each_message_twice(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..3)).await;
    publish(&subject, Lane::Planned, jobs(0..3)).await;
    let received = drain(&subject).await;
    assert_eq!(monitors(&received), BTreeSet::from([0, 1, 2]));
    let distinct: BTreeSet<_> = leases(&received).into_iter().collect();
    assert_eq!(distinct.len(), received.len(), "each delivery has a lease of its own");
    subject.queue.ack(leases(&received)).await.expect("the queue is there");
    (subject.pass)(JOB_LEASE * 2);
    assert!(drain(&subject).await.is_empty());
}

async fn the_urgent_lane_goes_first(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..30)).await;
    publish(&subject, Lane::Now, jobs(100..103)).await;
    let first = subject.queue.receive(3, Duration::ZERO).await.expect("the queue is there");
    assert_eq!(monitors(&first), BTreeSet::from([100, 101, 102]));
}

async fn all_of_a_batch_or_none(subject: Subject) {
    let bound = subject.bound as i64;
    publish(&subject, Lane::Planned, jobs(0..bound - 2)).await;
    let refused = subject.queue.publish(Lane::Planned, jobs(bound..bound + 3)).await;
    assert!(matches!(refused, Err(QueueError::Full(_))), "{refused:?}");
    assert!(refused.is_err_and(|error| error.retry()));
    publish(&subject, Lane::Now, jobs(-1..0)).await;
    publish(&subject, Lane::Planned, jobs(bound - 2..bound)).await;
    let received = drain(&subject).await;
    assert_eq!(monitors(&received), (-1..bound).collect(), "nothing of the refused batch was taken");
}

async fn released_jobs_come_back_after_their_time(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..2)).await;
    let received = drain(&subject).await;
    let (first, second) = (leases(&received[..1]), leases(&received[1..]));
    subject.queue.release(first, Duration::ZERO).await.expect("the queue is there");
    subject.queue.release(second, Duration::from_secs(10)).await.expect("the queue is there");
    assert_eq!(monitors(&drain(&subject).await), monitors(&received[..1]));
    (subject.pass)(Duration::from_secs(11));
    assert_eq!(monitors(&drain(&subject).await), monitors(&received[1..]));
}

async fn an_extended_lease_lasts_another_term(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..1)).await;
    let received = drain(&subject).await;
    for _ in 0..3 {
        (subject.pass)(JOB_LEASE * 2 / 3);
        subject.queue.extend(leases(&received)).await.expect("the queue is there");
        assert!(drain(&subject).await.is_empty());
    }
    (subject.pass)(JOB_LEASE + Duration::from_secs(1));
    assert_eq!(drain(&subject).await.len(), 1);
}

async fn a_lease_is_bytes_and_old_ones_do_no_harm(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..1)).await;
    let first = drain(&subject).await;
    (subject.pass)(JOB_LEASE + Duration::from_secs(1));
    let second = drain(&subject).await;
    assert_eq!(second.len(), 1);
    // Another node has nothing but the bytes.
    let copied: Vec<Lease> = second.iter().map(|leased| Lease(leased.lease.0.to_vec().into())).collect();
    subject.queue.ack(copied.clone()).await.expect("the queue is there");
    // What the first receiver does with its lease no longer counts, nor does a second acknowledgement.
    subject.queue.release(leases(&first), Duration::ZERO).await.expect("the queue is there");
    subject.queue.extend(leases(&first)).await.expect("the queue is there");
    subject.queue.ack(leases(&first)).await.expect("the queue is there");
    subject.queue.ack(copied).await.expect("the queue is there");
    (subject.pass)(JOB_LEASE * 2);
    assert!(drain(&subject).await.is_empty());
}

async fn depth_tells_what_waits(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..5)).await;
    publish(&subject, Lane::Now, jobs(5..7)).await;
    (subject.pass)(Duration::from_secs(4));
    let received = subject.queue.receive(3, Duration::ZERO).await.expect("the queue is there");
    let depth = subject.queue.depth().await.expect("the queue is there");
    assert_eq!((depth.now, depth.planned, depth.leased), (0, 4, received.len()));
    assert!(depth.oldest >= Duration::from_secs(4), "{:?}", depth.oldest);
}

async fn a_waiting_receiver_is_woken(subject: Subject) {
    let long = Duration::from_secs(3_600);
    let mut receiving = subject.queue.receive(9, long);
    std::future::poll_fn(|context| {
        assert!(receiving.as_mut().poll(context).is_pending(), "it waits for a first job");
        std::task::Poll::Ready(())
    })
    .await;
    publish(&subject, Lane::Planned, jobs(0..2)).await;
    let received = receiving.await.expect("the queue is there");
    assert_eq!(monitors(&received), BTreeSet::from([0, 1]));
}
