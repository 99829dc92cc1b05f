//! One HTTP/1.1 request and its answer over a connection that serves nothing else. The connection is driven by
//! the task that waits for it: no task, no channel and no pool of our own.

mod decode;
mod timed;

use crate::{Failure, Stopwatch};
use bw_domain::limits;
use bw_domain::outcome::{Code, Phase};
use bytes::Bytes;
use decode::Decoder;
use http::{HeaderMap, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use timed::Timed;
use tokio::io::{AsyncRead, AsyncWrite};

/// What is sent, and how much of the answer is read.
pub struct Exchange {
    /// Its URI is the path alone; `host` and all other headers are there.
    pub request: Request<Full<Bytes>>,
    /// Bytes of the body after decompression; more is the failure `body.cap`.
    pub body_max: usize,
}

/// What has arrived so far. It is filled step by step, so that an exchange that fails or is cut off by its
/// deadline still shows what it got.
#[derive(Debug, Default)]
pub struct Answer {
    /// `None` until the head has arrived.
    pub head: Option<(Version, StatusCode)>,
    pub headers: HeaderMap,
    /// After decompression.
    pub body: Vec<u8>,
}

impl Answer {
    /// The status, 0 until there is one.
    pub fn status(&self) -> u16 {
        self.head.map_or(0, |(_, status)| status.as_u16())
    }
}

/// Sends the request and reads the answer into `answer`.
pub async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    exchange: Exchange,
    watch: &Stopwatch<'_>,
    answer: &mut Answer,
) -> Result<(), Failure> {
    watch.enter(Phase::Send);
    let io = TokioIo::new(Timed { stream, watch });
    let mut client = http1::Builder::new();
    client.max_buf_size(limits::HEADER_BYTES_MAX);
    let (mut sender, connection) = client.handshake(io).await.map_err(|error| failure(&error))?;
    let mut driven = Driven { connection: pin!(connection), error: None, ended: false };
    let answered = driven.until(sender.send_request(exchange.request)).await;
    let (head, mut body) = driven.checked(answered)?.into_parts();
    answer.head = Some((head.version, head.status));
    answer.headers = head.headers;
    let mut decoder = Decoder::of(&answer.headers, exchange.body_max);
    while let Some(frame) = driven.until(body.frame()).await {
        let frame = driven.checked(frame)?;
        if let Ok(data) = frame.into_data() {
            decoder.feed(&data, &mut answer.body)?;
        }
    }
    decoder.finish(&mut answer.body)?;
    watch.stop();
    Ok(())
}

/// The connection beside whatever waits for it.
struct Driven<'c, C> {
    connection: Pin<&'c mut C>,
    error: Option<hyper::Error>,
    ended: bool,
}

impl<C: Future<Output = hyper::Result<()>>> Driven<'_, C> {
    /// Drives the connection until `step` is ready. A connection that has ended makes every step ready.
    async fn until<F: Future>(&mut self, step: F) -> F::Output {
        let mut step = pin!(step);
        poll_fn(|cx| {
            if !self.ended
                && let Poll::Ready(end) = self.connection.as_mut().poll(cx)
            {
                self.ended = true;
                self.error = end.err();
            }
            step.as_mut().poll(cx)
        })
        .await
    }

    /// The connection knows better than the step why it ended.
    fn checked<T>(&mut self, step: hyper::Result<T>) -> Result<T, Failure> {
        step.map_err(|error| failure(self.error.as_ref().unwrap_or(&error)))
    }
}

fn failure(error: &hyper::Error) -> Failure {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return of_io(io);
        }
        source = inner.source();
    }
    if error.is_parse() {
        return Failure::new(Code::HTTP_PROTOCOL, format!("the answer is not HTTP: {error}"));
    }
    if error.is_user() {
        return Failure::new(Code::SELF_FAULT, format!("the request cannot be sent: {error}"));
    }
    Failure::new(Code::SEND_RESET, "the connection ended before an answer")
}

fn of_io(error: &std::io::Error) -> Failure {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        // Since TLS 1.3 a server may refuse the handshake after the client has finished it.
        return Failure::new(Code::TLS_HANDSHAKE, format!("TLS failed: {tls}"));
    }
    match error.kind() {
        UnexpectedEof => Failure::new(Code::SEND_RESET, "the connection ended before the end of the answer"),
        InvalidData | InvalidInput => {
            Failure::new(Code::HTTP_PROTOCOL, format!("the answer is not HTTP: {error}"))
        }
        _ => Failure::of_stream(error),
    }
}
