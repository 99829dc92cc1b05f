//! What a server says to one request, and in which wrong way it says it.

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::io::Write;
use std::time::Duration;

/// One scripted answer. The constructors make whole, correct answers; the other methods break them.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    framing: Framing,
    raw: Option<Vec<u8>>,
    pub(super) manner: Manner,
}

/// How the end of the body is said.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Length,
    Claimed(u64),
    Chunked,
    UntilClose,
}

/// How the bytes reach the client.
#[derive(Clone, Copy, Debug)]
pub(super) enum Manner {
    Whole,
    /// One byte each time.
    Trickle(Duration),
    /// So many bytes, then a reset.
    ResetAfter(usize),
    /// So many bytes, then an orderly end.
    EndAfter(usize),
    /// So many bytes, then nothing more while the connection stays open.
    StallAfter(usize),
}

impl Answer {
    /// An empty answer with this status.
    pub fn status(status: u16) -> Self {
        Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            framing: Framing::Length,
            raw: None,
            manner: Manner::Whole,
        }
    }

    /// `200 OK` with this body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Answer::status(200).body(body)
    }

    /// `302 Found` to another place.
    pub fn redirect(to: impl Into<String>) -> Self {
        Answer::status(302).header("location", to)
    }

    /// Exactly these bytes, whatever they are.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Answer { raw: Some(bytes.into()), ..Answer::status(200) }
    }

    /// Takes the request and never answers.
    pub fn silent() -> Self {
        Answer::status(200).stall_after(0)
    }

    /// Takes the request and resets the connection.
    pub fn reset() -> Self {
        Answer::status(200).reset_after(0)
    }

    /// A small gzip body that unfolds to so many bytes.
    pub fn bomb(bytes: usize) -> Self {
        Answer::ok(vec![b'0'; bytes]).gzip()
    }

    /// A chunk size that is none.
    pub fn chunked_garbage() -> Self {
        Answer::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\nhello\r\n0\r\n\r\n")
    }

    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Compresses the body and says so.
    pub fn gzip(mut self) -> Self {
        let encoder = GzEncoder::new(Vec::new(), Compression::default());
        self.body = filled(encoder, &self.body).finish().expect("a vector takes every byte");
        self.header("content-encoding", "gzip")
    }

    /// Compresses the body as `deflate` is specified, with a zlib header.
    pub fn deflate(mut self) -> Self {
        let encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        self.body = filled(encoder, &self.body).finish().expect("a vector takes every byte");
        self.header("content-encoding", "deflate")
    }

    /// Compresses the body as some servers understand `deflate`, without a header.
    pub fn raw_deflate(mut self) -> Self {
        let encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        self.body = filled(encoder, &self.body).finish().expect("a vector takes every byte");
        self.header("content-encoding", "deflate")
    }

    /// Sends the body in chunks.
    pub fn chunked(mut self) -> Self {
        self.framing = Framing::Chunked;
        self
    }

    /// Says no length: the end of the connection ends the body.
    pub fn until_close(mut self) -> Self {
        self.framing = Framing::UntilClose;
        self
    }

    /// Says this length, whatever the body has.
    pub fn claims_length(mut self, bytes: u64) -> Self {
        self.framing = Framing::Claimed(bytes);
        self
    }

    /// One byte, a pause, one byte, a pause…
    pub fn trickle(mut self, gap: Duration) -> Self {
        self.manner = Manner::Trickle(gap);
        self
    }

    /// So many bytes of the whole answer, then a reset.
    pub fn reset_after(mut self, bytes: usize) -> Self {
        self.manner = Manner::ResetAfter(bytes);
        self
    }

    /// So many bytes of the whole answer, then an orderly end.
    pub fn end_after(mut self, bytes: usize) -> Self {
        self.manner = Manner::EndAfter(bytes);
        self
    }

    /// So many bytes of the whole answer, then silence.
    pub fn stall_after(mut self, bytes: usize) -> Self {
        self.manner = Manner::StallAfter(bytes);
        self
    }

    /// The bytes on the wire.
    pub(super) fn bytes(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let reason =
            http::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        let mut out = format!("HTTP/1.1 {} {}\r\n", self.status, reason.unwrap_or("Whatever")).into_bytes();
        for (name, value) in &self.headers {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        let framing = match self.framing {
            Framing::Length => format!("content-length: {}\r\n", self.body.len()),
            Framing::Claimed(bytes) => format!("content-length: {bytes}\r\n"),
            Framing::Chunked => "transfer-encoding: chunked\r\n".to_owned(),
            Framing::UntilClose => String::new(),
        };
        out.extend_from_slice(framing.as_bytes());
        out.extend_from_slice(b"connection: close\r\n\r\n");
        match self.framing {
            Framing::Chunked => {
                for chunk in self.body.chunks(4_096) {
                    out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    out.extend_from_slice(chunk);
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(b"0\r\n\r\n");
            }
            _ => out.extend_from_slice(&self.body),
        }
        out
    }
}

fn filled<W: Write>(mut encoder: W, body: &[u8]) -> W {
    encoder.write_all(body).expect("a vector takes every byte");
    encoder
}
