//! The port: admission, instants, budgets, and that nothing that happens inside a probe gets out of it.

use super::{TODAY, World, check, monitor};
use bw_domain::outcome::{Code, Outcome};
use bw_domain::port::clock::Clock;
use bw_domain::port::prober::{Assignment, Prober};
use bw_domain::time::Instant;
use bw_net::{Net, NetConfig};
use bw_probe::{BwProber, Config};
use bw_testkit::server::{Answer, RunningClock, Target};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;
use tokio::runtime::Handle;

/// Takes so many outcomes, each of which must come within ten seconds.
async fn outcomes(prober: &BwProber, count: usize) -> Vec<Outcome> {
    let mut all = Vec::new();
    while all.len() < count {
        let more = tokio::time::timeout(Duration::from_secs(10), prober.finished(count)).await;
        all.extend(more.expect("an outcome within ten seconds"));
    }
    all
}

#[tokio::test]
async fn what_is_beyond_the_room_comes_back() {
    let target = Target::start().await;
    let world = World::with(NetConfig::default(), |config| Config { at_once: 3, ..config });
    let one = world.assignment(&monitor(json!({"http": target.url()}), json!({})));
    let batch: Vec<Assignment> = (0..5).map(|_| one.clone()).collect();
    assert_eq!(world.prober.room(), 3);
    assert_eq!(world.prober.start(batch).len(), 2);
    assert_eq!(world.prober.room(), 0);
    let ended = outcomes(&world.prober, 3).await;
    assert!(ended.iter().all(|outcome| outcome.code == Code::OK && outcome.job == one.job), "{ended:?}");
    assert_eq!((world.prober.room(), world.prober.take(9).len()), (3, 0));
    assert!(world.prober.start(Vec::new()).is_empty());
}

#[tokio::test]
async fn finished_takes_at_most_what_is_asked() {
    let target = Target::start().await;
    let world = World::new(NetConfig::default());
    let one = world.assignment(&monitor(json!({"tcp": target.address().to_string()}), json!({})));
    assert!(world.prober.start(vec![one.clone(), one.clone(), one]).is_empty());
    assert_eq!(world.prober.finished(1).await.len(), 1);
    assert_eq!(outcomes(&world.prober, 2).await.len(), 2);
    assert!(world.prober.finished(0).await.is_empty());
}

#[tokio::test]
async fn a_probe_begins_at_its_instant() {
    let target = Target::start().await;
    let world = World::new(NetConfig::default());
    let mut early = world.assignment(&monitor(json!({"http": target.url()}), json!({})));
    early.job.start = early.job.start + Duration::from_millis(150);
    early.job.not_after = early.job.start + Duration::from_secs(10);
    assert!(world.prober.start(vec![early.clone()]).is_empty());
    let outcome = outcomes(&world.prober, 1).await.remove(0);
    check(&outcome, Code::OK, "");
    assert!(outcome.at >= early.job.start, "{outcome:?}");
    assert!(outcome.latency_us < 150_000, "waiting is not latency: {outcome:?}");
}

#[tokio::test]
async fn a_probe_that_is_too_late_is_missed() {
    let target = Target::start().await;
    let world = World::new(NetConfig::default());
    let mut late = world.assignment(&monitor(json!({"http": target.url()}), json!({})));
    late.job.start = Instant::from_ms(late.job.start.ms() - 20_000);
    late.job.not_after = Instant::from_ms(late.job.start.ms() + 10_000);
    assert!(world.prober.start(vec![late.clone()]).is_empty());
    let outcome = outcomes(&world.prober, 1).await.remove(0);
    check(&outcome, Code::SELF_MISSED, "would have begun 20");
    assert_eq!((target.connections(), outcome.job), (0, late.job));
    // "Test this monitor" asks no schedule.
    check(&world.prober.once(late).await, Code::OK, "");
}

