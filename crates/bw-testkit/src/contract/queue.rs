//! What every queue promises: nothing that was published is lost, nothing whose message was acknowledged comes again,
//! all of a batch is taken or none, and the urgent lane goes first. Everything else (order, single delivery) it does
//! not promise, and nobody may rely on it.
//!
//! Time passes as the subject says: a queue in process has a clock that is turned by hand; a broker has its own, so
//! its subjects come with short leases, and the cases run side by side, each on a queue of its own.

pub mod broker;

use bw_domain::id::MonitorId;
use bw_domain::job::Job;
use bw_domain::monitor::Vantage;
use bw_domain::port::Fut;
use bw_domain::port::queue::{Depth, Lane, Lease, Leased, Queue, QueueError};
use bw_domain::time::{Duration, Instant};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An empty queue under test.
pub struct Subject {
    pub queue: Arc<dyn Queue>,
    /// How many jobs one lane takes.
    pub bound: usize,
    /// How long a received job is leased.
    pub lease: Duration,
    /// A queue that gives nothing for so long has nothing to give.
    pub settle: Duration,
    /// Lets time pass for the queue.
    pub pass: Box<dyn Fn(Duration) -> Fut<'static, ()>>,
}

/// How often something that must come about is looked for: two minutes' worth of the longest pauses.
const LOOKS: u32 = 240;

/// The whole suite; each case begins with an empty queue.
pub async fn suite(make: impl AsyncFn() -> Subject) {
    tokio::join!(
        async { nothing_acknowledged_comes_again(make().await).await },
        async { a_receiver_that_dies_loses_nothing(make().await).await },
        async { each_message_twice(make().await).await },
        async { the_urgent_lane_goes_first(make().await).await },
        async { all_of_a_batch_or_none(make().await).await },
        async { released_jobs_come_back_after_their_time(make().await).await },
        async { an_extended_lease_lasts_another_term(make().await).await },
        async { a_lease_is_bytes_and_old_ones_do_no_harm(make().await).await },
        async { depth_tells_what_waits(make().await).await },
        async { a_waiting_receiver_is_woken(make().await).await },
        async { jobs_that_begin_together(make().await).await },
    );
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

/// Each begins a second after the one before.
fn jobs(numbers: std::ops::Range<i64>) -> Vec<Job> {
    numbers.map(job).collect()
}

/// All begin in the same instant.
fn together(numbers: std::ops::Range<i64>) -> Vec<Job> {
    numbers.map(|number| Job { monitor: MonitorId(number), ..job(0) }).collect()
}

async fn publish(subject: &Subject, lane: Lane, jobs: Vec<Job>) {
    subject.queue.publish(lane, jobs).await.expect("there is room");
}

/// Everything that can be received now.
async fn drain(subject: &Subject) -> Vec<Leased> {
    let mut all = Vec::new();
    loop {
        let batch = subject.queue.receive(7, subject.settle).await.expect("the queue is there");
        if batch.is_empty() {
            return all;
        }
        assert!(batch.len() <= 7, "more than was asked for");
        all.extend(batch);
    }
}

/// All of these monitors, which must come about, and whatever else comes with them.
async fn all(subject: &Subject, wanted: std::ops::Range<i64>) -> Vec<Leased> {
    let mut all = until(subject, &wanted.collect()).await;
    all.extend(drain(subject).await);
    all
}

/// What comes until all of these monitors are there, which must come about.
async fn until(subject: &Subject, wanted: &BTreeSet<i64>) -> Vec<Leased> {
    let mut all: Vec<Leased> = Vec::new();
    for _ in 0..LOOKS {
        if wanted.is_subset(&monitors(&all)) {
            return all;
        }
        let pause = Duration::from_millis(500).min(subject.settle);
        all.extend(subject.queue.receive(7, pause).await.expect("the queue is there"));
    }
    panic!("{wanted:?} should have come, and {:?} did", monitors(&all));
}

fn leases(received: &[Leased]) -> Vec<Lease> {
    received.iter().map(|leased| leased.lease.clone()).collect()
}

fn monitors(received: &[Leased]) -> BTreeSet<i64> {
    received.iter().map(|leased| leased.job.monitor.0).collect()
}

async fn ack(subject: &Subject, received: &[Leased]) {
    subject.queue.ack(leases(received)).await.expect("the queue is there");
}

async fn nothing_acknowledged_comes_again(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..20)).await;
    let received = all(&subject, 0..20).await;
    let mut same: Vec<Job> = received.iter().map(|leased| leased.job).collect();
    same.sort_unstable();
    assert_eq!(same, jobs(0..20), "what is received is what was published");
    ack(&subject, &received).await;
    (subject.pass)(subject.lease * 2).await;
    assert!(drain(&subject).await.is_empty());
}

async fn a_receiver_that_dies_loses_nothing(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..9)).await;
    publish(&subject, Lane::Now, jobs(9..10)).await;
    let received = all(&subject, 0..10).await;
    assert_eq!(received.len(), 10);
    ack(&subject, &received[..4]).await;
    let died_with = monitors(&received[4..]);
    drop(received);
    (subject.pass)(subject.lease / 3).await;
    assert!(drain(&subject).await.is_empty(), "while the lease lasts nobody else has it");
    (subject.pass)(subject.lease).await;
    assert_eq!(monitors(&until(&subject, &died_with).await), died_with);
}

async fn each_message_twice(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..3)).await;
    publish(&subject, Lane::Planned, jobs(0..3)).await;
    let received = all(&subject, 0..3).await;
    assert_eq!(monitors(&received), BTreeSet::from([0, 1, 2]));
    let distinct: BTreeSet<_> = leases(&received).into_iter().collect();
    assert_eq!(distinct.len(), received.len(), "each delivery has a lease of its own");
    ack(&subject, &received).await;
    (subject.pass)(subject.lease * 2).await;
    assert!(drain(&subject).await.is_empty());
}

