//! Certificates: each way of being wrong has its code, and every one of them still yields its facts.

use super::{World, check, monitor};
use bw_domain::outcome::{Code, Phase};
use bw_domain::port::prober::Prober;
use bw_domain::time::Instant;
use bw_net::{Net, NetConfig};
use bw_probe::{BwProber, Config};
use bw_testkit::builders::START;
use bw_testkit::clock::ManualClock;
use bw_testkit::server::{Answer, Authority, Leaf, Target};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// An authority, and a world that trusts it.
fn trusted() -> (Authority, World, tempfile::NamedTempFile) {
    let authority = Authority::new("Test authority");
    let file = authority.pem_file();
    let world = World::new(NetConfig { roots: Some(file.path().to_owned()), ..NetConfig::default() });
    (authority, world, file)
}

/// The same server as an HTTPS and as a TLS monitor.
fn both(target: &Target) -> [Value; 2] {
    [
        monitor(json!({"http": target.url()}), json!({})),
        monitor(json!({"tls": target.address().to_string()}), json!({})),
    ]
}

#[tokio::test]
async fn a_good_certificate_is_recorded() {
    let (authority, world, _file) = trusted();
    let leaf = authority.leaf_between(&["127.0.0.1", "shop.example"], (2026, 11, 1), (2027, 2, 1));
    let target = Target::start_tls(&leaf).await;
    for document in both(&target) {
        let outcome = world.probe(&document).await;
        check(&outcome, Code::OK, "");
        let certificate = outcome.certificate.as_ref().expect("TLS has a certificate");
        assert_eq!((certificate.problem.as_str(), certificate.protocol.as_str()), ("", "TLS 1.3"));
        assert_eq!(certificate.names, ["127.0.0.1", "shop.example"]);
        assert_eq!(certificate.subject, "CN=127.0.0.1");
        assert_eq!(certificate.issuer, "CN=Test authority");
        assert_eq!(certificate.key, "EC P-256");
        assert_eq!(Some(certificate.not_before), Instant::parse("2026-11-01T00:00:00Z"));
        assert_eq!(Some(certificate.not_after), Instant::parse("2027-02-01T00:00:00Z"));
        assert_eq!(certificate.chain_not_after, certificate.not_after);
        assert_eq!(certificate.fingerprint.len(), 64);
        assert!(outcome.phases.get(Phase::Tls) > 0);
    }
}

#[tokio::test]
async fn every_way_of_being_wrong() {
    let (authority, world, _file) = trusted();
    let stranger = Authority::new("Unknown authority");
    let names = ["127.0.0.1"];
    for (leaf, code, part) in [
        (
            authority.leaf_between(&names, (2026, 1, 1), (2026, 11, 21)),
            Code::TLS_EXPIRED,
            "expired at 2026-11-21T00:00:00.000Z",
        ),
        (
            authority.leaf_between(&names, (2026, 12, 1), (2027, 1, 1)),
            Code::TLS_UNTRUSTED,
            "not valid before 2026-12-01T00:00:00.000Z",
        ),
        (authority.leaf(&["other.example"]), Code::TLS_NAME, "not for 127.0.0.1 but for"),
        (stranger.leaf(&names), Code::TLS_UNTRUSTED, "issuer is not trusted"),
        (Leaf::self_signed(&names), Code::TLS_UNTRUSTED, "not trusted"),
    ] {
        let target = Target::start_tls(&leaf).await;
        for document in both(&target) {
            let outcome = world.probe(&document).await;
            check(&outcome, code, part);
            let certificate = outcome.certificate.as_ref().expect("read though it is not valid");
            assert!(certificate.problem.contains(part), "{certificate:?}");
            assert!(!certificate.fingerprint.is_empty());
        }
        assert_eq!(target.hits(), 0, "nothing is sent to whom we do not trust");
        let http = json!({"url": target.url(), "verify": false});
        let outcome = world.probe(&monitor(json!({"http": http}), json!({}))).await;
        check(&outcome, Code::OK, "");
        assert!(outcome.certificate.is_some_and(|certificate| certificate.problem.contains(part)));
    }
}

