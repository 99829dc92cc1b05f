//! Bytes on a socket as clients of other systems send them, and what comes back: nothing here knows more of HTTP than
//! where an answer ends.

use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A connection that is kept open.
pub struct Raw {
    stream: BufReader<TcpStream>,
}

/// A status line, the headers and the body.
#[derive(Debug)]
pub struct Told {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Raw {
    /// To `http://127.0.0.1:41234`.
    pub async fn to(url: &str) -> io::Result<Self> {
        Ok(Raw { stream: BufReader::new(TcpStream::connect(address(url)).await?) })
    }

    /// Sends these bytes and reads one answer. Whoever does not answer has not taken anything.
    pub async fn ask(&mut self, bytes: &[u8]) -> io::Result<Told> {
        self.stream.write_all(bytes).await?;
        let mut head = String::new();
        loop {
            let before = head.len();
            self.stream.read_line(&mut head).await?;
            match head.len() - before {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                2 => break,
                _ => {}
            }
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, length)| length.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.stream.read_exact(&mut body).await?;
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Told { status: status.expect("an answer has a status"), head, body })
    }

    /// `GET` as a program sends it that knows one address.
    pub async fn get(&mut self, path: &str) -> io::Result<Told> {
        self.ask(format!("GET {path} HTTP/1.1\r\nhost: beats.example.com\r\n\r\n").as_bytes()).await
    }
}

/// One request on a connection of its own.
pub async fn once(url: &str, bytes: &[u8]) -> Told {
    let mut raw = Raw::to(url).await.expect("it listens");
    raw.ask(bytes).await.expect("it answers")
}

fn address(url: &str) -> SocketAddr {
    let address = url.strip_prefix("http://").and_then(|rest| rest.parse().ok());
    address.unwrap_or_else(|| panic!("`{url}` is no address"))
}
