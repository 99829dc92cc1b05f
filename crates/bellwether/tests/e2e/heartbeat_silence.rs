//! A job that stops is announced within a second of its grace, and our own absence is never taken for its.

use crate::eventually::eventually;
use crate::installation::Installation;
use crate::job::Job;
use crate::message::text;
use crate::node::Node;
use crate::slots::ms;
use bw_testkit::server::Sink;
use rustix::process::Signal;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(4);
const GRACE: Duration = Duration::from_secs(2);
/// Silence is noticed so soon after it is one.
const NOTICED: Duration = Duration::from_secs(1);

/// The wall, in milliseconds, as the server on the same machine reads it.
fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "what is told is held against the clock of the machine")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.expect("it is after 1970").as_millis()).expect("it is not that late")
}

/// Waits for this instant, which is what the test is about.
async fn until(at: i64) {
    tokio::time::sleep(Duration::from_millis(u64::try_from(at - now()).unwrap_or(0))).await;
}

/// Waits until the sink has heard of a change to this state; the instant at which it had.
async fn told(sink: &Sink, change: &str, within: Duration) -> i64 {
    eventually(&format!("a message of {change}"), within, async || {
        let received = sink.received();
        match received.iter().any(|message| text(message).contains(change)) {
            true => Ok(now()),
            false => Err(format!("{} messages", received.len())),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_stops_is_announced_within_a_second_of_its_grace() {
    let sink = Sink::start().await;
    let node = Installation::new().start().await;
    let every = Duration::from_secs(2);
    let job = Job::declare(&node, "Nightly", (every, GRACE), &sink).await;
    let well = Job::declare(&node, "Well", (Duration::from_secs(600), GRACE), &sink).await;
    well.beat(&node).await;
    for round in 1..=3 {
        let last = job.beat(&node).await;
        job.is(&node, "up").await;
        let deadline = last + (every + GRACE).as_millis() as i64;
        until(deadline - 500).await;
        assert_eq!(job.incidents(&node).await.len(), round - 1, "nothing is said before its grace is over");
        let heard = told_again(&sink, round).await;
        assert!(heard >= deadline, "told {} ms before its grace was over", deadline - heard);
        let late = heard - deadline;
        assert!(late <= NOTICED.as_millis() as i64, "told {late} ms after its grace was over");
        let incidents = job.incidents(&node).await;
        let incident = &incidents[0];
        assert_eq!(
            (incidents.len(), &incident["cause"]["code"]),
            (round, &"beat.missed".into()),
            "{incident}"
        );
        assert_eq!(ms(&incident["first_failure_at"]), deadline, "{incident}");
    }
    job.beat(&node).await;
    node.until(job.id, "UP", Duration::from_secs(5)).await;
    told(&sink, "Old: DOWN -> New: UP", Duration::from_secs(5)).await;
    assert!(job.incidents(&node).await.iter().all(|incident| !incident["closed_at"].is_null()));
    assert!(well.incidents(&node).await.is_empty());
    node.stop().await;
}

/// Waits until the sink has heard so often that it is down.
async fn told_again(sink: &Sink, times: usize) -> i64 {
    let down = |message: &&bw_testkit::server::Recorded| text(message).contains("New: DOWN");
    eventually(&format!("message {times}"), Duration::from_secs(5), async || {
        let heard = sink.received().iter().filter(down).count();
        if heard >= times { Ok(now()) } else { Err(heard) }
    })
    .await
}

/// How a process ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Stopped,
    Killed,
    /// It stands still for as long, and goes on.
    Frozen,
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_during_a_deadline() {
    away_during_a_deadline(End::Stopped).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_during_a_deadline() {
    away_during_a_deadline(End::Killed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frozen_during_a_deadline() {
    away_during_a_deadline(End::Frozen).await;
}

/// It is away from before the next beat is expected until after it would be missed. One job beats again, another does not:
/// of the first nothing is said; of the second only when there was time for a beat again.
async fn away_during_a_deadline(end: End) {
    let (kept, lost) = (Sink::start().await, Sink::start().await);
    let installation = Installation::new();
    let node = installation.start().await;
    let goes_on = Job::declare(&node, "Goes on", (EVERY, GRACE), &kept).await;
    let has_ended = Job::declare(&node, "Has ended", (EVERY, GRACE), &lost).await;
    goes_on.beat(&node).await;
    let last = has_ended.beat(&node).await;
    for job in [&goes_on, &has_ended] {
        job.is(&node, "up").await;
    }
    until(last + 3_000).await;
    let deadline = last + (EVERY + GRACE).as_millis() as i64;
    let node = away(&installation, node, (end, deadline + 1_000)).await;
    let back = now();
    assert!(back >= deadline + 1_000, "it was away beyond the deadline");

    // The job's next run finds us again, and it goes on as it did.
    let mut runs = tokio::time::interval(Duration::from_secs(2));
    let heard = tokio::select! {
        heard = told(&lost, "New: DOWN", EVERY + GRACE + Duration::from_secs(10)) => heard,
        () = async {
            loop {
                runs.tick().await;
                goes_on.beat(&node).await;
            }
        } => unreachable!("it runs for ever"),
    };
    assert!(heard >= back + EVERY.as_millis() as i64, "told {} ms after we were back", heard - back);
    let incident = &has_ended.incidents(&node).await[0];
    assert!(ms(&incident["first_failure_at"]) > back, "no time in which nobody heard counts: {incident}");

    // Of the one that beat nothing was ever said, and nothing is decided.
    goes_on.beat(&node).await;
    goes_on.is(&node, "up").await;
    assert!(goes_on.incidents(&node).await.is_empty() && kept.received().is_empty(), "{:?}", kept.received());
    node.stop().await;
}

async fn away(installation: &Installation, node: Node, (end, back): (End, i64)) -> Node {
    match end {
        End::Stopped => drop(node.stop().await),
        End::Killed => node.kill().await,
        End::Frozen => {
            node.signal(Signal::STOP);
            until(back).await;
            node.signal(Signal::CONT);
            return node;
        }
    }
    until(back).await;
    installation.start().await
}