#[tokio::test]
async fn short_lived_certificates_are_judged_by_their_share() {
    let (authority, world, _file) = trusted();
    let six_days = authority.leaf_between(&["127.0.0.1"], (2026, 11, 18), (2026, 11, 24));
    let target = Target::start_tls(&six_days).await;
    let probe =
        |expect: &str| monitor(json!({"tls": target.address().to_string()}), json!({"expect": [expect]}));
    check(&world.probe(&probe("certificate.lifetime_left > 33%")).await, Code::OK, "");
    check(&world.probe(&probe("certificate.days_left >= 2")).await, Code::OK, "");
    let outcome = world.probe(&probe("certificate.lifetime_left > 50%")).await;
    check(&outcome, Code::EXPECT_CERTIFICATE, "saw 41.66%");
}

#[tokio::test]
async fn handshakes_that_fail() {
    let (_authority, world, _file) = trusted();
    let (plain, silent) = (Target::start().await, bw_testkit::server::Full::start().await);
    drop(silent);
    for document in [
        monitor(json!({"http": format!("https://{}/", plain.address())}), json!({})),
        monitor(json!({"tls": plain.address().to_string()}), json!({})),
    ] {
        check(&world.probe(&document).await, Code::TLS_HANDSHAKE, "TLS handshake failed");
    }
    // A server that accepts and never says a word.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let outcome = world.probe(&monitor(json!({"tls": address}), json!({"timeout": "200ms"}))).await;
    check(&outcome, Code::TLS_HANDSHAKE, "no TLS handshake within 200ms");
}

#[tokio::test]
async fn of_all_hops_the_certificate_that_ends_first_is_kept() {
    let (authority, world, _file) = trusted();
    let soon = authority.leaf_between(&["127.0.0.1"], (2026, 11, 1), (2026, 12, 1));
    let late = authority.leaf(&["localhost"]);
    let (first, second) = (Target::start_tls(&soon).await, Target::start_tls(&late).await);
    first.set_path("/", Answer::redirect(second.at_host("localhost", "/")));
    second.set_path("/back", Answer::redirect(first.at("/end")));
    for url in [first.url(), second.at_host("localhost", "/back")] {
        let outcome = world.probe(&monitor(json!({"http": url}), json!({}))).await;
        check(&outcome, Code::OK, "");
        let certificate = outcome.certificate.expect("TLS has a certificate");
        assert_eq!(Some(certificate.not_after), Instant::parse("2026-12-01T00:00:00Z"));
    }
}

#[tokio::test]
async fn what_was_verified_once_still_expires_and_is_still_for_one_name() {
    let authority = Authority::new("Test authority");
    let file = authority.pem_file();
    let clock = Arc::new(ManualClock::new(START));
    let config = NetConfig { roots: Some(file.path().to_owned()), ..NetConfig::default() };
    let net = Net::new(config, clock.clone()).expect("the configuration is sound");
    let prober = BwProber::new(Config::new(net, Handle::current()));
    let world = World::new(NetConfig::default());
    let leaf = authority.leaf_between(&["127.0.0.1"], (2026, 11, 1), (2026, 12, 1));
    let target = Target::start_tls(&leaf).await;
    let own = world.assignment(&monitor(json!({"tls": target.address().to_string()}), json!({})));
    let other = format!("localhost:{}", target.port());
    let other = world.assignment(&monitor(json!({"tls": other}), json!({})));
    for _ in 0..2 {
        check(&prober.once(own.clone()).await, Code::OK, "");
        check(&prober.once(other.clone()).await, Code::TLS_NAME, "");
    }
    clock.advance(Duration::from_secs(20 * 86_400));
    check(&prober.once(own).await, Code::TLS_EXPIRED, "expired at 2026-12-01T00:00:00.000Z");
}
