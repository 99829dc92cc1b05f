//! Who may ask what, and what is answered to methods and paths that are not there.

use super::{KEY, READ_ONLY, World, error, is_open, uuid};
use axum::body::Body;
use bw_domain::monitor::Declaration;
use bw_engine::usecase::apply::{Declared, apply};
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

const NOBODY: &str = "728b3763-ea80-4113-9fc0-f49b4adb226e";

#[tokio::test]
async fn keys_open_what_they_are_for() {
    let world = World::new().await;
    let check = world.make(json!({"name": "a"})).await;
    let (uuid, sha) = (uuid(&check), unique_key(&world).await);
    let wrong = "x".repeat(32);
    for (what, for_readers) in [
        ("GET /checks/".to_owned(), true),
        ("POST /checks/".to_owned(), false),
        (format!("GET /checks/{uuid}"), true),
        (format!("GET /checks/{sha}"), true),
        (format!("POST /checks/{uuid}"), false),
        (format!("POST /checks/{uuid}/pause"), false),
        (format!("POST /checks/{uuid}/resume"), false),
        (format!("GET /checks/{uuid}/pings/"), false),
        (format!("GET /checks/{uuid}/pings/1/body"), false),
        (format!("GET /checks/{uuid}/flips/"), true),
        (format!("GET /checks/{sha}/flips/"), true),
        ("GET /channels/".to_owned(), false),
        ("GET /badges/".to_owned(), true),
        (format!("DELETE /checks/{uuid}"), false),
    ] {
        for version in 1..=3 {
            let what = what.replacen(" /", &format!(" /api/v{version}/"), 1);
            for (key, sentence) in
                [("", "missing api key"), ("short", "missing api key"), (wrong.as_str(), "wrong api key")]
            {
                let reply = world.as_stranger(&what, key, Value::Null).await;
                assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{what} {key}");
                assert_eq!(reply.text(), error(sentence), "{what} {key}");
                assert_eq!(reply.header("content-type"), "application/json");
                assert_eq!(reply.header("access-control-allow-origin"), "*");
            }
            let reply = world.with_key(&what, READ_ONLY, Value::Null).await;
            if for_readers {
                assert_eq!(reply.status, StatusCode::OK, "{what}: {}", reply.text());
            } else {
                assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{what}");
                assert_eq!(reply.text(), error("wrong api key"), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn the_key_may_stand_in_the_body_of_a_post() {
    let world = World::new().await;
    let reply = world.with_key("POST /api/v1/checks/", "", json!({"api_key": KEY, "name": "a"})).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    let reply = world.as_stranger("POST /api/v1/checks/", "", json!({"api_key": READ_ONLY})).await;
    assert_eq!((reply.status, reply.text()), (StatusCode::UNAUTHORIZED, error("wrong api key").as_str()));
    let reply = world.with_key("POST /api/v1/checks/", "", json!({"api_key": 5})).await;
    assert_eq!((reply.status, reply.text()), (StatusCode::UNAUTHORIZED, error("missing api key").as_str()));
}

#[tokio::test]
async fn who_guesses_too_often_waits() {
    let world = World::new().await;
    let wrong = "x".repeat(32);
    let mut answers = Vec::new();
    for _ in 0..=bw_server::limits::WRONG_BURST {
        answers.push(world.with_key("GET /api/v3/checks/", &wrong, Value::Null).await);
    }
    let last = answers.pop().expect("an answer");
    assert!(answers.iter().all(|reply| reply.status == StatusCode::UNAUTHORIZED));
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(last.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0));
    is_open(&last, "GET, POST, OPTIONS");
    assert_eq!(world.get("/api/v3/checks/").await.status, StatusCode::OK, "who has the key is let in");
}

#[tokio::test]
async fn without_keys_it_answers_nobody() {
    let house = crate::house::House::new().await;
    for key in [KEY, READ_ONLY] {
        let mut request = house.request("GET /api/v3/checks/", Value::Null);
        request.headers_mut().insert("x-api-key", key.parse().expect("a header"));
        let reply = house.send(request).await;
        assert_eq!((reply.status, reply.text()), (StatusCode::UNAUTHORIZED, error("wrong api key").as_str()));
    }
}

#[tokio::test]
async fn methods_and_slashes() {
    let world = World::new().await;
    let check = world.make(json!({"name": "a"})).await;
    let (uuid, sha) = (uuid(&check), unique_key(&world).await);
    for (path, methods, other) in [
        ("/checks/".to_owned(), "GET, POST, OPTIONS", "DELETE"),
        (format!("/checks/{uuid}"), "GET, POST, DELETE, OPTIONS", "PUT"),
        (format!("/checks/{sha}"), "GET, OPTIONS", "POST"),
        (format!("/checks/{uuid}/pause"), "POST, OPTIONS", "GET"),
        (format!("/checks/{uuid}/resume"), "POST, OPTIONS", "GET"),
        (format!("/checks/{uuid}/pings/"), "GET, OPTIONS", "POST"),
        (format!("/checks/{uuid}/pings/1/body"), "GET, OPTIONS", "POST"),
        (format!("/checks/{uuid}/flips/"), "GET, OPTIONS", "POST"),
        ("/channels/".to_owned(), "GET, OPTIONS", "POST"),
        ("/badges/".to_owned(), "GET, OPTIONS", "HEAD"),
    ] {
        for version in 1..=3 {
            let path = format!("/api/v{version}{path}");
            let reply = world.with_key(&format!("OPTIONS {path}"), "", Value::Null).await;
            assert_eq!((reply.status, reply.text()), (StatusCode::NO_CONTENT, ""), "{path}");
            is_open(&reply, methods);
            let reply = world.ask(&format!("{other} {path}"), Value::Null).await;
            assert_eq!((reply.status, reply.text()), (StatusCode::METHOD_NOT_ALLOWED, ""), "{path}");
            is_open(&reply, methods);
            let Some(bare) = path.strip_suffix('/') else { continue };
            let reply = world.with_key(&format!("OPTIONS {bare}"), "", Value::Null).await;
            assert_eq!(reply.status, StatusCode::NO_CONTENT, "{bare}");
            let reply = world.with_key(&format!("GET {bare}?a=b"), "", Value::Null).await;
            assert_eq!(reply.status, StatusCode::MOVED_PERMANENTLY, "{bare}");
            assert_eq!(reply.header("location"), format!("{path}?a=b"));
            is_open(&reply, methods);
        }
    }
    // A published client POSTs there.
    for list in ["pings", "flips"] {
        let reply = world.ask(&format!("POST /api/v1/checks/{uuid}/{list}"), Value::Null).await;
        assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!({list: []})));
    }
}

#[tokio::test]
async fn what_is_not_there() {
    let world = World::new().await;
    let probed = world.house.declare(json!({"http": "https://a.example/"})).await;
    let probed = world.house.get(&format!("/api/v1/monitors/{probed}")).await.json();
    let probed = probed["uuid"].as_str().unwrap_or(NOBODY).to_owned();
    let nobody = "0".repeat(40);
    for what in [
        format!("GET /api/v3/checks/{NOBODY}"),
        format!("GET /api/v3/checks/{probed}"),
        format!("GET /api/v3/checks/{nobody}"),
        format!("GET /api/v3/checks/{nobody}/flips/"),
        format!("POST /api/v3/checks/{NOBODY}"),
        format!("POST /api/v3/checks/{NOBODY}/pause"),
        format!("POST /api/v3/checks/{NOBODY}/resume"),
        format!("DELETE /api/v3/checks/{NOBODY}"),
        format!("GET /api/v3/checks/{NOBODY}/pings/"),
        format!("GET /api/v3/checks/{NOBODY}/pings/1/body"),
        format!("GET /api/v3/checks/{NOBODY}/"),
        "GET /api/v3/checks/nonsense".to_owned(),
        "GET /api/v4/checks/".to_owned(),
        format!("GET /api/v9/checks/{NOBODY}"),
        "GET /api/v0/channels/".to_owned(),
    ] {
        let reply = world.ask(&what, Value::Null).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{what}");
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8", "{what}");
        assert_eq!(reply.header("access-control-allow-origin"), "*", "{what}");
        assert!(reply.text().starts_with("<!doctype html>"), "{what}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_objects() {
    let world = World::new().await;
    for (body, status, sentence) in [
        ("{", StatusCode::BAD_REQUEST, "could not parse request body"),
        ("surprise", StatusCode::BAD_REQUEST, "could not parse request body"),
        ("[]", StatusCode::BAD_REQUEST, "json validation error: value is not an object"),
        ("5", StatusCode::BAD_REQUEST, "json validation error: value is not an object"),
    ] {
        let mut request = world.house.request("POST /api/v3/checks/", Value::Null);
        request.headers_mut().insert("x-api-key", KEY.parse().expect("a header"));
        let reply = world.send(request.map(|_| Body::from(body))).await;
        assert_eq!((reply.status, reply.text()), (status, error(sentence).as_str()), "{body}");
    }
    let mut request = world.house.request("POST /api/v3/checks/", Value::Null);
    request.headers_mut().insert("x-api-key", KEY.parse().expect("a header"));
    let reply = world.send(request.map(|_| Body::from(vec![b' '; 2 << 20]))).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_a_file_declares_is_changed_there() {
    let world = World::new().await;
    let document = json!({"name": "nightly", "heartbeat": {"every": "1h"}});
    let monitors = vec![Declaration::from_json(&document).expect("a declaration")];
    let owner: Arc<str> = "bellwether.yaml".into();
    let declared = Declared { monitors, actions: vec![] };
    apply(&world.house.app.services, &owner, declared).await.expect("applied");
    let all = world.get("/api/v3/checks/").await.json();
    let uuid = uuid(&all["checks"][0]);
    for what in [
        format!("POST /api/v3/checks/{uuid}"),
        format!("POST /api/v3/checks/{uuid}/pause"),
        format!("DELETE /api/v3/checks/{uuid}"),
    ] {
        let reply = world.ask(&what, json!({"name": "mine"})).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{what}");
        let sentence = reply.json()["error"].as_str().unwrap_or_default().to_owned();
        assert!(sentence.contains("bellwether.yaml"), "{sentence}");
    }
    assert_eq!(world.get("/api/v3/checks/").await.json(), all);
}

#[tokio::test]
async fn status_and_work() {
    let world = World::new().await;
    for version in 1..=3 {
        let reply = world.with_key(&format!("GET /api/v{version}/status/"), "", Value::Null).await;
        assert_eq!((reply.status, reply.text()), (StatusCode::OK, "OK"));
        let path = format!("GET /api/v{version}/metrics/");
        let reply = world.with_key(&path, "", Value::Null).await;
        assert_eq!((reply.status, reply.text()), (StatusCode::FORBIDDEN, ""));
        for (key, status) in
            [(KEY, StatusCode::OK), (READ_ONLY, StatusCode::OK), ("x", StatusCode::FORBIDDEN)]
        {
            let mut request = world.house.request(&path, Value::Null);
            request.headers_mut().insert("x-metrics-key", key.parse().expect("a header"));
            let reply = world.send(request).await;
            assert_eq!(reply.status, status, "{}", reply.text());
            if status == StatusCode::OK {
                let work = json!({
                    "ts": 1_795_262_400, "max_ping_id": 0, "max_notification_id": null, "num_unprocessed_flips": 0,
                });
                assert_eq!(reply.json(), work);
            }
        }
    }
    // Without a slash it is another system's, in the second version.
    let reply = world.with_key("GET /api/v2/status", "", Value::Null).await;
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::NOT_FOUND, "not-found"));
    let reply = world.with_key("GET /api/v1/status", "", Value::Null).await;
    assert_eq!((reply.status, reply.header("location")), (StatusCode::MOVED_PERMANENTLY, "/api/v1/status/"));
}

async fn unique_key(world: &World) -> String {
    let reply = world.with_key("GET /api/v3/checks/", READ_ONLY, Value::Null).await;
    reply.json()["checks"][0]["unique_key"].as_str().expect("a digest").to_owned()
}
