//! A small HTTP client over a plain socket: what is sent is what a test says, and no code is shared with what is
//! under test.

use crate::eventually::PATIENCE;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// The answer to it.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub text: String,
}

/// Sends requests to one address.
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    /// On every request that says nothing else.
    headers: Vec<(String, String)>,
}

impl Request {
    pub fn new(method: &'static str, path: impl Into<String>) -> Self {
        Request { method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn get(path: impl Into<String>) -> Self {
        Request::new("GET", path)
    }

    /// Takes the place of any header of this name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn json(self, document: &Value) -> Self {
        self.body(document.to_string()).header("content-type", "application/json")
    }

    /// Of no said type.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

impl Reply {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The document of an answer that must have this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }
}

impl Client {
    /// For `http://127.0.0.1:41234`.
    pub fn of(url: &str) -> Self {
        let address = url.strip_prefix("http://").and_then(|rest| rest.parse().ok());
        Client { address: address.unwrap_or_else(|| panic!("`{url}` is no address")), headers: Vec::new() }
    }

    /// Where it sends.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same with a header on every request.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    pub async fn get(&self, path: impl Into<String>) -> Reply {
        self.send(Request::get(path)).await
    }

    pub async fn send(&self, request: Request) -> Reply {
        let shown = format!("{} {}", request.method, request.path);
        match tokio::time::timeout(PATIENCE, self.exchange(request)).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => panic!("{shown}: {error}"),
            Err(_) => panic!("{shown}: no answer within {PATIENCE:?}"),
        }
    }

    async fn exchange(&self, mut request: Request) -> std::io::Result<Reply> {
        let length = request.body.len().to_string();
        let host = self.address.to_string();
        let always = [("host", host.as_str()), ("connection", "close"), ("content-length", length.as_str())];
        let always = always.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for (name, value) in self.headers.iter().cloned().chain(always) {
            if !request.headers.iter().any(|(known, _)| *known == name) {
                request.headers.push((name, value));
            }
        }
        let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
        request.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(format!("{head}\r\n").as_bytes()).await?;
        stream.write_all(&request.body).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Ok(read(&bytes))
    }
}

/// Answers say their length; one that does not is a mistake of the server.
fn read(bytes: &[u8]) -> Reply {
    let text = std::str::from_utf8(bytes).expect("answers are text");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no whole answer: {text:?}"));
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let reply = Reply { status: status.expect("an answer has a status"), headers, text: body.to_owned() };
    let length = reply.header("content-length").and_then(|length| length.parse().ok());
    assert_eq!(length.unwrap_or(0), body.len(), "the length that was said: {head}");
    reply
}
