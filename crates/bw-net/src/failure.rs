//! Why a step did not succeed, and whose fault that is. The operating system's errors are sorted here once:
//! what this host lacks (descriptors, memory, ports, a route) is never blamed on the target.

use bw_domain::outcome::{Code, Phase};
use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// One step's end, as one of the closed set of codes and a sentence with what was seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    pub code: Code,
    pub text: String,
}

impl Failure {
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Failure { code, text: text.into() }
    }

    /// The deadline passed during this phase.
    pub fn timeout(phase: Phase, within: std::time::Duration) -> Self {
        let (code, what) = match phase {
            Phase::Resolve => (Code::DNS_TIMEOUT, "no answer from the name servers"),
            Phase::Connect => (Code::CONNECT_TIMEOUT, "no connection"),
            Phase::Tls => (Code::TLS_HANDSHAKE, "no TLS handshake"),
            Phase::Send | Phase::Wait => (Code::WAIT_TIMEOUT, "no answer"),
            Phase::Receive => (Code::WAIT_TIMEOUT, "no complete answer"),
        };
        Failure::new(code, format!("{what} within {}", bw_domain::time::Span(within)))
    }

    /// The failure that this error of the operating system means when it is ours, whoever we talked to.
    pub(crate) fn ours(error: &Error) -> Option<Self> {
        let code = match (error.kind(), error.raw_os_error()) {
            (ErrorKind::OutOfMemory, _) => Code::SELF_OVERLOADED,
            (_, Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::EAGAIN)) => Code::SELF_OVERLOADED,
            // A packet filter of this host says so.
            (ErrorKind::PermissionDenied, _) => Code::SELF_GUARD,
            (ErrorKind::NetworkDown, _) | (_, Some(libc::EAFNOSUPPORT)) => Code::SELF_BLIND,
            _ => return None,
        };
        Some(Failure::new(code, format!("this host: {}", plain(error))))
    }

    /// A connection that did not come about.
    pub(crate) fn of_connect(error: &Error, peer: std::net::SocketAddr) -> Self {
        if let Some(ours) = Failure::ours(error) {
            return ours;
        }
        match error.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => {
                Failure::new(Code::CONNECT_REFUSED, format!("{peer} refused the connection"))
            }
            ErrorKind::TimedOut => Failure::new(Code::CONNECT_TIMEOUT, format!("{peer} did not answer")),
            _ if !routed(peer.ip()) => {
                let family = if peer.is_ipv4() { "IPv4" } else { "IPv6" };
                Failure::new(Code::SELF_BLIND, format!("this host has no {family} route to {}", peer.ip()))
            }
            // With a route, only the ports of our own address can be what is not available.
            ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse => {
                Failure::new(Code::SELF_OVERLOADED, format!("this host has no free port left towards {peer}"))
            }
            _ => {
                Failure::new(Code::CONNECT_UNREACHABLE, format!("{peer} cannot be reached: {}", plain(error)))
            }
        }
    }

    /// A connection that broke while bytes went over it.
    pub(crate) fn of_stream(error: &Error) -> Self {
        Failure::ours(error).unwrap_or_else(|| match error.kind() {
            ErrorKind::TimedOut => Failure::new(Code::WAIT_TIMEOUT, "the connection went silent"),
            _ => Failure::new(Code::SEND_RESET, format!("the connection was cut: {}", plain(error))),
        })
    }
}

/// Whether this host has any way out for the family of this address.
fn routed(ip: IpAddr) -> bool {
    let beyond: IpAddr = match ip {
        ip if ip.is_loopback() => ip,
        // Documentation prefixes: only a default route leads there.
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    way_to(beyond).is_ok()
}

/// Whether this host could send anything to an address. Connecting a datagram socket asks the routing table and
/// sends nothing.
pub(crate) fn way_to(ip: IpAddr) -> Result<(), Failure> {
    let from: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let connected = UdpSocket::bind((from, 0)).and_then(|socket| socket.connect((ip, 9)));
    connected.map_err(|error| {
        let blind =
            || Failure::new(Code::SELF_BLIND, format!("this host has no way to {ip}: {}", plain(&error)));
        Failure::ours(&error).unwrap_or_else(blind)
    })
}

/// The operating system's words without its number.
pub(crate) fn plain(error: &Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_lowercase(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: i32, peer: &str, code: Code) {
        let peer = peer.parse().expect("an address");
        let failure = Failure::of_connect(&Error::from_raw_os_error(number), peer);
        assert_eq!(failure.code, code, "{number} {peer}: {}", failure.text);
    }

    #[test]
    fn what_this_host_lacks_is_ours() {
        for number in [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::ENOBUFS] {
            check(number, "127.0.0.1:1", Code::SELF_OVERLOADED);
            assert_eq!(Failure::of_stream(&Error::from_raw_os_error(number)).code, Code::SELF_OVERLOADED);
        }
        check(libc::EADDRNOTAVAIL, "127.0.0.1:1", Code::SELF_OVERLOADED);
        check(libc::EPERM, "127.0.0.1:1", Code::SELF_GUARD);
        check(libc::ENETDOWN, "127.0.0.1:1", Code::SELF_BLIND);
        check(libc::EAFNOSUPPORT, "[::1]:1", Code::SELF_BLIND);
    }

    #[test]
    fn what_the_target_does_is_its_own() {
        check(libc::ECONNREFUSED, "127.0.0.1:1", Code::CONNECT_REFUSED);
        check(libc::ETIMEDOUT, "127.0.0.1:1", Code::CONNECT_TIMEOUT);
        check(libc::EHOSTUNREACH, "127.0.0.1:1", Code::CONNECT_UNREACHABLE);
        assert_eq!(Failure::of_stream(&Error::from_raw_os_error(libc::ECONNRESET)).code, Code::SEND_RESET);
    }

    #[test]
    fn texts_are_sentences() {
        let failure = Failure::of_stream(&Error::from_raw_os_error(libc::ECONNRESET));
        assert_eq!(failure.to_string(), "the connection was cut: connection reset by peer");
        let late = Failure::timeout(Phase::Connect, std::time::Duration::from_millis(1_500));
        assert_eq!((late.code, late.text.as_str()), (Code::CONNECT_TIMEOUT, "no connection within 1500ms"));
    }
}
