//! What senders get: the answer whatever it is, or an error that says whether to try again.

use super::net;
use bw_domain::guard::Policy;
use bw_domain::outcome::Code;
use bw_net::{NetConfig, OutError, OutRequest, OutResponse, Outbound};
use bw_testkit::server::{Answer, Authority, Full, Leaf, Sink, Target};
use bytes::Bytes;
use http::Method;
use std::time::Duration;

fn post(url: &str) -> OutRequest {
    OutRequest {
        method: Method::POST,
        url: url.to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Bytes::from_static(b"{\"text\":\"hello\"}"),
        timeout: Duration::from_secs(5),
    }
}

async fn send(url: &str) -> Result<OutResponse, OutError> {
    Outbound::new(net(NetConfig::default())).request(post(url)).await
}

#[tokio::test]
async fn a_request_arrives_as_it_was_meant() {
    let sink = Sink::start().await;
    let answer = send(&sink.url()).await.expect("the sink answers");
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"ok"[..]));
    let received = sink.received();
    assert_eq!((received[0].method.as_str(), received[0].path.as_str()), ("POST", "/hook"));
    assert_eq!(received[0].text(), "{\"text\":\"hello\"}");
    assert_eq!(received[0].header("content-type"), Some("application/json"));
    assert_eq!(received[0].header("connection"), Some("close"));
    let agent = received[0].header("user-agent").expect("we name ourselves");
    assert!(agent.starts_with("bellwether/"), "{agent}");
    assert!(sink.url().contains(received[0].header("host").expect("a host")));
}

#[tokio::test]
async fn every_status_is_an_answer_and_redirects_are_not_followed() {
    let sink = Sink::start().await;
    sink.answer_next(Answer::status(429).header("Retry-After", "7"));
    sink.answer_next(Answer::redirect("/elsewhere"));
    sink.answer_next(Answer::status(500).body("oops"));
    let limited = send(&sink.url()).await.expect("an answer");
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("7")));
    let moved = send(&sink.url()).await.expect("an answer");
    assert_eq!((moved.status, moved.header("location")), (302, Some("/elsewhere")));
    assert_eq!(send(&sink.url()).await.expect("an answer").body, b"oops");
    assert_eq!(sink.received().len(), 3);
}

#[tokio::test]
async fn a_long_answer_is_cut_and_is_still_an_answer() {
    let sink = Sink::start().await;
    sink.answer_always(Answer::ok(vec![b'x'; 1 << 20]));
    let answer = send(&sink.url()).await.expect("an answer");
    assert_eq!((answer.status, answer.body.len()), (200, 64 << 10));
}

#[tokio::test]
async fn errors_say_whether_to_try_again_and_never_where_to() {
    let sink = Sink::start().await;
    sink.answer_next(Answer::reset());
    let full = Full::start().await;
    let full = format!("http://{}/secret-path", full.address());
    let authority = Authority::new("Unknown authority");
    let distrusted = Target::start_tls(&Leaf::self_signed(&["127.0.0.1"])).await;
    let unknown = Target::start_tls(&authority.leaf(&["127.0.0.1"])).await;
    for (url, code, retryable) in [
        (sink.url(), Code::SEND_RESET, true),
        ("http://127.0.0.1:1/secret-path".to_owned(), Code::CONNECT_REFUSED, true),
        (full, Code::CONNECT_TIMEOUT, true),
        (distrusted.at("/secret-path"), Code::TLS_UNTRUSTED, true),
        (unknown.at("/secret-path"), Code::TLS_UNTRUSTED, true),
        ("http://169.254.169.254/secret-path".to_owned(), Code::SELF_GUARD, false),
        ("ftp://127.0.0.1/secret-path".to_owned(), Code::SELF_FAULT, false),
        ("secret-path".to_owned(), Code::SELF_FAULT, false),
    ] {
        let outbound = Outbound::new(net(NetConfig::default()));
        let request = OutRequest { timeout: Duration::from_millis(300), ..post(&url) };
        let error = outbound.request(request).await.expect_err(&url);
        let (OutError::Later(failure) | OutError::Never(failure)) = &error;
        assert_eq!((failure.code, error.retryable()), (code, retryable), "{url}: {error}");
        assert!(!error.to_string().contains("secret-path"), "{error}");
    }
    let strict = Outbound::new(net(NetConfig { guard: Policy { strict: true }, ..NetConfig::default() }));
    assert!(!strict.request(post(&sink.url())).await.expect_err("loopback").retryable());
}

#[tokio::test]
async fn the_authority_of_the_host_is_trusted_when_named() {
    let authority = Authority::new("Test authority");
    let (file, target) = (authority.pem_file(), Target::start_tls(&authority.leaf(&["127.0.0.1"])).await);
    let config = NetConfig { roots: Some(file.path().to_owned()), ..NetConfig::default() };
    let answer = Outbound::new(net(config)).request(post(&target.url())).await.expect("trusted");
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn what_cannot_be_trusted_from_is_refused_at_the_start() {
    use bw_net::{Net, NetError};
    use bw_testkit::server::RunningClock;
    use std::sync::Arc;

    let empty = tempfile::NamedTempFile::new().expect("a file");
    let with = |roots: &std::path::Path| {
        let config = NetConfig { roots: Some(roots.to_owned()), ..NetConfig::default() };
        Net::new(config, Arc::new(RunningClock::starting("2026-11-21T12:00:00Z"))).err()
    };
    assert!(matches!(with(empty.path()), Some(NetError::NoRoots { .. })));
    let missing = empty.path().with_extension("missing");
    assert!(matches!(with(&missing), Some(NetError::Roots { .. })));
}
