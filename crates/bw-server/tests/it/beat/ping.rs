//! The table of Healthchecks' ping interface, row by row.

use super::{KEY, World, request, request_from};
use axum::body::Body;
use bw_domain::beat::{RunId, Signal};
use bw_domain::port::clock::Clock;
use bw_domain::time::{Duration, Instant};
use http::StatusCode;
use serde_json::json;

const RUN: &str = "728b3763-ea80-4113-9fc0-f49b4adb226e";

#[tokio::test]
async fn statuses_and_bodies() {
    let world = World::new().await;
    let (_, uuid) = world.heartbeat("job", json!({})).await;
    for name in ["one", "two"] {
        let rules = json!({"rules": "healthchecks"});
        world.house.declare(json!({"name": name, "slug": "twice", "heartbeat": rules})).await;
    }
    let uuid = uuid.to_string();
    let unknown = "00000000-0000-4000-8000-000000000000";
    let long = "x".repeat(1_000);
    let rows: &[(&str, u16, &str)] = &[
        ("/UUID", 200, "OK"),
        ("/UUID/", 200, "OK"),
        ("/UUID/start", 200, "OK"),
        ("/UUID/fail", 200, "OK"),
        ("/UUID/log", 200, "OK"),
        ("/UUID/0", 200, "OK"),
        ("/UUID/1", 200, "OK"),
        ("/UUID/255", 200, "OK"),
        ("/UUID/256", 400, "invalid url format"),
        ("/UUID/100000000000000000000", 400, "invalid url format"),
        ("/UUID/-1", 404, "not found"),
        ("/UUID/abc", 404, "not found"),
        ("/UUID/fail/", 404, "not found"),
        ("/UUID/0/", 404, "not found"),
        ("/UUID/fail/log", 404, "not found"),
        ("/UPPER", 404, "not found"),
        ("/UPPER/fail", 404, "not found"),
        ("/PLAIN", 404, "not found"),
        ("/PLAIN/fail", 404, "not found"),
        ("/UNKNOWN", 404, "not found"),
        ("/UNKNOWN/start", 404, "not found"),
        ("/UUID?rid=RUN", 200, "OK"),
        ("/UUID/start?rid=RUN", 200, "OK"),
        ("/UUID?rid=1", 400, "invalid uuid format"),
        ("/UUID/fail?rid=", 400, "invalid uuid format"),
        ("/UUID?at=nonsense&duration_ms=-&x&=&%zz", 200, "OK"),
        ("/KEY/job", 200, "OK"),
        ("/KEY/job/", 200, "OK"),
        ("/KEY/j%6Fb", 200, "OK"),
        ("/KEY/job/start", 200, "OK"),
        ("/KEY/job/fail", 200, "OK"),
        ("/KEY/job/log", 200, "OK"),
        ("/KEY/job/7", 200, "OK"),
        ("/KEY/job/256", 400, "invalid url format"),
        ("/KEY/job/-1", 404, "not found"),
        ("/KEY/job/abc", 404, "not found"),
        ("/KEY/job/fail/", 404, "not found"),
        ("/KEY/Job", 400, "invalid url format"),
        ("/KEY/JOB/fail", 400, "invalid url format"),
        ("/KEY/twice", 409, "ambiguous slug"),
        ("/KEY/twice/fail", 409, "ambiguous slug"),
        ("/KEY/twice?create=1", 409, "ambiguous slug"),
        ("/KEY/none", 404, "not found"),
        ("/KEY/none?create=0", 404, "not found"),
        ("/wrong/job", 404, "not found"),
        ("/wrong/job?create=1", 404, "not found"),
        ("/KEY", 404, "not found"),
        ("/KEY/", 404, "not found"),
        ("/", 404, "not found"),
        ("//", 404, "not found"),
        ("/KEY/made?create=1", 201, "Created"),
        ("/KEY/made?create=1", 200, "OK"),
        ("/KEY/made", 200, "OK"),
        ("/KEY/begun/start?create=1", 201, "Created"),
        ("/KEY/begun/fail?create=1", 200, "OK"),
        ("/wrong/other?create=1", 404, "not found"),
        ("/KEY/other", 404, "not found"),
    ];
    world
        .hearing(async {
            for (path, status, body) in rows {
                let path = path
                    .replace("UUID", &uuid)
                    .replace("UNKNOWN", unknown)
                    .replace("UPPER", &uuid.to_uppercase())
                    .replace("PLAIN", &uuid.replace('-', ""))
                    .replace("KEY", KEY)
                    .replace("RUN", RUN);
                let reply = world.ask(&format!("GET /ping{path}")).await;
                assert_eq!((reply.status.as_u16(), reply.text()), (*status, *body), "{path}");
                assert_eq!(reply.header("access-control-allow-origin"), "*", "{path}");
                assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8", "{path}");
                let never = "max-age=0, no-cache, no-store, must-revalidate, private";
                assert_eq!(reply.header("cache-control"), never, "{path}");
                let limit = if *status < 300 { "65536" } else { "" };
                assert_eq!(reply.header("ping-body-limit"), limit, "{path}");
            }
            // Longer than a slug may be.
            let reply = world.ask(&format!("GET /ping/{KEY}/{long}?create=1")).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.text());
        })
        .await;
    assert_eq!(world.counted("ambiguous"), 3);
}

