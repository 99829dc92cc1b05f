//! A server that answers as it is told, on plain sockets or behind TLS.

use super::answer::{Answer, Manner};
use super::authority::Leaf;
use super::request::{self, Recorded};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A listening server. Without a word it answers each request with `200` and `ok`.
#[derive(Debug)]
pub struct Target {
    address: SocketAddr,
    tls: bool,
    shared: Arc<Shared>,
    /// Holds the accepting task, which holds the tasks of the connections: dropped, all end.
    _task: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    script: Mutex<Script>,
    requests: watch::Sender<usize>,
    connections: watch::Sender<usize>,
}

#[derive(Debug)]
struct Script {
    standing: Answer,
    by_path: HashMap<String, Answer>,
    next: VecDeque<Answer>,
    received: Vec<Recorded>,
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no test panics while it holds the script")
    }
}

impl Target {
    /// Plain HTTP on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        Target::start_on("127.0.0.1:0").await
    }

    /// Plain HTTP on this address.
    pub async fn start_on(address: &str) -> Self {
        Target::listen(address, None).await
    }

    /// HTTPS on a free port of 127.0.0.1, with this certificate.
    pub async fn start_tls(leaf: &Leaf) -> Self {
        Target::listen("127.0.0.1:0", Some(leaf.acceptor())).await
    }

    async fn listen(address: &str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(address).await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let script = Script {
            standing: Answer::ok("ok"),
            by_path: HashMap::new(),
            next: VecDeque::new(),
            received: Vec::new(),
        };
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            requests: watch::Sender::new(0),
            connections: watch::Sender::new(0),
        });
        let encrypted = tls.is_some();
        let mut task = JoinSet::new();
        task.spawn(accept(listener, tls, shared.clone()));
        Target { address, tls: encrypted, shared, _task: task }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The root of the server, by its literal address.
    pub fn url(&self) -> String {
        self.at("/")
    }

    /// One path of the server.
    pub fn at(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.tls { "https" } else { "http" }, self.address)
    }

    /// One path of the server, by another name for the same machine.
    pub fn at_host(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", if self.tls { "https" } else { "http" }, self.port())
    }

    /// From now on answers so, where no path and no queued answer says otherwise.
    pub fn set(&self, answer: Answer) {
        self.shared.script().standing = answer;
    }

    /// From now on answers so at this path (with its query).
    pub fn set_path(&self, path: &str, answer: Answer) {
        self.shared.script().by_path.insert(path.to_owned(), answer);
    }

    /// Answers one request so, in the order of the calls, before anything else counts.
    pub fn next(&self, answer: Answer) {
        self.shared.script().next.push_back(answer);
    }

    /// How many requests have been read whole.
    pub fn hits(&self) -> usize {
        *self.shared.requests.borrow()
    }

    /// How many connections have been accepted.
    pub fn connections(&self) -> usize {
        *self.shared.connections.borrow()
    }

    /// Every request so far.
    pub fn received(&self) -> Vec<Recorded> {
        self.shared.script().received.clone()
    }

    /// Waits until there were so many requests, and answers them; fails after ten seconds.
    pub async fn wait_for(&self, requests: usize) -> Vec<Recorded> {
        let mut seen = self.shared.requests.subscribe();
        let enough = seen.wait_for(|count| *count >= requests);
        match tokio::time::timeout(Duration::from_secs(10), enough).await {
            Ok(waited) => drop(waited.expect("the server holds the sender")),
            Err(_) => panic!("expected {requests} requests within ten seconds, saw {}", self.hits()),
        }
        self.received()
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        // A process out of descriptors, or a client that has gone again, is no reason to stop serving.
        let Ok((stream, _)) = listener.accept().await else { continue };
        shared.connections.send_modify(|count| *count += 1);
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(stream, tls.clone(), shared.clone()));
    }
}

/// Errors of a connection are the client's business: it judges them from its own side.
async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let Some(tls) = tls else {
        return drop(serve(stream, shared, |stream| stream).await);
    };
    if let Ok(stream) = tls.accept(stream).await {
        drop(serve(stream, shared, |stream| stream.get_ref().0).await);
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    shared: Arc<Shared>,
    socket: impl Fn(&S) -> &TcpStream,
) -> std::io::Result<()> {
    let Some(request) = request::read(&mut stream).await? else {
        return stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").await;
    };
    let answer = {
        let mut script = shared.script();
        let queued = script.next.pop_front();
        let answer = queued.or_else(|| script.by_path.get(&request.path).cloned());
        let answer = answer.unwrap_or_else(|| script.standing.clone());
        script.received.push(request);
        answer
    };
    shared.requests.send_modify(|count| *count += 1);
    let bytes = answer.bytes();
    let first = |count: usize| &bytes[..count.min(bytes.len())];
    match answer.manner {
        Manner::Whole => stream.write_all(&bytes).await?,
        Manner::Trickle(gap) => {
            for byte in &bytes {
                stream.write_all(std::slice::from_ref(byte)).await?;
                stream.flush().await?;
                tokio::time::sleep(gap).await;
            }
        }
        Manner::EndAfter(count) => stream.write_all(first(count)).await?,
        Manner::ResetAfter(count) => {
            stream.write_all(first(count)).await?;
            stream.flush().await?;
            return socket(&stream).set_zero_linger();
        }
        Manner::StallAfter(count) => {
            stream.write_all(first(count)).await?;
            stream.flush().await?;
            // Until the client has had enough.
            stream.read_to_end(&mut Vec::new()).await?;
        }
    }
    stream.shutdown().await
}
