//! What to do at a target: specifications only. The doing is in `bw-probe`.

mod http;
mod tcp;

pub use http::{HttpProbe, RedirectPolicy, Scheme};
pub use tcp::{TcpProbe, TlsProbe};

/// One kind of probe with all that it needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Probe {
    Http(HttpProbe),
    Tcp(TcpProbe),
    Tls(TlsProbe),
}

impl Probe {
    /// The word of the declaration: `http`, `tcp`, `tls`.
    pub fn kind(&self) -> &'static str {
        match self {
            Probe::Http(_) => "http",
            Probe::Tcp(_) => "tcp",
            Probe::Tls(_) => "tls",
        }
    }

    /// Where it goes, as shown to people: a URL or `host:port`, never credentials.
    pub fn target(&self) -> &str {
        match self {
            Probe::Http(http) => &http.url,
            Probe::Tcp(tcp) => &tcp.target,
            Probe::Tls(tls) => &tls.target,
        }
    }

    /// The host it contacts first: what the budget per host is counted by.
    pub fn host(&self) -> &str {
        match self {
            Probe::Http(http) => &http.host,
            Probe::Tcp(tcp) => &tcp.host,
            Probe::Tls(tls) => &tls.host,
        }
    }
}
