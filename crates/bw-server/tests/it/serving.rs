//! A listener on a socket: it answers, knows the other end, survives a panic, and stops.

use crate::house::House;
use axum::Router;
use axum::routing::get;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

async fn exchange(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = vec![0; 64 * 1_024];
    let length =
        tokio::time::timeout(Duration::from_secs(5), stream.read(&mut answer)).await.expect("in time");
    String::from_utf8_lossy(&answer[..length.expect("read")]).into_owned()
}

#[tokio::test]
async fn answers_and_stops() {
    let house = House::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let router = bw_server::router(house.app.clone());
    let serving = bw_server::serve(listener, router, async move { drop(stopped.await) });
    let asking = async move {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let host = format!("Host: 127.0.0.1:{}\r\n\r\n", address.port());
        let answer = exchange(&mut stream, &format!("GET /api/v1/monitors HTTP/1.1\r\n{host}")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let answer = exchange(&mut stream, "GET /monitors HTTP/1.1\r\nHost: evil.example\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        let answer =
            exchange(&mut stream, &format!("GET http://127.0.0.1:1/health HTTP/1.1\r\n{host}")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        stop.send(()).expect("it listens");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.expect("an idle connection is closed");
    };
    let both = async { tokio::join!(serving, asking) };
    tokio::time::timeout(Duration::from_secs(10), both).await.expect("it stops");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    let house = House::new().await;
    let router: Router = bw_server::hardened(
        Router::new().route("/monitors/panic", get(|| async { panic!("on purpose") as () })),
        house.app.clone(),
    );
    let reply = House::send_to(&router, house.request("GET /monitors/panic", serde_json::Value::Null)).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (500, "fault"));
    assert!(!reply.text().contains("on purpose"));
}
