//! Names: what each kind of answer means, whom it is asked of, and what is never asked of anybody.

use super::{host, net};
use bw_domain::guard::Policy;
use bw_domain::monitor::Family;
use bw_domain::outcome::{Code, Phase};
use bw_net::{Dial, Failure, Net, NetConfig, Stopwatch, SystemFiles};
use bw_testkit::server::{Names, Reply, Target};
use std::net::SocketAddr;
use std::time::Duration;

/// Dials and answers the address that was reached.
async fn dial(net: &Net, dial: &Dial<'_>) -> Result<SocketAddr, Failure> {
    let watch = Stopwatch::start(net.clock());
    let mut address = None;
    let stream = net.dial(dial, &watch, &mut address).await?;
    assert_eq!(watch.phase(), Some(Phase::Connect));
    assert_eq!(stream.peer_addr().ok(), address);
    Ok(address.expect("a connection has an address"))
}

fn to<'a>(host: &'a str, port: u16, resolver: Option<&'a str>) -> Dial<'a> {
    Dial { host, port, family: Family::Any, resolver, within: Duration::from_millis(600) }
}

#[tokio::test]
async fn answers_and_silences() {
    let (names, target) = (Names::start().await, Target::start().await);
    let net = net(NetConfig::default());
    let resolver = names.address();
    names.set_addresses("good.example", &["127.0.0.1"]);
    names.set_addresses("six.example", &["::1"]);
    names.set("broken.example", Reply::ServFail);
    names.set("silent.example", Reply::Silence);
    for (name, family, expected) in [
        ("good.example", Family::Any, Ok(())),
        ("Good.Example.", Family::V4, Ok(())),
        ("good.example", Family::V6, Err((Code::DNS_NXDOMAIN, "good.example has no IPv6 address"))),
        ("six.example", Family::V4, Err((Code::DNS_NXDOMAIN, "six.example has no IPv4 address"))),
        ("none.example", Family::Any, Err((Code::DNS_NXDOMAIN, "none.example does not exist"))),
        ("broken.example", Family::Any, Err((Code::DNS_SERVFAIL, "answered"))),
        ("silent.example", Family::Any, Err((Code::DNS_TIMEOUT, "did not answer for silent.example"))),
        ("127.0.0.1", Family::V6, Err((Code::DNS_NXDOMAIN, "127.0.0.1 is no IPv6 address"))),
    ] {
        let wanted = Dial { family, ..to(name, target.port(), Some(&resolver)) };
        match (dial(&net, &wanted).await, expected) {
            (Ok(_), Ok(())) => {}
            (Err(failure), Err((code, part))) => {
                assert_eq!(failure.code, code, "{name}: {failure}");
                assert!(failure.text.contains(part), "{name}: {failure}");
            }
            (seen, _) => panic!("{name}: {seen:?}"),
        }
    }
}

#[tokio::test]
async fn a_verdict_rests_on_two_servers_and_a_dead_one_is_remembered() {
    let (first, second, target) = (Names::start().await, Names::start().await, Target::start().await);
    let net = net(NetConfig::default());
    let both = format!("{}, {}", first.address(), second.address());
    second.set_addresses("a.example", &["127.0.0.1"]);
    for (at, bad) in [Reply::NxDomain, Reply::ServFail, Reply::Silence].into_iter().enumerate() {
        // Another text is another resolver, whose first server is the first.
        let resolver = format!("{both}{}", ",".repeat(at));
        first.set("a.example", bad.clone());
        let reached = dial(&net, &to("a.example", target.port(), Some(&resolver))).await;
        assert_eq!(reached, Ok(target.address()), "{bad:?}");
        assert_eq!(first.asked().len(), at + 1, "{bad:?}");
    }
    let asked = first.asked().len();
    assert!(dial(&net, &to("a.example", target.port(), Some(&both))).await.is_ok());
    assert_eq!(first.asked().len(), asked, "the server that answered last is asked first");
    // Both deny it: the clear word wins over a silence.
    first.set("b.example", Reply::Silence);
    let denied = dial(&net, &to("b.example", 1, Some(&format!("{both} ")))).await.expect_err("denied");
    assert_eq!(denied.code, Code::DNS_NXDOMAIN);
}

#[tokio::test]
async fn nothing_is_remembered_for_probes() {
    let (names, one, other) =
        (Names::start().await, Target::start().await, Target::start_on("127.0.0.2:0").await);
    let net = net(NetConfig::default());
    let resolver = names.address();
    names.set_addresses("moving.example", &["127.0.0.1"]);
    let reached = dial(&net, &to("moving.example", one.port(), Some(&resolver))).await;
    assert_eq!(reached, Ok(one.address()));
    names.set_addresses("moving.example", &["127.0.0.2"]);
    let reached = dial(&net, &to("moving.example", other.port(), Some(&resolver))).await;
    assert_eq!(reached, Ok(other.address()));
}

