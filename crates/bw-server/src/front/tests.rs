//! However a stream is cut into reads, what goes on is the same: rewritten lines of beats, all else untouched.

use super::{BeatPaths, Front};
use std::collections::VecDeque;
use std::io::Result;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

/// A stream that gives its pieces one a read.
struct Pieces(VecDeque<Vec<u8>>);

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        if let Some(mut piece) = self.0.pop_front() {
            let rest = piece.split_off(piece.len().min(buffer.remaining()));
            buffer.put_slice(&piece);
            if !rest.is_empty() {
                self.0.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// What goes on of these pieces, and how many of the first ten answers are not the last.
async fn through(pieces: &[&[u8]]) -> (Vec<u8>, usize) {
    let pieces =
        Pieces(pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| piece.to_vec()).collect());
    let (mut front, turns) = Front::new(pieces, BeatPaths::default());
    let mut out = Vec::new();
    front.read_to_end(&mut out).await.expect("pieces do not fail");
    (out, (0..10).take_while(|_| !turns.is_last()).count())
}

/// Cuts at every place, at every two places, and everywhere.
async fn check(sent: &[u8], expected: &[u8], kept: usize) {
    let expected = (expected.to_vec(), kept);
    let shown = String::from_utf8_lossy(sent).into_owned();
    for first in 0..sent.len() {
        for second in first..sent.len() {
            let got = through(&[&sent[..first], &sent[first..second], &sent[second..]]).await;
            assert_eq!(got, expected, "cut at {first} and {second}: {shown}");
        }
    }
    let bytes: Vec<_> = sent.chunks(1).collect();
    assert_eq!(through(&bytes).await, expected, "byte by byte: {shown}");
}

#[tokio::test]
async fn a_line_after_a_line_after_a_body() {
    let sent = b"\r\nGET /a?\xf6 HTTP/1.1\r\nA: b\r\n\r\nPUT /ping/a HTTP/1.1\r\nContent-Length: 21\r\n\r\n\
        GET /ping/\xf6 HTTP/1.1\nGET /ping/|?\xf6 #%zz HTTP/1.1\nA: GET /ping/\xf6 HTTP/1.1\n\nrest";
    let expected =
        b"\r\nGET /a?\xf6 HTTP/1.1\r\nA: b\r\n\r\nPUT /ping/a HTTP/1.1\r\nContent-Length: 21\r\n\r\n\
        GET /ping/\xf6 HTTP/1.1\nGET /ping/%7C?%F6%20%23%zz HTTP/1.1\r\nA: GET /ping/\xf6 HTTP/1.1\n\nrest";
    check(sent, expected, 2).await;
}

#[tokio::test]
async fn a_body_without_a_length_ends_the_looking() {
    let head = "POST /ping/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let sent = [head.as_bytes(), b"0\r\n\r\nGET /ping/\xf6 HTTP/1.1\r\n\r\n"].concat();
    check(&sent, &sent, 0).await;
    for field in ["content-length: 1,1", "Content-Length: +1", "content-length: 1\r\ncontent-length: 1"] {
        let sent = format!("GET / HTTP/1.1\r\n\r\nPOST /a HTTP/1.1\r\n{field}\r\n\r\n");
        let sent = [sent.as_bytes(), b"xGET /ping/\xf6 HTTP/1.1\r\n\r\n"].concat();
        let bytes: Vec<_> = sent.chunks(1).collect();
        assert_eq!(through(&[&sent]).await, (sent.clone(), 1), "{field}");
        assert_eq!(through(&bytes).await, (sent.clone(), 1), "{field}");
    }
}

#[tokio::test]
async fn what_is_no_request_goes_on_at_once() {
    for sent in
        [&b"\x16\x03\x01 no line"[..], b"/no-method", b" GET /ping/\xf6 HTTP/1.1\n", b"CONNECT a:1 \n\n\n"]
    {
        assert_eq!(
            through(&[sent, b"GET /ping/\xf6 HTTP/1.1\n"]).await.0,
            [sent, b"GET /ping/\xf6 HTTP/1.1\n"].concat()
        );
    }
}

#[tokio::test]
async fn a_line_without_a_version_is_of_the_first_ones() {
    check(b"GET /ping/\xf6\r\nA: b\r\n\r\n", b"GET /ping/%F6 HTTP/1.0\r\n\r\nA: b\r\n\r\n", 0).await;
    check(b"POST  /ping/a \nA: b\n\n", b"POST /ping/a HTTP/1.0\r\nA: b\n\n", 0).await;
}

#[tokio::test]
async fn after_such_a_line_nothing_is_looked_at() {
    let sent = b"GET /ping/a\r\n\r\nGET /ping/\xf6 HTTP/1.1\r\n\r\n";
    check(sent, b"GET /ping/a HTTP/1.0\r\n\r\n\r\nGET /ping/\xf6 HTTP/1.1\r\n\r\n", 0).await;
}

#[tokio::test]
async fn what_came_before_is_not_the_last() {
    let garbage = b"GET /a HTTP/1.1\r\n\r\n\x16GET /ping/\xf6 HTTP/1.1\r\n\r\n";
    check(garbage, garbage, 1).await;
    let cut = b"GET /a HTTP/1.1\r\n\r\nGET /ping/\xf6";
    check(cut, cut, 1).await;
}

#[tokio::test]
async fn only_the_path_of_an_absolute_target_is_rewritten() {
    let rewritten = (b"GET http://h/ping/%F6 HTTP/1.1\r\n\r\n".to_vec(), 0);
    assert_eq!(through(&[b"GET http://h/ping/\xf6 HTTP/1.1\r\n\r\n"]).await, rewritten);
    for other in [
        &b"GET http://h?/ping/\xf6 HTTP/1.1\r\n\r\n"[..],
        b"GET x/ping/\xf6 HTTP/1.1\r\n\r\n",
        b"GET http://h",
    ] {
        assert_eq!(through(&[other]).await.0, other);
    }
}

#[tokio::test]
async fn no_more_is_held_back_than_a_line_may_have() {
    let long = [b"GET /ping/".to_vec(), vec![0xf6; 2 * crate::limits::LINE]].concat();
    let pieces: Vec<_> = long.chunks(1_000).collect();
    assert_eq!(through(&pieces).await, (long.clone(), 0));
    let whole = [long.clone(), b" HTTP/1.1\r\n\r\n".to_vec()].concat();
    assert_eq!(through(&[&whole]).await, (whole.clone(), 0));

    let pieces = Pieces(long.chunks(1_000).map(<[u8]>::to_vec).collect());
    let (mut front, _) = Front::new(pieces, BeatPaths::default());
    let mut first = vec![0; long.len()];
    let length = front.read(&mut first).await.expect("pieces do not fail");
    assert_eq!(first[..length], long[..length]);
    assert!((crate::limits::LINE..crate::limits::LINE + 1_000).contains(&(length - 1)), "{length} at once");
    assert_eq!(front.held.capacity(), 0);
}
