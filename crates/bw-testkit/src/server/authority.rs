//! Certificates made for a test: an authority that a client may be told to trust, and leaves of every kind.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io::Write;
use std::sync::Arc;
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;

/// A certificate authority of its own, unknown to the world.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// Year, month, day.
type Date = (i32, u8, u8);

impl Authority {
    /// With a fresh key, valid for long.
    pub fn new(name: &str) -> Self {
        let mut params = params(&[], name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, key()).expect("the parameters are sound");
        Authority { issuer }
    }

    /// Its certificate in a file, for whoever is to trust it.
    pub fn pem_file(&self) -> NamedTempFile {
        let mut file = NamedTempFile::new().expect("the temporary directory takes a file");
        file.write_all(self.issuer.pem().as_bytes()).expect("the temporary directory has room");
        file
    }

    /// A good certificate for these names, valid for long.
    pub fn leaf(&self, names: &[&str]) -> Leaf {
        self.leaf_between(names, (2020, 1, 1), (2050, 1, 1))
    }

    /// A certificate for these names that begins and ends at midnight of these days, UTC.
    pub fn leaf_between(&self, names: &[&str], from: Date, until: Date) -> Leaf {
        let key = key();
        let mut params = params(names, names.first().unwrap_or(&"leaf"));
        params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
        params.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
        let leaf = params.signed_by(&key, &self.issuer).expect("the parameters are sound");
        let pem = [format!("{}{}", leaf.pem(), self.issuer.pem()), key.serialize_pem()];
        Leaf { chain: vec![leaf.der().clone(), self.issuer.der().clone()], key: key.serialize_der(), pem }
    }
}

/// What a server presents.
#[derive(Clone, Debug)]
pub struct Leaf {
    chain: Vec<CertificateDer<'static>>,
    /// PKCS #8.
    key: Vec<u8>,
    pem: [String; 2],
}

impl Leaf {
    /// Signed by itself: nobody trusts it.
    pub fn self_signed(names: &[&str]) -> Self {
        let key = key();
        let params = params(names, names.first().unwrap_or(&"leaf"));
        let leaf = params.self_signed(&key).expect("the parameters are sound");
        let pem = [leaf.pem(), key.serialize_pem()];
        Leaf { chain: vec![leaf.der().clone()], key: key.serialize_der(), pem }
    }

    /// The chain and the key as text, for the files of another program.
    pub fn pem(&self) -> [&str; 2] {
        self.pem.each_ref().map(String::as_str)
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions")
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .expect("key and certificate were made together");
        TlsAcceptor::from(Arc::new(config))
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("the system has random bits")
}

fn params(names: &[&str], common_name: &str) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("test names are ASCII");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}
