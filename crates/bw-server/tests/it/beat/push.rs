//! Uptime Kuma's push address.

use super::{KEY, World, request};
use axum::body::Body;
use bw_domain::beat::Signal;
use bw_domain::secret::Secret;
use bw_domain::time::Duration;
use bw_server::beat::BeatSettings;
use http::StatusCode;
use serde_json::{Value, json};

const NOT_FOUND: &str = r#"{"msg":"Monitor not found or not active.","ok":false}"#;
const WRONG_PING: &str = r#"{"msg":"Invalid ping value. Must be between 0 and 100000000000 ms.","ok":false}"#;

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test]
async fn what_its_clients_send() {
    let world = World::with(BeatSettings::default()).await;
    let (id, uuid) = world.heartbeat("job", json!({})).await;
    let plain = uuid.to_string().replace('-', "");
    let ok = r#"{"ok":true}"#;
    let rows: &[(&str, u16, &str)] = &[
        ("GET /api/push/UUID?status=up&msg=OK&ping=", 200, ok),
        ("GET /api/push/PLAIN", 200, ok),
        ("POST /api/push/UPPER/", 200, ok),
        ("PUT /api/push/job?status=down&msg=it+broke&ping=12.5", 200, ok),
        ("HEAD /api/push/JOB?status=UP", 200, ok),
        ("GET /api/push/UUID?ping=0&msg=", 200, ok),
        ("GET /api/push/UUID?ping=-1", 404, WRONG_PING),
        ("GET /api/push/none?ping=1e12", 404, WRONG_PING),
        ("GET /api/push/none?status=up", 404, NOT_FOUND),
        ("GET /api/push/00000000-0000-4000-8000-000000000000", 404, NOT_FOUND),
        ("GET /api/push/", 404, NOT_FOUND),
        ("GET /api/push/UUID/more", 404, NOT_FOUND),
    ];
    world
        .hearing(async {
            for (what, status, body) in rows {
                let what = what.replace("UUID", &uuid.to_string()).replace("UPPER", &plain.to_uppercase());
                let what = what.replace("PLAIN", &plain);
                let reply = world.send(request(&what, Body::from("not read"), &[])).await;
                assert_eq!(reply.status.as_u16(), *status, "{what}");
                if !what.starts_with("HEAD") {
                    assert_eq!(reply.json(), json_of(body), "{what}");
                }
                assert_eq!(reply.header("content-type"), "application/json; charset=utf-8", "{what}");
            }
        })
        .await;
    let kept = world.kept(id).await;
    let signals: Vec<Signal> = kept.iter().map(|row| row.signal).collect();
    let (up, down) = (Signal::Success, Signal::Fail);
    assert_eq!(signals, [up, up, up, down, down, up]);
    assert_eq!(kept[3].duration, Some(Duration::from_micros(12_500)));
    assert_eq!(world.body(&kept[0]).await, b"OK");
    assert_eq!(world.body(&kept[3]).await, b"it broke");
    assert_eq!(world.body(&kept[5]).await, b"OK");
}

/// With a ping key slugs belong below it alone.
#[tokio::test]
async fn slugs_stand_for_tokens_only_without_a_ping_key() {
    let world =
        World::with(BeatSettings { ping_key: Some(Secret::new(KEY)), ..BeatSettings::default() }).await;
    world.heartbeat("job", json!({})).await;
    let reply = world.ask("GET /api/push/job").await;
    assert_eq!((reply.status, reply.json()), (StatusCode::NOT_FOUND, json_of(NOT_FOUND)));

    let world = World::with(BeatSettings::default()).await;
    for name in ["one", "two"] {
        let rules = json!({"rules": "healthchecks"});
        world.house.declare(json!({"name": name, "slug": "twice", "heartbeat": rules})).await;
    }
    let reply = world.ask("GET /api/push/twice").await;
    assert_eq!((reply.status, reply.json()), (StatusCode::NOT_FOUND, json_of(NOT_FOUND)));
}

#[tokio::test]
async fn a_paused_one_is_not_active() {
    let world = World::new().await;
    let (id, uuid) = world.heartbeat("job", json!({})).await;
    let paused = world.house.ask(&format!("POST /api/v1/monitors/{id}/pause"), Value::Null).await;
    assert!(paused.status.is_success(), "{}", paused.text());
    let reply = world.ask(&format!("GET /api/push/{uuid}")).await;
    assert_eq!((reply.status, reply.json()), (StatusCode::NOT_FOUND, json_of(NOT_FOUND)));
    let spec = world.app.services.catalog.get(id).expect("it is there");
    assert!(!spec.enabled && world.kept(id).await.is_empty());
}