/// Every method counts, and each is known afterwards.
#[tokio::test]
async fn any_method() {
    let world = World::new().await;
    let (id, uuid) = world.heartbeat("job", json!({})).await;
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "lower", "A!B"];
    world
        .hearing(async {
            for method in methods {
                let reply = world.ask(&format!("{method} /ping/{uuid}")).await;
                assert_eq!(reply.status, StatusCode::OK, "{method}");
                let body = if method == "HEAD" { "" } else { "OK" };
                assert!(reply.text() == "OK" || reply.text() == body, "{method}");
            }
        })
        .await;
    let kept = world.kept(id).await;
    assert_eq!(kept.iter().map(|row| &*row.via.method).collect::<Vec<_>>(), methods);
    assert!(kept.iter().all(|row| row.signal == Signal::Success && !row.ignored));
    assert_eq!(world.counted("success"), methods.len() as u64);
}

/// What a ping says is what is kept of it.
#[tokio::test]
async fn what_is_kept() {
    let world = World::new().await;
    let (id, uuid) = world.heartbeat("job", json!({})).await;
    let now = world.house.clock.now();
    let ago = now.ms() - 5_000;
    let headers = [
        ("user-agent", "curl/8"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "198.51.100.1, 192.0.2.7"),
    ];
    world
        .hearing(async {
            let what = format!("PUT /ping/{uuid}/3?rid={RUN}&at={ago}&duration_ms=1234");
            assert_eq!(
                world.send(request(&what, Body::from("it broke"), &headers)).await.status,
                StatusCode::OK
            );
            let later = format!("GET /ping/{uuid}/start?at={}", now.ms() + 1);
            assert_eq!(world.ask(&later).await.status, StatusCode::OK);
        })
        .await;
    let kept = world.kept(id).await;
    assert_eq!(kept.len(), 2);
    let first = &kept[0];
    assert_eq!((first.signal, first.run), (Signal::Exit(3), RunId::parse(RUN)));
    assert_eq!((first.at, first.happened), (now, Some(Instant::from_ms(ago))));
    assert_eq!(first.duration, Some(Duration::from_millis(1_234)));
    let via = [&first.via.scheme, &first.via.method, &first.via.remote, &first.via.agent].map(|text| &**text);
    assert_eq!(via, ["https", "PUT", "192.0.2.7", "curl/8"]);
    assert_eq!(world.body(first).await, b"it broke");
    assert_eq!((kept[1].signal, kept[1].happened, &*kept[1].via.remote), (Signal::Start, None, "127.0.0.1"));
    assert_eq!((world.counted("fail"), world.counted("start")), (1, 1));
}

/// One that counts POST alone keeps the others as ignored, and answers them as if nothing were.
#[tokio::test]
async fn post_only() {
    let world = World::new().await;
    let (id, uuid) = world.heartbeat("job", json!({"post_only": true})).await;
    world.house.settle();
    world
        .hearing(async {
            for method in ["GET", "POST"] {
                let reply = world.ask(&format!("{method} /ping/{uuid}")).await;
                assert_eq!((reply.status, reply.text()), (StatusCode::OK, "OK"), "{method}");
            }
        })
        .await;
    let ignored: Vec<bool> = world.kept(id).await.iter().map(|row| row.ignored).collect();
    assert_eq!(ignored, [true, false]);
    assert_eq!((world.counted("ign"), world.counted("success")), (1, 1));
}

/// Who does not know the key cannot learn which slugs there are.
#[tokio::test]
async fn a_wrong_key_looks_like_an_unknown_slug() {
    let world = World::new().await;
    world.heartbeat("job", json!({})).await;
    let answer = async |what: String| {
        let reply = world.ask(&what).await;
        (reply.status, reply.headers.clone(), reply.body.clone())
    };
    let wrong = answer(format!("GET /ping/{}x/job", &KEY[1..])).await;
    assert_eq!(wrong.0, StatusCode::NOT_FOUND);
    for other in [format!("/ping/{KEY}/none"), "/ping/x/none".to_owned(), format!("/ping/{KEY}x/job/fail")] {
        assert_eq!(answer(format!("GET {other}")).await, wrong, "{other}");
    }
    assert_eq!(world.counted("unknown"), 4);
    // They are one and the same to the limit, too.
    for (address, path) in [("192.0.2.1:9", "wrong/job"), ("192.0.2.2:9", &*format!("{KEY}/none"))] {
        for _ in 0..100 {
            let reply = world.send(request_from(address, &format!("GET /ping/{path}"))).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        }
        let reply = world.send(request_from(address, &format!("GET /ping/{path}"))).await;
        assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
}

#[tokio::test]
async fn without_a_key_nothing_is_reached_by_slug() {
    let world = World::with(bw_server::beat::BeatSettings::default()).await;
    world.heartbeat("job", json!({})).await;
    for path in ["/ping//job", "/ping/x/job", "/ping/x/new?create=1"] {
        let reply = world.ask(&format!("GET {path}")).await;
        assert_eq!((reply.status, reply.text()), (StatusCode::NOT_FOUND, "not found"), "{path}");
    }
}

/// A beat whose store is away is not promised.
#[tokio::test]
async fn paused_heartbeats() {
    let world = World::new().await;
    let (id, uuid) = world.heartbeat("job", json!({"manual_resume": true})).await;
    let reply = world.house.ask(&format!("POST /api/v1/monitors/{id}/pause"), serde_json::Value::Null).await;
    assert!(reply.status.is_success(), "{}", reply.text());
    let reply = world.hearing(world.ask(&format!("GET /ping/{uuid}"))).await;
    assert_eq!((reply.status, reply.text()), (StatusCode::OK, "OK"));
    assert!(world.kept(id).await[0].ignored);
}
