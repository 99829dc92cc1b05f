//! What came in, whatever its dialect: who sent it and how, and its body.
//!
//! Of a body the first `limits::BEAT_BODY_MAX` bytes are kept; the rest is read and dropped, so that the client hears an
//! answer and keeps its connection. One that never ends is cut after `BODY_READ_MAX` bytes or `BODY_TIME`, and the beat
//! counts: what the job had to say was said in its address.

use crate::limits::{BEAT_BODY_READ_MAX, BEAT_BODY_TIME};
use axum::body::Body;
use axum::extract::ConnectInfo;
use bw_domain::beat::Via;
use bw_domain::limits::{BEAT_BODY_MAX, BEAT_TEXT_MAX};
use bytes::{Bytes, BytesMut};
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// A request without its body.
pub(super) struct Sent {
    parts: Parts,
    /// Who sent it, as far as we can tell.
    pub remote: IpAddr,
}

impl Sent {
    pub fn new(parts: Parts) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer =
            peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip().to_canonical());
        // Only what stands on this machine before us is believed.
        let forwarded = peer.is_loopback().then(|| last_hop(&parts.headers)).flatten();
        Sent { remote: forwarded.unwrap_or(peer), parts }
    }

    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    pub fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    pub fn is_post(&self) -> bool {
        self.parts.method == Method::POST
    }

    pub fn via(&self) -> Via {
        let text = |name: &str| self.parts.headers.get(name).and_then(|value| value.to_str().ok());
        let scheme = match text("x-forwarded-proto") {
            Some(said) if said.eq_ignore_ascii_case("https") => "https",
            _ => "http",
        };
        let agent = self.parts.headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        let agent = agent.unwrap_or_default();
        let end = agent.char_indices().nth(BEAT_TEXT_MAX).map_or(agent.len(), |(end, _)| end);
        Via {
            scheme: scheme.into(),
            method: self.parts.method.as_str().chars().take(BEAT_TEXT_MAX).collect(),
            remote: self.remote.to_string().into(),
            agent: agent[..end].into(),
        }
    }
}

/// The address that the last one before us has seen.
fn last_hop(headers: &HeaderMap) -> Option<IpAddr> {
    let value = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    let hop = value.rsplit(',').next()?.trim();
    let address = hop.parse().ok().or_else(|| hop.parse().ok().map(|socket: SocketAddr| socket.ip()));
    address
        .or_else(|| hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
        .map(|ip: IpAddr| ip.to_canonical())
}

/// The body ended before it was complete: nothing was said that could be kept.
#[derive(Debug)]
pub(super) struct Broken;

/// The beginning of a body, once its end has been read.
pub(super) async fn body(body: Body) -> Result<Bytes, Broken> {
    if body.is_end_stream() { Ok(Bytes::new()) } else { within(BEAT_BODY_TIME, body).await }
}

async fn within(time: Duration, body: Body) -> Result<Bytes, Broken> {
    let mut kept = BytesMut::new();
    match tokio::time::timeout(time, read(body, &mut kept)).await {
        Ok(Err(broken)) => Err(broken),
        Ok(Ok(())) | Err(_) => Ok(kept.freeze()),
    }
}

async fn read(mut body: Body, kept: &mut BytesMut) -> Result<(), Broken> {
    let mut seen = 0;
    while seen < BEAT_BODY_READ_MAX {
        let Some(frame) = body.frame().await else { return Ok(()) };
        let Ok(data) = frame.map_err(|_| Broken)?.into_data() else { continue };
        seen += data.len();
        let room = BEAT_BODY_MAX - kept.len();
        kept.extend_from_slice(&data[..room.min(data.len())]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt, stream};
    use std::convert::Infallible;

    fn sent(peer: &str, headers: &[(&str, &str)]) -> Sent {
        let mut request = http::Request::builder().method("lOg").uri("/ping/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer: SocketAddr = peer.parse().unwrap();
        Sent::new(request.extension(ConnectInfo(peer)).body(()).unwrap().into_parts().0)
    }

    #[test]
    fn who_sent_it() {
        let hops = [("x-forwarded-for", "198.51.100.1, 192.0.2.7"), ("x-forwarded-proto", "HTTPS")];
        for (peer, headers, remote) in [
            ("127.0.0.1:1", &hops[..], "192.0.2.7"),
            ("[::1]:1", &hops[..], "192.0.2.7"),
            ("[::ffff:127.0.0.1]:1", &hops[..], "192.0.2.7"),
            ("203.0.113.5:1", &hops[..], "203.0.113.5"),
            ("127.0.0.1:1", &[], "127.0.0.1"),
            ("127.0.0.1:1", &[("x-forwarded-for", "unknown")], "127.0.0.1"),
            ("127.0.0.1:1", &[("x-forwarded-for", "[2001:db8::1]:99")], "2001:db8::1"),
            ("127.0.0.1:1", &[("x-forwarded-for", "[2001:db8::1]")], "2001:db8::1"),
            (
                "127.0.0.1:1",
                &[("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "192.0.2.2:80")],
                "192.0.2.2",
            ),
        ] {
            assert_eq!(&*sent(peer, headers).via().remote, remote, "{peer} {headers:?}");
        }
        let agent = "ü".repeat(300);
        let via = sent("127.0.0.1:1", &[hops[1], ("user-agent", &agent)]).via();
        assert_eq!((&*via.scheme, &*via.method), ("https", "lOg"));
        assert_eq!(&*via.agent, "ü".repeat(200));
        assert_eq!(&*sent("127.0.0.1:1", &[("x-forwarded-proto", "gopher")]).via().scheme, "http");
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_on_is_cut() {
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"so far"))]);
        let stuck = Body::from_stream(first.chain(stream::pending()));
        assert_eq!(within(Duration::ZERO, stuck).await.unwrap(), "so far");
    }
}
