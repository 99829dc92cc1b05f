//! Bad input gets a clear error and changes nothing.

use crate::client::Request;
use crate::installation::Installation;
use crate::node::Node;
use serde_json::{Value, json};

const URL: &str = "http://127.0.0.1:9/";
const MONITORS: &str = "/api/v1/monitors";

/// Sends it and looks at the problem: its status, its code, and where the first mistake is.
async fn refused(node: &Node, request: Request, (status, code, place): (u16, &str, Option<&str>)) {
    let shown = format!("{request:?}").chars().take(200).collect::<String>();
    let reply = node.http().send(request).await;
    assert_eq!(reply.status, status, "{shown}: {}", reply.text);
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{shown}");
    let problem = reply.json();
    assert_eq!((&problem["code"], &problem["status"]), (&json!(code), &json!(status)), "{shown}: {problem}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 5), "{shown}: {problem}");
    assert_eq!(problem["errors"][0]["path"].as_str(), place, "{shown}: {problem}");
}

#[tokio::test]
async fn declarations_that_are_wrong() {
    let node = Installation::new().start().await;
    let monitor = |more: Value| {
        let mut document = json!({"name": "a", "http": URL});
        let members = more.as_object().cloned().unwrap_or_default();
        document.as_object_mut().expect("an object").extend(members);
        document
    };
    for (document, place) in [
        (monitor(json!({"evry": "10s"})), "evry"),
        (monitor(json!({"heartbeat": {"evry": "1h"}})), "heartbeat"),
        (monitor(json!({"every": 10})), "every"),
        (monitor(json!({"every": "1 fortnight"})), "every"),
        (monitor(json!({"every": "500ms"})), "every"),
        (monitor(json!({"every": "400d"})), "every"),
        (monitor(json!({"every": "5s", "timeout": "6s"})), "timeout"),
        (monitor(json!({"timeout": "1ms"})), "timeout"),
        (monitor(json!({"enabled": "yes"})), "enabled"),
        (monitor(json!({"name": ["a"]})), "name"),
        (monitor(json!({"name": "a\nb"})), "name"),
        (monitor(json!({"http": "shop.example.com"})), "http"),
        (monitor(json!({"http": "ftp://shop.example.com/"})), "http"),
        (monitor(json!({"http": "http://user:secret@shop.example.com/"})), "http"),
        (monitor(json!({"http": {"url": URL, "redirects": "sometimes"}})), "http.redirects"),
        (json!({"name": "a"}), "http"),
        (json!({"name": "a", "http": URL, "tcp": "127.0.0.1:9"}), "tcp"),
        (json!({"name": "a", "tcp": "127.0.0.1"}), "tcp"),
        (monitor(json!({"expect": ["status = 200"]})), "expect[0]"),
        (monitor(json!({"expect": ["status == 200", "latency < 5"]})), "expect[1]"),
        (monitor(json!({"expect": ["body matches \"(\""]})), "expect[0]"),
        (monitor(json!({"confirm": {"failures": 0}})), "confirm.failures"),
        (monitor(json!({"confirm": {"after": "2m"}})), "confirm.after"),
        (monitor(json!({"confirm": {"agree": "2 of 3"}})), "confirm.agree"),
        (monitor(json!({"webhook_url": "hooks.example.com"})), "webhook_url"),
        (monitor(json!({"from": ["mars"]})), "from[0]"),
        (monitor(json!({"labels": {"1st": "x"}})), "labels.1st"),
        (monitor(json!({"headers": {"content-length": "1"}})), "headers.content-length"),
    ] {
        refused(&node, Request::new("POST", MONITORS).json(&document), (422, "invalid", Some(place))).await;
    }
    let both = monitor(json!({"every": 10, "enabled": "yes"}));
    let problem = node.http().send(Request::new("POST", MONITORS).json(&both)).await.expect(422);
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(2), "all mistakes at once: {problem}");
    assert_eq!(node.items(MONITORS).await, [] as [Value; 0]);

    let id = node.create(&monitor(json!({}))).await;
    let before = node.monitor(id).await;
    for (method, document) in [("PUT", monitor(json!({"every": "0s"}))), ("PATCH", json!({"timeout": "2h"}))]
    {
        let place = if method == "PUT" { "every" } else { "timeout" };
        let request = Request::new(method, format!("{MONITORS}/{id}")).json(&document);
        refused(&node, request, (422, "invalid", Some(place))).await;
    }
    assert_eq!(node.monitor(id).await["revision"], before["revision"]);
}

#[tokio::test]
async fn requests_that_are_wrong() {
    let node = Installation::new().start().await;
    let id = node.create(&json!({"name": "a", "http": URL})).await;
    let one = format!("{MONITORS}/{id}");
    let declared = json!({"name": "b", "http": URL});
    let post = || Request::new("POST", MONITORS);
    let json_type = |request: Request| request.header("content-type", "application/json");
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(1 << 20));
    for (request, wrong) in [
        (json_type(post().body("{\"name\": ")), (400, "malformed", None)),
        (json_type(post().body([0xff, 0xfe])), (400, "malformed", None)),
        (json_type(post().body("[]")), (422, "invalid", Some(""))),
        (json_type(post()), (400, "malformed", None)),
        (json_type(post().body(large)), (413, "too-large", None)),
        (post().body("name=b"), (415, "unsupported-media-type", None)),
        (post().json(&declared).header("content-type", "text/plain"), (415, "unsupported-media-type", None)),
        (
            Request::new("POST", "/api/v1/monitors?colour=red").json(&declared),
            (400, "invalid", Some("colour")),
        ),
        (Request::get("/api/v1/monitors?limt=5"), (400, "invalid", Some("limt"))),
        (Request::get("/api/v1/monitors?limit=10001"), (400, "invalid", Some("limit"))),
        (Request::get("/api/v1/monitors?state=SAD"), (400, "invalid", Some("state"))),
        (Request::get("/api/v1/monitors?after=nonsense"), (400, "invalid", Some("after"))),
        (Request::get(format!("{one}/outcomes?from=yesterday")), (400, "invalid", Some("from"))),
        (Request::get(format!("{one}/outcomes?verdict=maybe")), (400, "invalid", Some("verdict"))),
        (Request::get(format!("{one}/latency?step=often")), (400, "invalid", Some("step"))),
        (Request::get("/api/v1/incidents?state=sad"), (400, "invalid", Some("state"))),
        (Request::get("/api/v1/deliveries?state=lost"), (400, "invalid", Some("state"))),
        (Request::get("/api/v1/monitors/one"), (400, "invalid-id", None)),
        (Request::get("/api/v1/monitors/999"), (404, "not-found", None)),
        (Request::get("/api/v1/colours"), (404, "not-found", None)),
        (Request::new("DELETE", MONITORS), (405, "method-not-allowed", None)),
        (Request::new("PUT", one.as_str()).json(&declared).header("if-match", "\"7\""), (412, "stale", None)),
        (
            Request::new("POST", "/api/v1/tokens").json(&json!({"name": "t", "scope": "all"})),
            (422, "invalid", Some("scope")),
        ),
    ] {
        refused(&node, request, wrong).await;
    }
    let monitors = node.items(MONITORS).await;
    assert_eq!(monitors.len(), 1, "{monitors:?}");
    assert_eq!((&monitors[0]["name"], &monitors[0]["revision"]), (&json!("a"), &json!(1)));
    assert_eq!(node.items("/api/v1/tokens").await, [] as [Value; 0]);
}