#[tokio::test]
async fn this_machine_and_its_hosts_file_need_no_server() {
    let target = Target::start().await;
    let (_dir, system) = host("", "127.0.0.1 Box.lan box # ours\n");
    let net = net(NetConfig { system, ..NetConfig::default() });
    for name in ["127.0.0.1", "localhost", "LOCALHOST", "app.localhost", "box", "BOX.lan"] {
        assert_eq!(dial(&net, &to(name, target.port(), None)).await, Ok(target.address()), "{name}");
    }
    let blind = dial(&net, &to("elsewhere.example", target.port(), None)).await.expect_err("no server");
    assert_eq!(blind.code, Code::SELF_BLIND);
    assert!(blind.text.contains("resolv.conf"), "{blind}");
}

#[tokio::test]
async fn a_host_without_resolver_settings_says_so() {
    let (dir, system) = host("", "");
    std::fs::remove_file(&system.resolv_conf).expect("it was there");
    let net = net(NetConfig { system, ..NetConfig::default() });
    let blind = dial(&net, &to("elsewhere.example", 1, None)).await.expect_err("no settings");
    assert_eq!(blind.code, Code::SELF_BLIND);
    let expected = format!(
        "this host cannot look names up: {}: no such file or directory; give the host a name server, or the monitor a `resolver`",
        dir.path().join("resolv.conf").display()
    );
    assert_eq!(blind.text, expected);
}

#[tokio::test]
async fn addresses_are_tried_in_order_within_their_share() {
    let (names, target) = (Names::start().await, Target::start_on("127.0.0.3:0").await);
    let full = bw_testkit::server::Full::start().await;
    let net = net(NetConfig::default());
    let resolver = names.address();
    names.set_addresses("two.example", &["127.0.0.2", "127.0.0.3"]);
    let reached = dial(&net, &to("two.example", target.port(), Some(&resolver))).await;
    assert_eq!(reached, Ok(target.address()), "the first one refuses");
    // Both are dead; the first may not use the time of the second.
    names.set_addresses("dead.example", &["127.0.0.1", "127.0.0.2"]);
    let watch = Stopwatch::start(net.clock());
    let refused = dial(&net, &to("dead.example", full.address().port(), Some(&resolver))).await;
    assert_eq!(refused.expect_err("nobody listens").code, Code::CONNECT_REFUSED);
    assert!(watch.elapsed() < Duration::from_millis(500), "{:?}", watch.elapsed());
}

#[tokio::test]
async fn the_guard_sees_addresses_whoever_named_them() {
    let names = Names::start().await;
    let lax = net(NetConfig::default());
    let strict = net(NetConfig { guard: Policy { strict: true }, ..NetConfig::default() });
    let resolver = names.address();
    names.set_addresses("rebound.example", &["169.254.169.254"]);
    names.set_addresses("mixed.example", &["169.254.169.254", "127.0.0.1"]);
    let target = Target::start().await;
    for (net, name, resolver, part) in [
        (&lax, "169.254.169.254", None, "cloud metadata"),
        (&lax, "::ffff:169.254.169.254", None, "cloud metadata"),
        (&lax, "rebound.example", Some(&*resolver), "cloud metadata"),
        (&lax, "x.example", Some("169.254.169.253"), "link-local"),
        (&strict, "localhost", None, "loopback"),
        (&strict, "10.0.0.1", None, "private"),
        (&strict, "x.example", Some(&*resolver), "loopback"),
    ] {
        let refused = dial(net, &to(name, target.port(), resolver)).await.expect_err(name);
        assert_eq!(refused.code, Code::SELF_GUARD, "{name}: {refused}");
        assert!(refused.text.contains(part), "{name}: {refused}");
    }
    let reached = dial(&lax, &to("mixed.example", target.port(), Some(&resolver))).await;
    assert_eq!(reached, Ok(target.address()), "what is refused is passed over");
}

#[tokio::test]
async fn settings_that_change_are_noticed() {
    use bw_domain::port::clock::Clock;
    use bw_domain::time::Instant;
    use std::sync::{Arc, Mutex};

    struct Turned(Mutex<Duration>);
    impl Clock for Turned {
        fn now(&self) -> Instant {
            Instant::ZERO + self.monotonic()
        }
        fn monotonic(&self) -> Duration {
            *self.0.lock().expect("nobody panics here")
        }
    }

    let target = Target::start().await;
    let (_dir, system) = host("", "");
    let SystemFiles { hosts, .. } = system.clone();
    let clock = Arc::new(Turned(Mutex::new(Duration::from_secs(1))));
    let net = Net::new(NetConfig { system, ..NetConfig::default() }, clock.clone()).expect("sound");
    assert!(dial(&net, &to("box", target.port(), None)).await.is_err());
    std::fs::write(&hosts, "127.0.0.1 box\n").expect("room");
    assert!(dial(&net, &to("box", target.port(), None)).await.is_err(), "not looked at again yet");
    *clock.0.lock().expect("nobody panics here") += Duration::from_secs(6);
    assert!(dial(&net, &to("box", target.port(), None)).await.is_ok());
}
