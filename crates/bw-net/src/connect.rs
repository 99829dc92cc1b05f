//! A TCP connection to a host: its addresses in order, each past the guard, all within one deadline.

use crate::resolve::Question;
use crate::{Failure, Net, Stopwatch};
use bw_domain::guard::Policy;
use bw_domain::monitor::Family;
use bw_domain::outcome::{Code, Phase};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;

/// Where to connect to.
#[derive(Clone, Copy, Debug)]
pub struct Dial<'a> {
    /// A name or a literal address, IPv6 without brackets.
    pub host: &'a str,
    pub port: u16,
    pub family: Family,
    /// Name servers to ask instead of the system's.
    pub resolver: Option<&'a str>,
    /// The whole time limit, counted from the start of the stopwatch. The caller enforces it; here it is only
    /// shared out among servers and addresses.
    pub within: Duration,
}

impl Net {
    /// Resolves and connects. `address` holds the address under way, for whoever has to explain a failure.
    pub async fn dial(
        &self,
        dial: &Dial<'_>,
        watch: &Stopwatch<'_>,
        address: &mut Option<SocketAddr>,
    ) -> Result<TcpStream, Failure> {
        self.dial_by(&self.names, dial, watch, address).await
    }

    /// Whether the host has an address.
    pub async fn resolves(&self, dial: &Dial<'_>) -> bool {
        let question =
            Question { host: dial.host, family: dial.family, resolver: dial.resolver, within: dial.within };
        self.names.resolve(&question, self.guard, self.clock.monotonic()).await.is_ok()
    }

    pub(crate) async fn dial_by(
        &self,
        names: &crate::resolve::Names,
        dial: &Dial<'_>,
        watch: &Stopwatch<'_>,
        address: &mut Option<SocketAddr>,
    ) -> Result<TcpStream, Failure> {
        watch.enter(Phase::Resolve);
        let within = dial.within.saturating_sub(watch.elapsed());
        let question = Question { host: dial.host, family: dial.family, resolver: dial.resolver, within };
        let found = names.resolve(&question, self.guard, self.clock.monotonic()).await?;
        watch.enter(Phase::Connect);
        let allowed = allowed(self.guard, &found)?;
        let mut last = None;
        for (at, ip) in allowed.iter().enumerate() {
            let peer = SocketAddr::new(*ip, dial.port);
            *address = Some(peer);
            let left = dial.within.saturating_sub(watch.elapsed());
            match attempt(peer, left, allowed.len() - at).await {
                Ok(stream) => return Ok(stream),
                // What is wrong with this host does not get better at the next address.
                Err(failure) if failure.code.is_ours() && failure.code != Code::SELF_BLIND => {
                    return Err(failure);
                }
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.expect("resolving yields at least one address"))
    }
}

/// Addresses of one host that are tried: with more, each one's share of the time would be too short to mean much.
const TRIED: usize = 4;

/// The addresses that may be contacted; without any, the reason for the first.
fn allowed(guard: Policy, found: &[IpAddr]) -> Result<crate::resolve::Addresses, Failure> {
    let allowed: crate::resolve::Addresses =
        found.iter().copied().filter(|ip| guard.allows(*ip).is_ok()).take(TRIED).collect();
    match found.first().map(|ip| guard.allows(*ip)) {
        Some(Err(refusal)) if allowed.is_empty() => Err(Failure::new(Code::SELF_GUARD, refusal.to_string())),
        _ => Ok(allowed),
    }
}

/// One address. While others follow it may use only its share of the time, so that a dead first one does not
/// hide a living second; the last one has what is left and needs no timer of its own.
async fn attempt(peer: SocketAddr, left: Duration, addresses: usize) -> Result<TcpStream, Failure> {
    let connected = if addresses > 1 {
        let share = left / u32::try_from(addresses).unwrap_or(u32::MAX);
        match tokio::time::timeout(share, TcpStream::connect(peer)).await {
            Ok(connected) => connected,
            Err(_) => return Err(Failure::new(Code::CONNECT_TIMEOUT, format!("{peer} did not answer"))),
        }
    } else {
        TcpStream::connect(peer).await
    };
    let stream = connected.map_err(|error| Failure::of_connect(&error, peer))?;
    // Otherwise the request waits for the acknowledgement of the handshake's last flight.
    stream.set_nodelay(true).map_err(|error| Failure::of_stream(&error))?;
    Ok(stream)
}
