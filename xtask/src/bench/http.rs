//! A small HTTP client for the measured API and pages: one connection, kept alive, every answer timed.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

/// Longer than anything that is worth measuring.
const LIMIT: Duration = Duration::from_secs(60);

pub struct Client {
    address: String,
    stream: Option<BufReader<TcpStream>>,
}

pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// From the request to the first byte of the answer, and to its last.
    pub first_byte: Duration,
    pub total: Duration,
}

impl Client {
    /// `address` is host and port.
    pub fn new(address: impl Into<String>) -> Client {
        Client { address: address.into(), stream: None }
    }

    pub fn get(&mut self, path: &str) -> Result<Answer> {
        let result = self.exchange(path);
        if result.is_err() {
            self.stream = None;
        }
        result.with_context(|| format!("GET http://{}{path}", self.address))
    }

    /// The answer must be 200 and JSON.
    pub fn json(&mut self, path: &str) -> Result<serde_json::Value> {
        let answer = self.get(path)?;
        ensure!(answer.status == 200, "GET http://{}{path} answered {}", self.address, answer.status);
        serde_json::from_slice(&answer.body).with_context(|| format!("{path} is not JSON"))
    }

    fn exchange(&mut self, path: &str) -> Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(&self.address)?,
        };
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\n\r\n", self.address);
        let start = Instant::now();
        stream.get_mut().write_all(request.as_bytes())?;
        ensure!(!stream.fill_buf()?.is_empty(), "the connection was closed without an answer");
        let first_byte = start.elapsed();
        let head = Head::read(&mut stream)?;
        let body = head.body(&mut stream)?;
        let total = start.elapsed();
        if !head.close {
            self.stream = Some(stream);
        }
        Ok(Answer { status: head.status, body, first_byte, total })
    }
}

fn connect(address: &str) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LIMIT))?;
    Ok(BufReader::with_capacity(64 * 1024, stream))
}

#[derive(Default)]
struct Head {
    status: u16,
    length: Option<usize>,
    chunked: bool,
    close: bool,
}

impl Head {
    fn read(from: &mut impl BufRead) -> Result<Head> {
        let mut head = Head::default();
        let first = line(from)?;
        head.status = first.split(' ').nth(1).and_then(|word| word.parse().ok()).context("no status line")?;
        loop {
            let line = line(from)?.to_ascii_lowercase();
            let Some((name, value)) = line.split_once(':') else { break };
            match (name, value.trim()) {
                ("content-length", value) => head.length = Some(value.parse()?),
                ("transfer-encoding", value) => head.chunked = value.contains("chunked"),
                ("connection", value) => head.close = value.contains("close"),
                _ => {}
            }
        }
        Ok(head)
    }

    fn body(&self, from: &mut impl BufRead) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        if self.chunked {
            loop {
                let size = usize::from_str_radix(line(from)?.trim(), 16)?;
                from.by_ref().take(size as u64).read_to_end(&mut body)?;
                line(from)?;
                if size == 0 {
                    return Ok(body);
                }
            }
        }
        match self.length {
            Some(length) => {
                from.by_ref().take(length as u64).read_to_end(&mut body)?;
                ensure!(body.len() == length, "the body was cut");
            }
            None => drop(from.read_to_end(&mut body)?),
        }
        Ok(body)
    }
}

fn line(from: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Head, Vec<u8>) {
        let mut from = text.as_bytes();
        let head = Head::read(&mut from).unwrap();
        let body = head.body(&mut from).unwrap();
        (head, body)
    }

    #[test]
    fn bodies_are_read_by_length_by_chunks_and_to_the_end() {
        let (head, body) = read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef");
        assert_eq!((head.status, body.as_slice(), head.close), (200, &b"abc"[..], false));
        let (_, body) =
            read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
        assert_eq!(body, b"abc");
        let (head, body) = read("HTTP/1.1 503 No\r\nConnection: close\r\n\r\nabc");
        assert_eq!((head.status, body.as_slice(), head.close), (503, &b"abc"[..], true));
    }
}
