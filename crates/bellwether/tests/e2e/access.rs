//! Who may come in: this machine without a word, everybody else with credentials, and nobody by way of somebody
//! else's page, proxy or name.

use crate::client::{Client, Reply, Request};
use crate::installation::Installation;
use serde_json::{Value, json};

const MONITORS: &str = "/api/v1/monitors";

fn declared() -> Request {
    Request::new("POST", MONITORS).json(&json!({"name": "a", "http": "http://127.0.0.1:9/"}))
}

/// A refusal with a sentence for people.
fn refusal(reply: &Reply, status: u16, code: &str) -> String {
    let problem = reply.expect(status);
    assert_eq!(problem["code"], code, "{problem}");
    problem["detail"].as_str().expect("a sentence").to_owned()
}

#[tokio::test]
async fn this_machine_is_asked_nothing_unless_somebody_else_is_behind_it() {
    let node = Installation::new().start().await;
    let http = node.http();
    for (name, value, reason) in [
        ("host", "shop.example.com", "the Host header `shop.example.com` is no name of this machine"),
        ("host", "127.0.0.1.example.com:8080", "is no name of this machine"),
        (
            "x-forwarded-for",
            "203.0.113.7",
            "a Forwarded header says that somebody else is behind the request",
        ),
        ("forwarded", "for=203.0.113.7", "a Forwarded header says that somebody else is behind the request"),
        ("x-forwarded-host", "shop.example.com", "a Forwarded header says"),
    ] {
        for request in [Request::get(MONITORS), declared(), Request::get("/monitors")] {
            let sentence = refusal(&http.send(request.header(name, value)).await, 403, "forbidden");
            assert!(sentence.contains(reason) && sentence.contains("BELLWETHER_TOKEN"), "{sentence}");
        }
        let open = Request::get("/health").header(name, value);
        assert_eq!(http.send(open).await.status, 200, "always open, {name}");
    }
    let foreign = declared().header("origin", "https://evil.example.com");
    let sentence = refusal(&http.send(foreign).await, 403, "forbidden");
    assert!(sentence.contains("a page of another site sent this request"), "{sentence}");
    let reading = Request::get(MONITORS).header("origin", "https://evil.example.com");
    assert_eq!(http.send(reading).await.expect(200)["items"], json!([]), "nothing was created so far");
    for host in ["localhost:8080", "[::1]:8080"] {
        let local = Request::get(MONITORS).header("host", host);
        http.send(local).await.expect(200);
    }
    http.send(declared()).await.expect(201);
}

#[tokio::test]
async fn beyond_loopback_credentials_are_needed_to_start() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let refusal = Installation::new().flag("--listen", address).refused().await;
        assert_eq!(refusal.status, Some(1), "{refusal:?}");
        let sentence = format!("refusing to listen on {address}: other machines reach it");
        assert!(refusal.stderr.contains(&sentence), "{refusal:?}");
        assert!(refusal.stderr.contains("BELLWETHER_ADMIN_PASSWORD or BELLWETHER_TOKEN"), "{refusal:?}");
        assert_eq!(refusal.stderr.lines().count(), 1, "one sentence: {refusal:?}");
    }
}

/// Presents a token.
fn bearer(http: &Client, token: &str) -> Client {
    http.with("authorization", &format!("Bearer {token}"))
}

#[tokio::test]
async fn tokens() {
    let installation =
        Installation::new().flag("--listen", "0.0.0.0:0").variable("BELLWETHER_TOKEN", "first-token");
    let node = installation.start().await;
    let http = node.http();
    for request in [Request::get(MONITORS), declared(), Request::get("/monitors")] {
        let reply = http.send(request).await;
        refusal(&reply, 401, "unauthenticated");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    }
    refusal(&bearer(http, "wrong-token").get(MONITORS).await, 401, "unauthenticated");
    assert_eq!(http.get("/health").await.status, 200);

    let first = bearer(http, "first-token");
    first.send(declared()).await.expect(201);
    let new =
        |scope: &str| Request::new("POST", "/api/v1/tokens").json(&json!({"name": scope, "scope": scope}));
    let (reader, writer) =
        (first.send(new("read")).await.expect(201), first.send(new("write")).await.expect(201));
    let text = |token: &Value| token["token"].as_str().expect("its text, once").to_owned();
    let (reading, writing) = (bearer(http, &text(&reader)), bearer(http, &text(&writer)));
    reading.get(MONITORS).await.expect(200);
    refusal(&reading.send(declared()).await, 403, "forbidden");
    writing.send(declared().json(&json!({"name": "b", "http": "http://127.0.0.1:9/"}))).await.expect(201);
    let listed = first.get("/api/v1/tokens").await;
    assert!(
        !listed.text.contains(&text(&reader)) && listed.json()["items"].as_array().map(Vec::len) == Some(2)
    );

    let revoke = Request::new("DELETE", format!("/api/v1/tokens/{}", reader["id"]));
    writing.send(revoke).await.expect(204);
    refusal(&reading.get(MONITORS).await, 401, "unauthenticated");
    let log = node.stop().await;
    assert!(!log.contains("first-token") && !log.contains(&text(&writer)), "{log}");

    // A token of the store is credentials enough to start with.
    let node = installation.variable("BELLWETHER_TOKEN", "").start().await;
    refusal(&node.http().get(MONITORS).await, 401, "unauthenticated");
    bearer(node.http(), &text(&writer)).get(MONITORS).await.expect(200);
}

#[tokio::test]
async fn open_to_everybody_only_when_told_so() {
    let node = Installation::new().flag("--listen", "0.0.0.0:0").flag("--auth", "none").start().await;
    let far = Request::get(MONITORS)
        .header("host", "bellwether.example.com")
        .header("x-forwarded-for", "203.0.113.7");
    node.http().send(far).await.expect(200);
    assert_eq!(node.lines_with("--auth none").len(), 1, "{}", node.log());
    for page in ["/", "/ui/incidents", "/ui/system"] {
        let text = node.http().get(page).await.text;
        assert!(text.contains("Started with --auth none"), "{page}: {text}");
    }
    let foreign = declared().header("origin", "https://evil.example.com");
    refusal(&node.http().send(foreign).await, 403, "forbidden");
}
