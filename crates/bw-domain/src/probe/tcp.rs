//! A bare connection, and a TLS handshake on one.

/// Connects and closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpProbe {
    /// `host:port` as shown.
    pub target: Box<str>,
    pub host: Box<str>,
    pub port: u16,
}

/// Connects, shakes hands, reads the certificate, closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsProbe {
    /// `host:port` as shown.
    pub target: Box<str>,
    pub host: Box<str>,
    pub port: u16,
    pub verify: bool,
}
