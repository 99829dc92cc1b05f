//! How often, how many at once, and what is said when it is too much.

use super::{World, request_from};
use bw_domain::limits::BEATS_WAITING;
use bw_domain::time::Duration;
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::json;

/// One wild job is slowed down, its neighbour is not, and it is told when to come again.
#[tokio::test]
async fn a_heartbeat_has_its_share() {
    let world = World::new().await;
    let (wild, wild_uuid) = world.heartbeat("wild", json!({})).await;
    let (_, calm_uuid) = world.heartbeat("calm", json!({})).await;
    world
        .hearing(async {
            for number in 0..60 {
                let reply = world.ask(&format!("GET /ping/{wild_uuid}")).await;
                assert_eq!(reply.status, StatusCode::OK, "{number}");
            }
            for address in ["127.0.0.1:9", "192.0.2.1:9"] {
                let reply = world.send(request_from(address, &format!("GET /ping/{wild_uuid}"))).await;
                assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
                assert_eq!(
                    (reply.header("retry-after"), reply.text()),
                    ("1", "too many beats: come again in 1 s")
                );
            }
            let push = world.ask(&format!("GET /api/push/{wild_uuid}")).await;
            assert_eq!((push.status, push.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"));
            assert_eq!(push.json(), json!({"ok": false, "msg": "too many beats: come again in 1 s"}));
            assert_eq!(world.ask(&format!("GET /ping/{calm_uuid}")).await.status, StatusCode::OK);
            world.house.clock.advance(Duration::from_secs(1));
            for (number, status) in [200, 200, 200, 200, 200, 429].into_iter().enumerate() {
                let reply = world.ask(&format!("GET /ping/{wild_uuid}")).await;
                assert_eq!(reply.status.as_u16(), status, "{number}");
            }
        })
        .await;
    assert_eq!(world.kept(wild).await.len(), 65);
    assert_eq!(world.counted("throttled"), 4);
}

/// Whoever asks for what is not there is slowed down; what is there is answered all the same.
#[tokio::test]
async fn unknown_addresses() {
    let world = World::new().await;
    let (_, uuid) = world.heartbeat("job", json!({})).await;
    let unknown = "GET /ping/00000000-0000-4000-8000-000000000000";
    world
        .hearing(async {
            let from = |address, what: &str| world.send(request_from(address, what));
            for _ in 0..100 {
                assert_eq!(from("[2001:db8::1]:9", unknown).await.status, StatusCode::NOT_FOUND);
            }
            assert_eq!(from("[2001:db8::2]:9", unknown).await.status, StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(from("[2001:db8::2]:9", &format!("GET /ping/{uuid}")).await.status, StatusCode::OK);
            assert_eq!(from("[2001:db8:1::2]:9", unknown).await.status, StatusCode::NOT_FOUND);
            for _ in 0..200 {
                assert_eq!(from("127.0.0.1:9", unknown).await.status, StatusCode::NOT_FOUND);
            }
        })
        .await;
}

/// All that wait are kept in one append.
#[tokio::test]
async fn sixty_four_at_once_in_one_commit() {
    let world = World::new().await;
    let mut paths = Vec::new();
    for number in 0..64 {
        let (_, uuid) = world.heartbeat(&format!("job{number}"), json!({})).await;
        paths.push(format!("GET /ping/{uuid}"));
    }
    let mut ingest = world.ingest();
    let mut asking = Box::pin(join_all(paths.iter().map(|path| world.ask(path))));
    assert!(futures_util::poll!(&mut asking).is_pending());
    let inbox = &world.app.services.beats;
    assert_eq!(inbox.len(), 64);
    ingest.tick().await;
    assert!(inbox.is_empty(), "one append takes all that wait");
    let replies = loop {
        tokio::select! {
            replies = &mut asking => break replies,
            () = ingest.progress() => drop(ingest.tick().await),
        }
    };
    assert!(replies.iter().all(|reply| reply.status == StatusCode::OK && reply.text() == "OK"));
    assert_eq!(world.counted("success"), 64);
}

/// When the store is away for long, clients hear so and keep theirs.
#[tokio::test]
async fn too_many_wait() {
    let world = World::new().await;
    let (id, uuid) = world.heartbeat("job", json!({})).await;
    let services = &world.app.services;
    let spec = services.catalog.get(id).expect("it is there");
    let beat = || bw_domain::beat::Beat {
        monitor: id,
        at: bw_testkit::builders::START,
        happened: None,
        signal: bw_domain::beat::Signal::Log,
        ignored: false,
        run: None,
        took: None,
        via: bw_domain::beat::Via::default(),
        body: bytes::Bytes::new(),
    };
    for _ in 0..BEATS_WAITING {
        let incoming = bw_domain::port::store::Incoming { spec: spec.clone(), beat: beat() };
        assert!(services.beats.offer(&*services.clock, |_| incoming).is_some());
    }
    let reply = world.ask(&format!("GET /ping/{uuid}")).await;
    assert_eq!((reply.status, reply.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "1"));
    assert_eq!(reply.text(), "too many beats wait to be kept: send it again in a second");
    let reply = world.ask("GET /heartbeat/pulse?host=h&category=c&type=t&name=n").await;
    assert_eq!((reply.status, reply.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "1"));
    assert_eq!(world.counted("refused"), 2);
}