async fn the_urgent_lane_goes_first(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..30)).await;
    publish(&subject, Lane::Now, jobs(100..103)).await;
    let mut first = Vec::new();
    for _ in 0..LOOKS {
        let wanted = 3 - first.len();
        first.extend(subject.queue.receive(wanted, subject.settle).await.expect("the queue is there"));
        if first.len() == 3 {
            break;
        }
    }
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
    let received = all(&subject, -1..bound).await;
    assert_eq!(monitors(&received), (-1..bound).collect(), "nothing of the refused batch was taken");
}

async fn released_jobs_come_back_after_their_time(subject: Subject) {
    let later = subject.lease;
    publish(&subject, Lane::Planned, jobs(0..2)).await;
    let received = all(&subject, 0..2).await;
    let (first, second) = (leases(&received[..1]), leases(&received[1..]));
    subject.queue.release(first, Duration::ZERO).await.expect("the queue is there");
    subject.queue.release(second, later).await.expect("the queue is there");
    let early = until(&subject, &monitors(&received[..1])).await;
    assert_eq!(monitors(&early), monitors(&received[..1]), "the other one is not yet to be had");
    ack(&subject, &early).await;
    (subject.pass)(later + later / 10).await;
    let late = until(&subject, &monitors(&received[1..])).await;
    assert_eq!(monitors(&late), monitors(&received[1..]));
}

async fn an_extended_lease_lasts_another_term(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..1)).await;
    let received = all(&subject, 0..1).await;
    for _ in 0..3 {
        (subject.pass)(subject.lease / 2).await;
        subject.queue.extend(leases(&received)).await.expect("the queue is there");
        assert!(drain(&subject).await.is_empty());
    }
    (subject.pass)(subject.lease + subject.lease / 10).await;
    assert_eq!(until(&subject, &BTreeSet::from([0])).await.len(), 1);
}

async fn a_lease_is_bytes_and_old_ones_do_no_harm(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..1)).await;
    let first = all(&subject, 0..1).await;
    (subject.pass)(subject.lease + subject.lease / 10).await;
    let second = until(&subject, &BTreeSet::from([0])).await;
    assert_eq!(second.len(), 1);
    // Another node has nothing but the bytes.
    let copied: Vec<Lease> = second.iter().map(|leased| Lease(leased.lease.0.to_vec().into())).collect();
    subject.queue.ack(copied.clone()).await.expect("the queue is there");
    // What the first receiver does with its lease no longer counts, nor does a second acknowledgement.
    subject.queue.release(leases(&first), Duration::ZERO).await.expect("the queue is there");
    subject.queue.extend(leases(&first)).await.expect("the queue is there");
    subject.queue.ack(leases(&first)).await.expect("the queue is there");
    subject.queue.ack(copied).await.expect("the queue is there");
    (subject.pass)(subject.lease * 2).await;
    assert!(drain(&subject).await.is_empty());
}

async fn depth_tells_what_waits(subject: Subject) {
    publish(&subject, Lane::Planned, jobs(0..5)).await;
    publish(&subject, Lane::Now, jobs(5..7)).await;
    let age = subject.lease / 2;
    (subject.pass)(age).await;
    let received = subject.queue.receive(3, subject.settle).await.expect("the queue is there");
    assert!(!received.is_empty());
    // What a broker says may be a second old.
    let mut told = Depth::default();
    for _ in 0..LOOKS {
        told = subject.queue.depth().await.expect("the queue is there");
        if told.leased == received.len() && told.now + told.planned + told.leased == 7 {
            assert!(told.planned >= 4, "the urgent ones were received first: {told:?}");
            assert!(told.oldest >= age * 9 / 10, "{told:?}");
            return;
        }
        subject.queue.extend(leases(&received)).await.expect("the queue is there");
        (subject.pass)(subject.settle / 4).await;
    }
    panic!("{} are leased and the others wait, not {told:?}", received.len());
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
    assert!(!received.is_empty());
    let rest = &BTreeSet::from([0, 1]) - &monitors(&received);
    assert_eq!(monitors(&until(&subject, &rest).await), rest);
}

/// Those may share a message, and each is still leased, given back and acknowledged by itself. Where a receiver dies
/// with a part of a message, what was done of it may come again; what was not must.
async fn jobs_that_begin_together(subject: Subject) {
    publish(&subject, Lane::Planned, together(0..90)).await;
    let received = all(&subject, 0..90).await;
    assert_eq!((received.len(), monitors(&received)), (90, (0..90).collect()));
    let (done, others) = received.split_at(40);
    ack(&subject, done).await;
    subject.queue.extend(leases(others)).await.expect("the queue is there");
    let (back, lost) = others.split_at(25);
    subject.queue.release(leases(back), Duration::ZERO).await.expect("the queue is there");
    let again = until(&subject, &monitors(back)).await;
    assert_eq!((again.len(), monitors(&again)), (25, monitors(back)), "only what was given back");
    ack(&subject, &again).await;
    (subject.pass)(subject.lease + subject.lease / 10).await;
    let late = until(&subject, &monitors(lost)).await;
    assert!(late.iter().all(|leased| leased.job.monitor.0 < 90), "nothing new");
    ack(&subject, &late).await;
    ack(&subject, &drain(&subject).await).await;
    (subject.pass)(subject.lease * 2).await;
    assert!(drain(&subject).await.is_empty(), "all are done");
}
