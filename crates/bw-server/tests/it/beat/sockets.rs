//! Beats through a listener, byte by byte as the original clients send them.

use super::{KEY, World};
use bw_domain::beat::PulseKey;
use bw_engine::catalog::BeatKey;
use bw_server::Served;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

impl World {
    /// Runs a test against a listener, while beats are kept.
    async fn listening(&self, test: impl AsyncFnOnce(SocketAddr)) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let served = Arc::new(Served::all(self.app.clone()));
        let serving = bw_server::listen(listener, served, async move { drop(stopped.await) });
        let testing = async {
            test(address).await;
            stop.send(()).expect("it listens");
        };
        self.hearing(async { tokio::join!(serving, testing) }).await;
    }
}

/// Sends bytes and ends its half; what is answered until the other end closes, too.
async fn said(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(bytes).await.expect("sent");
    stream.shutdown().await.expect("an open socket");
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("in time").expect("read");
    String::from_utf8(answer).expect("text")
}

fn is_success(answer: &str) -> bool {
    answer.contains(" 200 OK\r\n") && answer.ends_with("\r\n\r\nSuccessful Heartbeat Pulse")
}

#[tokio::test]
async fn the_original_pulses() {
    let world = World::new().await;
    let whole = |query: &[u8]| {
        [
            b"GET /v1/heartbeat/pulse?",
            query,
            b" HTTP/1.1\r\nhost: localhost\r\nConnection: keep-alive\r\n\r\n",
        ]
        .concat()
    };
    world
        .listening(async |address| {
            let recorded = b"host=upload&category=ABC&type=XYZ&name=1234";
            let answer = said(address, &whole(recorded)).await;
            assert!(is_success(&answer) && answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(answer.contains("content-length: 26\r\n"), "{answer}");
            let again =
                said(address, &whole(b"host=upload&category=ABC&type=XYZ&name=1234&threshold=48")).await;
            assert!(is_success(&again), "{again}");
            for (sent, name) in [
                (&b"a%20b"[..], "a b"),
                (b"ty?pe", "ty?pe"),
                (b"a=b", "a=b"),
                (b"a/b", "a/b"),
                (b"K\xf6ln", "K\u{f6}ln"),
                (b"\"<>{}|\\^`", "\"<>{}|\\^`"),
                (b"with space", "with space"),
                (b"a#b", "a#b"),
            ] {
                let answer = said(address, &whole(&[b"host=h&category=c&type=t&name=", sent].concat())).await;
                assert!(is_success(&answer), "{name}: {answer}");
                let key = PulseKey {
                    host: "h".into(),
                    category: "c".into(),
                    r#type: "t".into(),
                    name: name.into(),
                };
                let found = world.app.services.catalog.heartbeats(&BeatKey::Pulse(&key));
                assert_eq!(found.len(), 1, "{name}");
            }
            let old =
                said(address, b"GET /heartbeat/pulse?host=h&category=c&type=t&name=old HTTP/1.0\r\n\r\n")
                    .await;
            assert!(is_success(&old) && old.starts_with("HTTP/1.0 200"), "{old}");
            for query in [&b"host=h&category=c&name=n"[..], b"host=h&category=c&type=&name=n"] {
                let answer = said(address, &whole(query)).await;
                assert!(
                    answer.starts_with("HTTP/1.1 400 ") && answer.contains("`type` is missing or empty"),
                    "{answer}"
                );
            }
        })
        .await;
}

/// The fast way and the router answer alike.
#[tokio::test]
async fn a_ping_with_all_its_headers() {
    let world = World::new().await;
    let (_, uuid) = world.heartbeat("job", json!({})).await;
    world
        .listening(async |address| {
            let answer = said(address, format!("GET /ping/{uuid} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).await;
            let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
            let mut lines: Vec<&str> = head.split("\r\n").filter(|line| !line.starts_with("date: ")).collect();
            lines[1..].sort_unstable();
            assert_eq!(body, "OK");
            assert_eq!(
                lines,
                [
                    "HTTP/1.1 200 OK",
                    "access-control-allow-origin: *",
                    "cache-control: max-age=0, no-cache, no-store, must-revalidate, private",
                    "content-length: 2",
                    "content-type: text/plain; charset=utf-8",
                    "ping-body-limit: 65536",
                    "referrer-policy: no-referrer",
                    "x-content-type-options: nosniff",
                ]
            );
            let head = said(address, format!("HEAD /ping/{uuid} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).await;
            assert!(head.starts_with("HTTP/1.1 200 OK") && head.ends_with("\r\n\r\n"), "{head}");
            let post = format!(
                "POST /ping/{KEY}/job/fail HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbad\r\n0\r\n\r\n"
            );
            let answer = said(address, post.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("\r\n\r\nOK"), "{answer}");
            let bare = said(address, format!("POST /ping/{uuid} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).await;
            assert!(bare.ends_with("\r\n\r\nOK"), "{bare}");
            // What is no beat's goes on to the router.
            let host = address.to_string();
            let other = said(address, format!("GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await;
            assert!(other.starts_with("HTTP/1.1 200 OK"), "{other}");
        })
        .await;
}

/// A connection that is kept beats again and again.
#[tokio::test]
async fn one_connection_many_beats() {
    let world = World::new().await;
    let (id, uuid) = world.heartbeat("job", json!({})).await;
    world
        .listening(async |address| {
            let all = format!("GET /ping/{uuid} HTTP/1.1\r\nHost: h\r\n\r\n").repeat(50);
            let answers = said(address, all.as_bytes()).await;
            assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 50);
        })
        .await;
    assert_eq!(world.kept(id).await.len(), 50);
}
