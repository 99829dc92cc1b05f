//! TLS that looks before it judges: the handshake completes with whatever certificate is presented, the chain is
//! read, and whether it is valid is a result of its own. So an expired certificate still yields its dates.
//! Whoever sends anything over the connection asks for the result first.
//!
//! Configurations are built once and shared. No session is ever resumed: each probe sees the whole handshake.

mod certificate;
mod observe;
mod verified;

use crate::{Failure, Net, NetError, Stopwatch};
use bw_domain::outcome::{Certificate, Code, Phase};
use bw_domain::time::Instant;
use observe::Observe;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use verified::Verified;

/// What is said of the protocol inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alpn {
    /// `http/1.1`.
    Http,
    /// Nothing: some servers refuse a protocol that they do not know.
    None,
}

/// A finished handshake.
pub struct Shaken {
    /// On the heap: it is large, and moved through every step that follows.
    pub stream: Box<TlsStream<TcpStream>>,
    pub certificate: Box<Certificate>,
    /// Why the certificate is not to be trusted, if it is not.
    pub distrust: Option<Failure>,
}

pub(crate) struct Tls {
    http: Arc<ClientConfig>,
    plain: Arc<ClientConfig>,
    verifier: Arc<WebPkiServerVerifier>,
    verified: Verified,
}

impl Tls {
    /// Trusts the certificates of this file, or the built-in ones.
    pub fn new(roots: Option<&Path>) -> Result<Self, NetError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = Arc::new(trusted(roots)?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build();
        let verifier = verifier.map_err(|error| NetError::Tls(error.into()))?;
        let plain = client(provider, verifier.clone()).map_err(|error| NetError::Tls(error.into()))?;
        let mut http = plain.clone();
        http.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls { http: Arc::new(http), plain: Arc::new(plain), verifier, verified: Verified::default() })
    }
}

fn trusted(path: Option<&Path>) -> Result<RootCertStore, NetError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = path else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    let unreadable = |source| NetError::Roots { path: path.to_owned(), source };
    let read = CertificateDer::pem_file_iter(path).map_err(unreadable)?;
    let read = read.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    // A bundle may hold old certificates that webpki does not take; those it does take count.
    let (added, _) = roots.add_parsable_certificates(read);
    if added == 0 { Err(NetError::NoRoots { path: path.to_owned() }) } else { Ok(roots) }
}

fn client(
    provider: Arc<CryptoProvider>,
    verifier: Arc<WebPkiServerVerifier>,
) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Observe(verifier)))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

impl Net {
    /// Shakes hands with `host` over a connection and reads its certificate.
    pub async fn shake(
        &self,
        stream: TcpStream,
        host: &str,
        alpn: Alpn,
        watch: &Stopwatch<'_>,
    ) -> Result<Shaken, Failure> {
        watch.enter(Phase::Tls);
        let name = ServerName::try_from(host.trim_end_matches('.').to_owned()).map_err(|_| {
            Failure::new(Code::TLS_HANDSHAKE, format!("`{host}` cannot be the name of a TLS server"))
        })?;
        let config = if alpn == Alpn::Http { &self.tls.http } else { &self.tls.plain };
        let connecting = TlsConnector::from(config.clone()).connect(name.clone(), stream);
        let stream = Box::new(connecting.await.map_err(|error| handshake_failure(&error))?);
        let session = stream.get_ref().1;
        let chain = session.peer_certificates().unwrap_or_default();
        let now = self.clock.now();
        let mark = verified::mark(host, chain);
        let known = self.tls.verified.holds(&mark, now);
        let verified = if known { Ok(()) } else { self.verify(chain, &name, now) };
        let distrust = verified.err().map(|error| distrust(&error, host));
        let problem = distrust.as_ref().map_or_else(String::new, |failure| failure.text.clone());
        let (certificate, window) = certificate::read(chain, session.protocol_version(), problem)
            .map_err(|reason| Failure::new(Code::TLS_HANDSHAKE, reason))?;
        if let (None, false, Some(window)) = (&distrust, known, window) {
            self.tls.verified.note(mark, window);
        }
        Ok(Shaken { certificate: Box::new(certificate), distrust, stream })
    }

    fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: Instant,
    ) -> Result<(), rustls::Error> {
        let (leaf, rest) = chain.split_first().ok_or(rustls::Error::NoCertificatesPresented)?;
        let now = UnixTime::since_unix_epoch(Duration::from_millis(now.ms().max(0).unsigned_abs()));
        self.tls.verifier.verify_server_cert(leaf, rest, name, &[], now).map(drop)
    }
}

fn handshake_failure(error: &std::io::Error) -> Failure {
    if let Some(ours) = Failure::ours(error) {
        return ours;
    }
    let reason = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => error.to_string(),
        None => crate::failure::plain(error),
    };
    Failure::new(Code::TLS_HANDSHAKE, format!("TLS handshake failed: {reason}"))
}

/// One of the three ways in which a certificate is not to be trusted.
fn distrust(error: &rustls::Error, host: &str) -> Failure {
    let rustls::Error::InvalidCertificate(problem) = error else {
        return Failure::new(Code::TLS_UNTRUSTED, format!("the certificate is not trusted: {error}"));
    };
    let at = |time: &UnixTime| {
        let ms = i64::try_from(time.as_secs()).unwrap_or(i64::MAX).saturating_mul(1_000);
        Instant::from_ms(ms).to_string()
    };
    match problem {
        CertificateError::ExpiredContext { not_after, .. } => Failure::new(
            Code::TLS_EXPIRED,
            format!("a certificate of the chain expired at {}", at(not_after)),
        ),
        CertificateError::Expired => {
            Failure::new(Code::TLS_EXPIRED, "a certificate of the chain has expired")
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            let text = format!("a certificate of the chain is not valid before {}", at(not_before));
            Failure::new(Code::TLS_UNTRUSTED, text)
        }
        CertificateError::NotValidForName => {
            Failure::new(Code::TLS_NAME, format!("the certificate is not for {host}"))
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = presented.join(", ");
            Failure::new(Code::TLS_NAME, format!("the certificate is not for {host} but for {names}"))
        }
        CertificateError::UnknownIssuer => Failure::new(
            Code::TLS_UNTRUSTED,
            "the certificate's issuer is not trusted, or the chain is incomplete",
        ),
        other => Failure::new(Code::TLS_UNTRUSTED, format!("the certificate is not trusted: {other}")),
    }
}
