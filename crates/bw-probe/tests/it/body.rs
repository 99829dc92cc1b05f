//! Bodies: whole, compressed, huge; and requests with everything that a monitor may declare.

use super::{World, check, monitor};
use bw_domain::limits;
use bw_domain::outcome::Code;
use bw_net::NetConfig;
use bw_testkit::server::{Answer, Target};
use serde_json::json;

#[tokio::test]
async fn bodies_are_judged_as_they_were_meant() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    let page = "<h1>Welcome</h1>".repeat(500);
    for answer in [
        Answer::ok(page.clone()),
        Answer::ok(page.clone()).chunked(),
        Answer::ok(page.clone()).until_close(),
        Answer::ok(page.clone()).gzip(),
        Answer::ok(page.clone()).gzip().chunked(),
        Answer::ok(page.clone()).deflate(),
        Answer::ok(page.clone()).raw_deflate(),
    ] {
        target.set(answer);
        let expect = json!({"expect": ["body matches \"^<h1>Welcome</h1>(.*)</h1>$\"", "status == 200"]});
        let outcome = world.probe(&monitor(json!({"http": target.url()}), expect)).await;
        assert_eq!(outcome.code, Code::OK, "{outcome:?}");
    }
}

#[tokio::test]
async fn bodies_are_bounded_after_decompression() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    target.set(Answer::ok(vec![b'x'; limits::BODY_MAX]));
    check(&world.probe(&monitor(json!({"http": target.url()}), json!({}))).await, Code::OK, "");
    for answer in [Answer::ok(vec![b'x'; limits::BODY_MAX + 1]), Answer::bomb(50 << 20)] {
        target.set(answer);
        let outcome = world.probe(&monitor(json!({"http": target.url()}), json!({}))).await;
        check(&outcome, Code::BODY_CAP, "larger than 1048576 bytes");
        assert_eq!(outcome.status, 200);
    }
}

#[tokio::test]
async fn answers_without_a_body_are_in_order() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    target.set(Answer::ok("never sent").gzip().claims_length(9_999));
    let head = monitor(json!({"http": target.url()}), json!({"method": "HEAD"}));
    check(&world.probe(&head).await, Code::OK, "");
    target.set(Answer::raw("HTTP/1.1 204 No Content\r\ncontent-encoding: gzip\r\n\r\n"));
    check(&world.probe(&monitor(json!({"http": target.url()}), json!({}))).await, Code::OK, "");
    target.set(Answer::raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    check(&world.probe(&monitor(json!({"http": target.url()}), json!({}))).await, Code::OK, "");
}

#[tokio::test]
async fn a_request_is_sent_as_declared() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    let declared = json!({
        "method": "PROPFIND",
        "headers": {"X-Trace": "größe", "User-Agent": "mine/1", "Host": "other.example"},
        "auth": {"username": "u", "password": "pässword"},
        "body": "{\"a\":1}",
    });
    check(&world.probe(&monitor(json!({"http": target.url()}), declared)).await, Code::OK, "");
    let request = &target.received()[0];
    assert_eq!((request.method.as_str(), request.text()), ("PROPFIND", "{\"a\":1}"));
    for (name, value) in [
        ("x-trace", "größe"),
        ("user-agent", "mine/1"),
        ("host", "other.example"),
        ("authorization", "Basic dTpww6Rzc3dvcmQ="),
        ("content-length", "7"),
        ("accept", "*/*"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
        assert_eq!(request.headers.iter().filter(|(key, _)| key == name).count(), 1, "{name}");
    }
}
