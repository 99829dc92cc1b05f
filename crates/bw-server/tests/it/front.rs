//! The front of a listener, on sockets: what the original clients send reaches the handler as it was sent, and what
//! is no beat's is as it was.

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Longer than the listener's own time for a head.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the handler saw, a line each: method, path and query; then the body.
async fn echo(request: Request) -> Bytes {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let mut seen = format!("{}\n{target}\n", parts.method).into_bytes();
    match axum::body::to_bytes(body, 1 << 20).await {
        Ok(body) => seen.extend_from_slice(&body),
        Err(error) => seen.extend_from_slice(format!("no body: {error}").as_bytes()),
    }
    seen.into()
}

/// Runs `test` against a listener that echoes.
async fn listening(test: impl AsyncFnOnce(SocketAddr)) {
    listening_at(bw_server::BeatPaths::default(), Router::new().fallback(echo), test).await;
}

async fn listening_at(beats: bw_server::BeatPaths, router: Router, test: impl AsyncFnOnce(SocketAddr)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = bw_server::serve_beats(listener, router, beats, async move { drop(stopped.await) });
    let testing = async move {
        test(address).await;
        stop.send(()).expect("it listens");
    };
    tokio::join!(serving, testing);
}

struct Client(TcpStream);

struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn status(&self) -> &str {
        self.head.split(' ').nth(1).expect("a status")
    }

    /// What the handler saw as path and query.
    fn target(&self) -> Vec<u8> {
        self.body.split(|byte| *byte == b'\n').nth(1).expect("a target").to_vec()
    }

    fn closes(&self) -> bool {
        self.head.to_ascii_lowercase().contains("\r\nconnection: close\r\n")
    }
}

impl Client {
    async fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("connected");
        stream.set_nodelay(true).expect("an open socket");
        Self(stream)
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("sent");
    }

    /// The next answer by its `Content-Length`.
    async fn answer(&mut self) -> Answer {
        let reading = async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let byte = self.0.read_u8().await;
                head.push(byte.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&head))));
            }
            let head = String::from_utf8(head).expect("text");
            let lower = head.to_ascii_lowercase();
            let length =
                lower.split("\r\ncontent-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
            let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
            self.0.read_exact(&mut body).await.expect("a whole body");
            Answer { head, body }
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("an answer in time")
    }

    async fn ask(&mut self, bytes: &[u8]) -> Answer {
        self.send(bytes).await;
        self.answer().await
    }

    /// What comes until the other end closes.
    async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let reading = self.0.read_to_end(&mut rest);
        tokio::time::timeout(PATIENCE, reading).await.expect("closed in time").expect("closed in order");
        rest
    }
}

async fn ask(address: SocketAddr, request: &[u8]) -> Answer {
    Client::new(address).await.ask(request).await
}

/// A request with this target; the head is whole.
fn get(target: &[u8]) -> Vec<u8> {
    [b"GET ", target, b" HTTP/1.1\r\nHost: h\r\n\r\n"].concat()
}

/// Percent-decoding as handlers do it: what is malformed stays.
fn decoded(target: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = target;
    while let Some((byte, next)) = rest.split_first() {
        let digits = next.get(..2).and_then(|digits| str::from_utf8(digits).ok());
        let digits = digits.filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(digits.unwrap_or(*byte));
        rest = if digits.is_some() { &next[2..] } else { next };
    }
    out
}

