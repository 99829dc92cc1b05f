//! One test a code.

use super::{World, check, monitor};
use bw_domain::outcome::{Code, Phase};
use bw_net::NetConfig;
use bw_testkit::server::{Answer, Full, Names, Reply, Target};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_pass_has_all_its_times_and_no_evidence() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    let names = Names::start().await;
    names.set_addresses("shop.example", &["127.0.0.1"]);
    let http = json!({"url": target.at_host("shop.example", "/x?y=1"), "resolver": names.address()});
    let outcome = world.probe(&monitor(json!({"http": http}), json!({}))).await;
    check(&outcome, Code::OK, "");
    assert_eq!((outcome.status, outcome.certificate), (200, None));
    for phase in [Phase::Resolve, Phase::Connect, Phase::Send, Phase::Wait] {
        assert!(outcome.phases.get(phase) > 0, "{phase:?}: {:?}", outcome.phases);
    }
    assert_eq!(outcome.phases.get(Phase::Tls), 0);
    assert!(outcome.latency_us < 2_000_000);
    let request = &target.received()[0];
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/x?y=1"));
    assert_eq!(request.header("host"), Some(&*format!("shop.example:{}", target.port())));
    assert_eq!(request.header("connection"), Some("close"));
    assert!(request.header("user-agent").is_some_and(|agent| agent.starts_with("bellwether/")));
}

#[tokio::test]
async fn tcp_connects_and_says_nothing() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    let outcome = world.probe(&monitor(json!({"tcp": target.address().to_string()}), json!({}))).await;
    check(&outcome, Code::OK, "");
    assert!(outcome.phases.get(Phase::Connect) > 0 && outcome.phases.get(Phase::Send) == 0);
    assert_eq!((outcome.status, target.hits()), (0, 0));
}

#[tokio::test]
async fn names_that_do_not_resolve() {
    let (world, names) = (World::new(NetConfig::default()), Names::start().await);
    names.set("broken.example", Reply::ServFail);
    names.set("silent.example", Reply::Silence);
    for (name, timeout, code, part) in [
        ("none.example", "2s", Code::DNS_NXDOMAIN, "none.example does not exist"),
        ("broken.example", "2s", Code::DNS_SERVFAIL, "for broken.example"),
        ("silent.example", "200ms", Code::DNS_TIMEOUT, ""),
    ] {
        let http = json!({"url": format!("http://{name}/"), "resolver": names.address()});
        let outcome = world.probe(&monitor(json!({"http": http}), json!({"timeout": timeout}))).await;
        check(&outcome, code, part);
        assert!(outcome.phases.get(Phase::Resolve) > 0 && outcome.phases.get(Phase::Connect) == 0);
    }
}

#[tokio::test]
async fn connections_that_do_not_come_about() {
    let (world, full) = (World::new(NetConfig::default()), Full::start().await);
    let gone = Target::start().await.address().to_string();
    let refused = world.probe(&monitor(json!({"tcp": gone}), json!({}))).await;
    check(&refused, Code::CONNECT_REFUSED, "refused the connection");
    let address = full.address().to_string();
    let late = world.probe(&monitor(json!({"tcp": address}), json!({"timeout": "200ms"}))).await;
    check(&late, Code::CONNECT_TIMEOUT, "no connection within 200ms");
    assert!(late.latency_us >= 200_000 && late.phases.get(Phase::Connect) >= 190_000, "{late:?}");
}

#[tokio::test]
async fn answers_that_do_not_come() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    let whole = b"HTTP/1.1 200 OK\r\n".len();
    for (answer, part, status) in [
        (Answer::silent(), "no answer within 200ms", 0),
        (Answer::ok("hello").stall_after(whole), "no complete answer within 200ms", 0),
        (Answer::ok("hello").claims_length(9).stall_after(1_000), "no complete answer within 200ms", 200),
        (Answer::ok("hello").trickle(Duration::from_millis(20)), "no complete answer within 200ms", 0),
    ] {
        target.set(answer);
        let outcome = world.probe(&monitor(json!({"http": target.url()}), json!({"timeout": "200ms"}))).await;
        check(&outcome, Code::WAIT_TIMEOUT, part);
        assert_eq!(outcome.status, status);
        assert!((200_000..1_200_000).contains(&outcome.latency_us), "{outcome:?}");
    }
}

