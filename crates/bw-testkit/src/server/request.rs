//! Reading one HTTP request, by hand: a server under test should not share code with the client under test.

use std::io::{Error, ErrorKind};
use tokio::io::{AsyncRead, AsyncReadExt};

/// A request as it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case, in the order of arrival.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Recorded {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }
}

/// Longer than any request of a test.
const LONGEST: usize = 4 << 20;

/// Reads one request with its body (by `content-length`). `None` when the client closed without one, or speaks
/// something else than HTTP.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Option<Recorded>> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break at;
        }
        let spoken = bytes.first().is_none_or(u8::is_ascii_alphabetic);
        if !spoken || bytes.len() > LONGEST || stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let mut request = parse(&bytes[..head])?;
    request.body = bytes.split_off(head + 4);
    let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0usize);
    while request.body.len() < length.min(LONGEST) {
        if stream.read_buf(&mut request.body).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Some(request))
}

fn parse(head: &[u8]) -> std::io::Result<Recorded> {
    let text = std::str::from_utf8(head).map_err(Error::other)?;
    let mut lines = text.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok(Recorded { method: method.to_owned(), path: path.to_owned(), headers, body: Vec::new() })
}