#[tokio::test]
async fn one_host_cannot_fill_the_worker() {
    let (slow, quick) = (Target::start().await, Target::start_on("127.0.0.2:0").await);
    slow.set(Answer::silent());
    let world = World::with(NetConfig::default(), |config| Config { per_host: 2, ..config });
    let hanging = monitor(json!({"http": slow.url()}), json!({"timeout": "400ms"}));
    let mut hanging: Vec<Assignment> = (0..4).map(|_| world.assignment(&hanging)).collect();
    hanging[3].job.not_after = hanging[3].job.start + Duration::from_millis(100);
    assert!(world.prober.start(hanging).is_empty());
    let fine = world.assignment(&monitor(json!({"http": quick.url()}), json!({})));
    assert!(world.prober.start(vec![fine]).is_empty());
    let ended = outcomes(&world.prober, 5).await;
    let codes: Vec<Code> = ended.iter().map(|outcome| outcome.code).collect();
    let expected = [Code::OK, Code::SELF_MISSED, Code::WAIT_TIMEOUT, Code::WAIT_TIMEOUT, Code::WAIT_TIMEOUT];
    assert_eq!(codes, expected, "the other host is served at once, the third hanging one waits for a place");
    check(&ended[1], Code::SELF_MISSED, "left no place");
    assert!(ended[4].latency_us < 700_000, "waiting for a place is not latency: {:?}", ended[4]);
}

/// Does something odd when its monotonic time is read for the `fuse`-th time.
struct Fused {
    clock: RunningClock,
    fuse: AtomicI64,
    /// How far it jumps then; zero is a panic.
    jump: Duration,
}

impl Fused {
    fn prober(fuse: i64, jump: Duration) -> (Arc<Self>, BwProber) {
        let clock =
            Arc::new(Fused { clock: RunningClock::starting(TODAY), fuse: AtomicI64::new(fuse), jump });
        let net = Net::new(NetConfig::default(), clock.clone()).expect("the configuration is sound");
        (clock, BwProber::new(Config::new(net, Handle::current())))
    }
}

impl Clock for Fused {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn monotonic(&self) -> Duration {
        let left = self.fuse.fetch_sub(1, SeqCst);
        assert!(left != 0 || !self.jump.is_zero(), "the clock broke");
        if left <= 0 { self.clock.monotonic() + self.jump } else { self.clock.monotonic() }
    }
}

#[tokio::test]
async fn a_fault_in_a_probe_is_inconclusive_and_the_next_one_runs() {
    let target = Target::start().await;
    let (clock, prober) = Fused::prober(3, Duration::ZERO);
    let healthy = World::new(NetConfig::default());
    let mut one = healthy.assignment(&monitor(json!({"http": target.url()}), json!({})));
    one.job.start = clock.now();
    one.job.not_after = one.job.start + Duration::from_secs(10);
    assert!(prober.start(vec![one.clone()]).is_empty());
    let outcome = outcomes(&prober, 1).await.remove(0);
    check(&outcome, Code::SELF_FAULT, "the clock broke");
    assert!(prober.start(vec![one.clone()]).is_empty());
    check(&outcomes(&prober, 1).await[0], Code::OK, "");
    clock.fuse.store(3, SeqCst);
    check(&prober.once(one).await, Code::SELF_FAULT, "the clock broke");
}

#[tokio::test]
async fn an_observer_that_stood_still_does_not_blame_the_target() {
    let target = Target::start().await;
    let (_clock, prober) = Fused::prober(3, Duration::from_secs(30));
    let healthy = World::new(NetConfig::default());
    let document = monitor(json!({"http": target.url()}), json!({"expect": ["latency < 1s"]}));
    let outcome = prober.once(healthy.assignment(&document)).await;
    check(&outcome, Code::SELF_OVERLOADED, "this observer stood still: the probe ended 28");
}

#[tokio::test]
async fn dropping_the_prober_ends_its_probes() {
    let target = Target::start().await;
    target.set(Answer::silent());
    let world = World::new(NetConfig::default());
    let hanging = world.assignment(&monitor(json!({"http": target.url()}), json!({"timeout": "5s"})));
    assert!(world.prober.start(vec![hanging]).is_empty());
    target.wait_for(1).await;
    let net = Arc::downgrade(&world.net);
    drop(world);
    let gone = async {
        while net.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), gone).await.expect("the task let go of the way out");
}