#[tokio::test]
async fn connections_that_are_cut() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    for (answer, part) in [
        (Answer::reset(), "the connection was cut: connection reset by peer"),
        (Answer::ok("hello").reset_after(20), "the connection was cut"),
        (Answer::ok("hello").end_after(0), "the connection ended before an answer"),
        (Answer::ok("hello").end_after(20), "the connection ended before"),
        (Answer::ok("hello").claims_length(9), "the connection ended before the end of the answer"),
        (Answer::ok("hello").chunked().end_after(78), "the connection ended before the end of the answer"),
    ] {
        target.set(answer);
        let outcome = world.probe(&monitor(json!({"http": target.url()}), json!({}))).await;
        check(&outcome, Code::SEND_RESET, part);
    }
}

#[tokio::test]
async fn answers_that_are_not_http() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(200 << 10));
    for (at, answer) in [
        Answer::raw("SSH-2.0-OpenSSH_9.2\r\n"),
        Answer::raw("HTTP/1.1 abc\r\n\r\n"),
        Answer::raw("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"),
        Answer::chunked_garbage(),
        Answer::raw(long),
        Answer::ok("not gzip at all").header("content-encoding", "gzip"),
    ]
    .into_iter()
    .enumerate()
    {
        target.set(answer);
        let outcome = world.probe(&monitor(json!({"http": target.url()}), json!({}))).await;
        assert_eq!(outcome.code, Code::HTTP_PROTOCOL, "{at}: {outcome:?}");
    }
}

#[tokio::test]
async fn expectations_that_are_not_met() {
    let world = World::new(NetConfig::default());
    let authority = bw_testkit::server::Authority::new("Test authority");
    let target = Target::start_tls(&authority.leaf(&["127.0.0.1"])).await;
    target.set(Answer::ok("hello").with_status(503).header("x-shard", "a"));
    for (expect, code, part) in [
        ("status == 200", Code::EXPECT_STATUS, "expected status == 200, saw 503"),
        ("body contains \"bye\"", Code::EXPECT_BODY, "saw 5 bytes without it"),
        ("header \"x-shard\" == \"b\"", Code::EXPECT_HEADER, "saw \"a\""),
        ("latency < 0s", Code::EXPECT_LATENCY, "ms"),
        ("resolve < 0s", Code::EXPECT_RESOLVE, "ms"),
        ("connect < 0s", Code::EXPECT_CONNECT, "ms"),
        ("tls < 0s", Code::EXPECT_TLS, "ms"),
        ("send < 0s", Code::EXPECT_SEND, "ms"),
        ("wait < 0s", Code::EXPECT_WAIT, "ms"),
        ("receive < 0s", Code::EXPECT_RECEIVE, "ms"),
        ("certificate.days_left < 3", Code::EXPECT_CERTIFICATE, "expected certificate.days_left < 3, saw "),
        ("certificate.subject == \"CN=x\"", Code::EXPECT_CERTIFICATE, "saw \"CN=127.0.0.1\""),
    ] {
        let http = json!({"url": target.url(), "verify": false});
        let outcome = world.probe(&monitor(json!({"http": http}), json!({"expect": [expect]}))).await;
        check(&outcome, code, part);
        assert_eq!(outcome.status, 503);
        let evidence = outcome.evidence.expect("a failure has evidence");
        assert_eq!(evidence.expectation.as_deref(), Some(expect));
    }
    let both = ["latency < 0s", "status == 200"];
    let http = json!({"url": target.url(), "verify": false});
    let outcome = world.probe(&monitor(json!({"http": http}), json!({"expect": both}))).await;
    check(&outcome, Code::EXPECT_STATUS, "");
    let plain = Target::start().await;
    let document = monitor(json!({"http": plain.url()}), json!({"expect": ["certificate.days_left > 3"]}));
    check(&world.probe(&document).await, Code::EXPECT_CERTIFICATE, "saw no certificate");
}

#[tokio::test]
async fn addresses_that_may_not_be_contacted() {
    let world = World::new(NetConfig::default());
    for target in [
        json!({"http": "http://169.254.169.254/latest/meta-data/"}),
        json!({"http": "http://[::ffff:169.254.169.254]/"}),
        json!({"tcp": "0.0.0.0:80"}),
        json!({"tls": "[fe80::1]:443"}),
    ] {
        let outcome = world.probe(&monitor(target, json!({}))).await;
        check(&outcome, Code::SELF_GUARD, "which is never contacted");
        assert_eq!(outcome.phases.get(Phase::Send), 0);
    }
}