#[tokio::test]
async fn every_byte_reaches_the_handler() {
    listening(async |address| {
        let mut refused = BTreeSet::new();
        for byte in (0..=u8::MAX).filter(|byte| *byte != b'\n') {
            for (before, after) in [("/ping/a", "z/start"), ("/heartbeat/pulse?name=a", "z&type=b")] {
                let target = [before.as_bytes(), &[byte], after.as_bytes()].concat();
                let answer = ask(address, &get(&target)).await;
                assert_eq!(answer.status(), "200", "{byte:#04x} in {before}: {}", answer.head);
                assert_eq!(decoded(&answer.target()), target, "{byte:#04x} in {before}");
                let other = [b"/other", before.as_bytes(), &[byte], after.as_bytes()].concat();
                let answer = ask(address, &get(&other)).await;
                if answer.status() != "200" || decoded(&answer.target()) != other {
                    refused.insert(byte);
                }
            }
        }
        // What the library does with other paths is its own affair; without a difference no front was needed.
        for byte in [0, b' ', b'#', b'<', b'>', b'`', 0x7f, 0xf6] {
            assert!(refused.contains(&byte), "{byte:#04x} goes on to the library untouched elsewhere");
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_original_clients_send() {
    listening(async |address| {
        let plain = b"GET /v1/heartbeat/pulse?host=upload&category=ABC&type=XYZ&name=1234 HTTP/1.1\r\n\
            host: localhost\r\nConnection: keep-alive\r\n\r\n";
        let answer = ask(address, plain).await;
        assert_eq!(answer.target(), b"/v1/heartbeat/pulse?host=upload&category=ABC&type=XYZ&name=1234");
        assert!(!answer.closes());
        let cases: [(&[u8], &[u8]); 9] = [
            (b"name=a%20b", b"name=a%20b"),
            (b"name=ty?pe", b"name=ty?pe"),
            (b"name=a=b", b"name=a=b"),
            (b"name=a/b+c", b"name=a/b+c"),
            (b"name=K\xf6ln", b"name=K%F6ln"),
            ("name=Köln €".as_bytes(), b"name=K%C3%B6ln%20%E2%82%AC"),
            (b"name=\xff\xc3", b"name=%FF%C3"),
            (b"name=%zz%&\"<>{}|\\^`", b"name=%zz%&%22%3C%3E%7B%7D%7C%5C%5E%60"),
            (b"name=a#b", b"name=a%23b"),
        ];
        for (sent, seen) in cases {
            for base in ["/v1/heartbeat/pulse?", "/heartbeat/pulse?", "/ping/x?", "/api/push/t?"] {
                let answer = ask(address, &get(&[base.as_bytes(), sent].concat())).await;
                assert_eq!(answer.target(), [base.as_bytes(), seen].concat());
            }
        }
    })
    .await;
}

#[tokio::test]
async fn lines_of_all_versions() {
    listening(async |address| {
        let cases: [(&[u8], &[u8]); 11] = [
            (b"GET /ping/a HTTP/1.0\r\n\r\n", b"/ping/a"),
            (b"GET /ping/\xf6 HTTP/1.0\r\n\r\n", b"/ping/%F6"),
            (b"GET /ping/\xf6 HTTP/1.0\r\nHost: h\r\n\r\n", b"/ping/%F6"),
            (b"GET http://h/ping/a HTTP/1.1\r\nHost: h\r\n\r\n", b"/ping/a"),
            (b"GET http://h:80/ping/\xf6?\xf6 HTTP/1.1\r\nHost: h\r\n\r\n", b"/ping/%F6?%F6"),
            (b"GET /ping/a\r\n", b"/ping/a"),
            (b"GET /ping/\xf6\n\n", b"/ping/%F6"),
            (b"GET /ping/a\r\nHost: h\r\n\r\n", b"/ping/a"),
            (b"POST /ping/a b\r\nHost: h\r\n\r\n", b"/ping/a%20b"),
            (b"GET  /ping/a  HTTP/1.1 \r\nHost: h\r\n\r\n", b"/ping/a"),
            (b"\r\nGET /ping/a? b  c HTTP/1.1\nHost: h\n\n", b"/ping/a?%20b%20%20c"),
        ];
        for (sent, seen) in cases {
            let shown = String::from_utf8_lossy(sent);
            let answer = ask(address, sent).await;
            assert_eq!((answer.status(), answer.target().as_slice()), ("200", seen), "{shown}");
        }
    })
    .await;
}

#[tokio::test]
async fn any_method() {
    listening(async |address| {
        for method in
            ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "get", "pOst", "a!#$%&'*+-.^_`|~9"]
        {
            for target in [&b"/ping/a"[..], b"/ping/\xf6"] {
                let request = [method.as_bytes(), b" ", target, b" HTTP/1.1\r\nHost: h\r\n\r\n"].concat();
                let mut client = Client::new(address).await;
                client.send(&request).await;
                if method == "HEAD" {
                    client.0.shutdown().await.expect("an open socket");
                    assert!(client.rest().await.starts_with(b"HTTP/1.1 200 "));
                    continue;
                }
                let answer = client.answer().await;
                assert_eq!(answer.status(), "200", "{method}");
                assert!(answer.body.starts_with(format!("{method}\n/ping/").as_bytes()), "{method}");
            }
        }
        for method in [&b""[..], b"G\xf6T", b"G(T"] {
            let answer = ask(address, &[method, b" /ping/\xf6 HTTP/1.1\r\nHost: h\r\n\r\n"].concat()).await;
            assert_eq!(answer.status(), "400");
        }
    })
    .await;
}

#[tokio::test]
async fn bodies_of_all_kinds() {
    const LURE: &str = "GET /ping/| HTTP/1.1\r\n\r\n";
    listening(async |address| {
        for target in [&b"/ping/a"[..], b"/ping/\xf6", b"/other"] {
            let post = |fields: &str, body: &[u8]| {
                let fields = format!(" HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
                [b"POST ", target, fields.as_bytes(), body].concat()
            };
            let body =
                |answer: Answer| answer.body.splitn(3, |byte| *byte == b'\n').nth(2).map(<[u8]>::to_vec);
            let sized = format!("Content-Length: {}\r\n", LURE.len());
            assert_eq!(body(ask(address, &post(&sized, LURE.as_bytes())).await), Some(LURE.into()));
            let chunked = format!("{:x}\r\n{LURE}\r\n0\r\n\r\n", LURE.len());
            let answer = ask(address, &post("Transfer-Encoding: chunked\r\n", chunked.as_bytes())).await;
            assert_eq!(body(answer), Some(LURE.into()));
            assert_eq!(body(ask(address, &post("", b"")).await), Some(Vec::new()));

            let mut client = Client::new(address).await;
            client.send(&post(&format!("{sized}Expect: 100-continue\r\n"), b"")).await;
            assert_eq!(client.answer().await.status(), "100");
            assert_eq!(body(client.ask(LURE.as_bytes()).await), Some(LURE.into()));

            let old = [b"POST ", target, b" HTTP/1.0\r\nContent-Length: 2\r\n\r\nab"].concat();
            assert_eq!(body(ask(address, &old).await), Some(b"ab".to_vec()));
            // Until the end of the connection there is no body in a request: it is empty, and answered.
            let unsaid = [b"POST ", target, b" HTTP/1.0\r\n\r\nab"].concat();
            assert_eq!(body(ask(address, &unsaid).await), Some(Vec::new()));
        }
    })
    .await;
}

#[tokio::test]
async fn a_kept_connection_is_looked_at_each_time() {
    listening(async |address| {
        let mut client = Client::new(address).await;
        for _ in 0..3 {
            assert!(!client.ask(&get(b"/other")).await.closes());
            assert!(!client.ask(&get(b"/ping/a")).await.closes());
            let post = b"POST /ping/a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
            assert!(!client.ask(post).await.closes());
        }
        let answer = client.ask(&get(b"/ping/\xf6")).await;
        assert_eq!(answer.target(), b"/ping/%F6");
        assert!(answer.closes(), "the next line comes on a connection of its own");
        assert_eq!(client.rest().await, b"");

        let mut client = Client::new(address).await;
        client.send(&[get(b"/other"), get(b"/ping/\xf6")].concat()).await;
        assert!(!client.answer().await.closes(), "the second is still to be answered");
        assert_eq!(client.answer().await.target(), b"/ping/%F6");
        assert_eq!(client.rest().await, b"");

        let mut client = Client::new(address).await;
        let chunked = b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        assert!(client.ask(chunked).await.closes(), "where the next line begins is not known");
        assert_eq!(client.rest().await, b"");
    })
    .await;
}

#[tokio::test]
async fn slow_and_long_lines() {
    listening(async |address| {
        let mut client = Client::new(address).await;
        for byte in get(b"/ping/\xf6?a=|") {
            client.send(&[byte]).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(client.answer().await.target(), b"/ping/%F6?a=%7C");

        for begin in ["/other?", "/ping/?"] {
            let target = [begin.as_bytes(), &vec![b'a'; 20 << 10]].concat();
            assert_eq!(ask(address, &get(&target)).await.target(), target);
        }
        let most = [b"/ping/?", vec![0xf6; (16 << 10) - 24].as_slice()].concat();
        assert_eq!(decoded(&ask(address, &get(&most)).await.target()), most);

        let cookie = format!("GET /other HTTP/1.1\r\nHost: h\r\nCookie: {}\r\n\r\n", "a".repeat(40 << 10));
        assert_eq!(ask(address, cookie.as_bytes()).await.status(), "200");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_says_nothing_or_half_a_line_is_closed() {
    listening(async |address| {
        let mut nothing = Client::new(address).await;
        let mut half = Client::new(address).await;
        half.send(b"GET /ping/\xf6").await;
        let mut line = Client::new(address).await;
        line.send(b"GET /ping/\xf6 HTTP/1.1\r\nHos").await;
        let mut next = Client::new(address).await;
        assert_eq!(next.ask(&get(b"/ping/a")).await.status(), "200");
        tokio::join!(nothing.rest(), half.rest(), line.rest(), next.rest());
    })
    .await;
}

#[tokio::test]
async fn what_is_not_http_1_is_refused_at_once() {
    listening(async |address| {
        assert_eq!(ask(address, b"\x16\x03\x01\x02\x00\x01").await.status(), "400");
        let mut client = Client::new(address).await;
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        client.rest().await;
        let mut client = Client::new(address).await;
        client.send(b"GET /ping/\xf6").await;
        client.0.shutdown().await.expect("an open socket");
        client.rest().await;
    })
    .await;
}

#[tokio::test]
async fn beats_at_other_paths() {
    let beats = bw_server::BeatPaths::new(["/", "http-is-no-path"]);
    listening_at(beats, Router::new().fallback(echo), async |address| {
        assert_eq!(ask(address, &get(b"/\xf6")).await.target(), b"/%F6");
    })
    .await;
    listening_at(bw_server::BeatPaths::new(["/hb/"]), Router::new().fallback(echo), async |address| {
        assert_eq!(ask(address, &get(b"/hb/\xf6")).await.target(), b"/hb/%F6");
        assert_eq!(ask(address, &get(b"/ping/\xf6")).await.status(), "400");
    })
    .await;
}

/// A beat that is being written down is written down, also when its client has said that it says no more.
#[tokio::test]
async fn a_client_that_ends_its_half_is_answered() {
    let later = |request: Request| async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        echo(request).await
    };
    listening_at(bw_server::BeatPaths::default(), Router::new().fallback(later), async |address| {
        for target in [&b"/ping/a"[..], b"/ping/\xf6"] {
            let mut client = Client::new(address).await;
            client.send(&get(target)).await;
            client.0.shutdown().await.expect("an open socket");
            assert_eq!(client.answer().await.status(), "200");
            assert_eq!(client.rest().await, b"");
        }
    })
    .await;
}
