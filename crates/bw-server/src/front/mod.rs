//! The front of a listener: the stream below the HTTP library. Nothing that the original heartbeat servers accepted
//! may be refused by the library before our code sees it, and the library refuses raw bytes in a request's target.
//! So the line of each request is looked at as it is read; where its path is a beat's (`paths`), what the library
//! would refuse is percent-encoded (`line`), and the handler decides. Where the next line begins is counted
//! (`framing`), so a beat may be the second request of a kept connection as well as its first.
//!
//! Must hold: every byte that is no part of a beat's request line goes on untouched and in order; no more than one
//! line is held back, at most `limits::LINE` bytes, and at the end of what the client sends it is handed on as it
//! is; time limits are the library's, which waits for us as it waits for the socket. Nothing here logs a line: it
//! may contain a secret. Where lines can no longer be counted (`framing` says when), and after a line that was
//! rewritten, the answer says `Connection: close` (`turns`), so that the client's next request is seen again.

mod framing;
mod line;
mod paths;
mod turns;

pub use paths::BeatPaths;

use crate::limits;
use bytes::{Buf, Bytes};
use framing::Framing;
use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turns::Turns;

pub(crate) struct Front<S> {
    stream: S,
    framing: Framing,
    /// The beginning of a line whose end has not come.
    held: Vec<u8>,
    /// What goes on before anything else is read.
    ready: Bytes,
}

impl<S> Front<S> {
    pub fn new(stream: S, paths: BeatPaths) -> (Self, Arc<Turns>) {
        let turns = Arc::new(Turns::default());
        let framing = Framing::new(paths, turns.clone());
        (Self { stream, framing, held: Vec::new(), ready: Bytes::new() }, turns)
    }

    /// Moves from what is held to what goes on: all but the line that has no end yet.
    fn sort(&mut self) {
        let mut ready = Vec::new();
        loop {
            let passed = self.framing.pass(&self.held);
            ready.extend(self.held.drain(..passed));
            let Some(instead) = self.framing.rewrite(&self.held) else { break };
            self.held.drain(..instead.replaces);
            ready.extend(instead.line);
        }
        if self.held.is_empty() {
            self.held = Vec::new();
        }
        self.ready = Bytes::from(ready);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Front<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let front = &mut *self;
        loop {
            if !front.ready.is_empty() {
                let taken = front.ready.len().min(buffer.remaining());
                buffer.put_slice(&front.ready[..taken]);
                front.ready.advance(taken);
                return Poll::Ready(Ok(()));
            }
            let before = buffer.filled().len();
            ready!(Pin::new(&mut front.stream).poll_read(cx, buffer))?;
            let fresh = &buffer.filled()[before..];
            if fresh.is_empty() {
                if front.held.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                front.framing.give_up();
                front.ready = Bytes::from(std::mem::take(&mut front.held));
                continue;
            }
            // The usual case: whole heads and bodies stay where they were read to.
            let passed = if front.held.is_empty() { front.framing.pass(fresh) } else { 0 };
            if passed == fresh.len() {
                return Poll::Ready(Ok(()));
            }
            let ends_a_line = fresh.contains(&b'\n');
            front.held.extend_from_slice(&fresh[passed..]);
            buffer.set_filled(before + passed);
            if ends_a_line || front.held.len() > limits::LINE {
                front.sort();
            }
            if passed > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Front<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
