//! The observer that cannot see abstains.

use super::{World, check, monitor, text};
use bw_domain::outcome::Code;
use bw_domain::port::prober::Prober;
use bw_net::{Net, NetConfig};
use bw_probe::{Anchors, BwProber, Config, Gate, State};
use bw_testkit::clock::ManualClock;
use bw_testkit::server::{Answer, Authority, Target};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// A prober behind a gate with these anchors, under a clock that the test turns.
fn gated(anchors: &[String], need: usize) -> (BwProber, Arc<Gate>, Arc<ManualClock>, World) {
    let clock = Arc::new(ManualClock::new(bw_testkit::builders::START));
    let net = Net::new(NetConfig::default(), clock.clone()).expect("the configuration is sound");
    let gate = Gate::new(net.clone(), Anchors::parse(anchors, need).expect("the anchors are sound"));
    let config = Config { gate: Some(gate.clone()), ..Config::new(net, Handle::current()) };
    (BwProber::new(config), gate, clock, World::new(NetConfig::default()))
}

fn tcp(target: &Target) -> String {
    format!("tcp:{}", target.address())
}

#[tokio::test]
async fn a_blind_observer_abstains_and_says_so_once() {
    let gone = tcp(&Target::start().await);
    let (prober, gate, clock, world) = gated(&[gone], 1);
    let mut changes = gate.changes();
    assert_eq!(gate.state(), State::Sighted);
    let dead = world.assignment(&monitor(json!({"tcp": "127.0.0.1:1"}), json!({})));
    for _ in 0..3 {
        let outcome = prober.once(dead.clone()).await;
        check(&outcome, Code::SELF_BLIND, "this observer has lost its own network");
        assert!(text(&outcome).contains("it saw connect.refused: 127.0.0.1:1 refused"), "{}", text(&outcome));
    }
    assert!(changes.has_changed().expect("the gate lives"));
    assert_eq!(*changes.borrow_and_update(), State::Blind { since: bw_testkit::builders::START });
    clock.advance(Duration::from_secs(3));
    check(&prober.once(dead).await, Code::SELF_BLIND, "");
    assert!(!changes.has_changed().expect("the gate lives"), "still blind is no change");
}

#[tokio::test]
async fn with_its_anchors_in_sight_a_failure_is_a_failure() {
    let anchor = Target::start().await;
    let gone = tcp(&Target::start().await);
    let (prober, gate, _clock, world) = gated(&[gone, tcp(&anchor)], 1);
    let dead = world.assignment(&monitor(json!({"tcp": "127.0.0.1:1"}), json!({})));
    for _ in 0..3 {
        check(&prober.once(dead.clone()).await, Code::CONNECT_REFUSED, "");
    }
    assert_eq!(gate.state(), State::Sighted);
    assert_eq!(anchor.connections(), 1, "one test serves all that ask within two seconds");
}

#[tokio::test]
async fn those_who_ask_at_once_are_answered_by_one_test() {
    let anchor = Target::start().await;
    let (prober, _gate, _clock, world) = gated(&[tcp(&anchor)], 1);
    let dead = world.assignment(&monitor(json!({"tcp": "127.0.0.1:1"}), json!({})));
    let batch = (0..20).map(|_| dead.clone()).collect();
    let mut late = prober.start(batch);
    assert!(late.drain(..).next().is_none());
    let mut ended = 0;
    while ended < 20 {
        let outcomes = tokio::time::timeout(Duration::from_secs(5), prober.finished(20)).await;
        ended += outcomes.expect("outcomes within five seconds").len();
    }
    assert_eq!(anchor.connections(), 1);
}

#[tokio::test]
async fn what_is_not_the_network_asks_nobody() {
    let (anchor, target) = (Target::start().await, Target::start().await);
    let (prober, _gate, _clock, world) = gated(&[tcp(&anchor)], 1);
    target.set(Answer::status(503));
    let outcome = prober.once(world.assignment(&monitor(json!({"http": target.url()}), json!({})))).await;
    check(&outcome, Code::EXPECT_STATUS, "");
    assert_eq!(anchor.connections(), 0);
}

#[tokio::test]
async fn sight_comes_back_with_any_probe() {
    let lost = Target::start().await;
    let (address, target) = (lost.address(), Target::start().await);
    let (prober, gate, clock, world) = gated(&[tcp(&lost)], 1);
    drop(lost);
    let dead = world.assignment(&monitor(json!({"tcp": "127.0.0.1:1"}), json!({})));
    check(&prober.once(dead.clone()).await, Code::SELF_BLIND, "");
    let found = Target::start_on(&address.to_string()).await;
    // The answer counts for two seconds; then a pass, which asks for itself nothing, asks for the observer.
    let fine = world.assignment(&monitor(json!({"tcp": target.address().to_string()}), json!({})));
    check(&prober.once(fine.clone()).await, Code::OK, "");
    assert!(matches!(gate.state(), State::Blind { .. }));
    clock.advance(Duration::from_secs(3));
    check(&prober.once(fine).await, Code::OK, "");
    assert_eq!((gate.state(), found.connections()), (State::Sighted, 1));
    check(&prober.once(dead).await, Code::CONNECT_REFUSED, "");
}

#[tokio::test]
async fn anchors_of_every_kind() {
    let authority = Authority::new("Test authority");
    let secure = Target::start_tls(&authority.leaf(&["127.0.0.1"])).await;
    // Nobody trusts it here: a captive portal would look the same.
    for (anchors, need, sighted) in [
        (vec!["dns:localhost".to_owned()], 1, true),
        (vec!["dns:name.invalid.".to_owned()], 1, false),
        (vec![secure.url()], 1, false),
        (vec!["dns:localhost".to_owned(), secure.url()], 2, false),
        (vec!["dns:localhost".to_owned(), tcp(&secure)], 2, true),
    ] {
        let dir = tempfile::tempdir().expect("the temporary directory takes a directory");
        let system =
            bw_net::SystemFiles { resolv_conf: dir.path().join("none"), hosts: dir.path().join("none") };
        let clock = Arc::new(bw_testkit::server::RunningClock::starting(super::TODAY));
        let net = Net::new(NetConfig { system, ..NetConfig::default() }, clock).expect("sound");
        let gate = Gate::new(net, Anchors::parse(&anchors, need).expect("sound"));
        assert_eq!(gate.sighted().await, sighted, "{anchors:?}");
    }
}
