//! Bodies: what is kept of them, and what they cannot do.

use super::{World, request};
use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

#[tokio::test]
async fn the_beginning_is_kept() {
    let world = World::new().await;
    let (id, uuid) = world.heartbeat("job", json!({})).await;
    let whole: Vec<u8> = (0..200_000_u32).map(|number| number as u8).collect();
    world
        .hearing(async {
            for length in [0, 1, 65_535, 65_536, 65_537, 200_000] {
                let pieces = whole[..length]
                    .chunks(10_000)
                    .map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece)));
                let body = Body::from_stream(stream::iter(pieces.collect::<Vec<_>>()));
                let reply = world.send(request(&format!("POST /ping/{uuid}"), body, &[])).await;
                assert_eq!((reply.status, reply.text()), (StatusCode::OK, "OK"), "{length}");
                assert_eq!(reply.header("ping-body-limit"), "65536");
            }
        })
        .await;
    let kept = world.kept(id).await;
    let lengths: Vec<u32> = kept.iter().map(|row| row.body_bytes).collect();
    assert_eq!(lengths, [0, 1, 65_535, 65_536, 65_536, 65_536]);
    assert_eq!(world.body(&kept[5]).await, &whole[..65_536]);
}

/// One that never ends is cut, and its beat counts.
#[tokio::test]
async fn an_endless_one_is_cut() {
    let world = World::new().await;
    let (id, uuid) = world.heartbeat("job", json!({})).await;
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = taken.clone();
    let endless = stream::repeat_with(move || {
        counter.fetch_add(1 << 16, SeqCst);
        Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 1 << 16]))
    });
    let reply = world
        .hearing(world.send(request(&format!("POST /ping/{uuid}"), Body::from_stream(endless), &[])))
        .await;
    assert_eq!((reply.status, reply.text()), (StatusCode::OK, "OK"));
    assert!(taken.load(SeqCst) <= (10 << 20) + (1 << 16), "it is not read for ever");
    assert_eq!(world.kept(id).await[0].body_bytes, 65_536);
}

/// What broke off on its way was not said.
#[tokio::test]
async fn a_broken_one_is_no_beat() {
    let world = World::new().await;
    let (id, uuid) = world.heartbeat("job", json!({})).await;
    let pieces = [Ok(Bytes::from_static(b"all is")), Err(std::io::Error::other("gone"))];
    let body = Body::from_stream(stream::iter(pieces));
    let reply = world.hearing(world.send(request(&format!("POST /ping/{uuid}"), body, &[]))).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(world.kept(id).await.is_empty());
    assert_eq!(world.counted("refused"), 1);
}
