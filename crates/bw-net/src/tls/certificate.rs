//! The facts of a presented chain.

use super::verified::Window;
use bw_domain::outcome::Certificate;
use bw_domain::time::Instant;
use rustls::ProtocolVersion;
use rustls_pki_types::CertificateDer;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;

/// Names that are kept: certificates of large installations carry hundreds.
const NAMES: usize = 20;

/// Reads the leaf, and when all of the chain is valid: unknown when one of it cannot be read.
pub(super) fn read(
    chain: &[CertificateDer<'_>],
    protocol: Option<ProtocolVersion>,
    problem: String,
) -> Result<(Certificate, Option<Window>), String> {
    let der = chain.first().ok_or("the server presented no certificate")?;
    let (_, leaf) = X509Certificate::from_der(der)
        .map_err(|error| format!("the server's certificate cannot be read: {error}"))?;
    let own = window(&leaf);
    let others = chain[1..].iter().map(|der| X509Certificate::from_der(der).map(|(_, other)| window(&other)));
    let (mut shared, mut whole) = (own, true);
    for other in others {
        match other {
            Ok(other) => shared = shared.within(other),
            Err(_) => whole = false,
        }
    }
    let certificate = Certificate {
        subject: leaf.subject().to_string(),
        issuer: leaf.issuer().to_string(),
        names: names(&leaf),
        not_before: own.from,
        not_after: own.until,
        chain_not_after: shared.until,
        fingerprint: hex(ring::digest::digest(&ring::digest::SHA256, der).as_ref()),
        key: key(&leaf),
        protocol: version(protocol),
        problem,
    };
    Ok((certificate, whole.then_some(shared)))
}

fn window(certificate: &X509Certificate<'_>) -> Window {
    let validity = certificate.validity();
    Window { from: instant(validity.not_before), until: instant(validity.not_after) }
}

fn instant(time: ASN1Time) -> Instant {
    Instant::from_ms(time.timestamp().saturating_mul(1_000))
}

fn names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = leaf.subject_alternative_name() else { return Vec::new() };
    let all = extension.value.general_names.iter();
    let readable = all.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    });
    readable.take(NAMES).collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|octets| Ipv4Addr::from(octets).to_string());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|octets| Ipv6Addr::from(octets).to_string())).ok()
}

fn key(leaf: &X509Certificate<'_>) -> String {
    let info = leaf.public_key();
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(point)) => {
            format!("EC P-{}", if point.key_size() == 528 { 521 } else { point.key_size() })
        }
        // The edwards curves have no parameters, only names.
        _ => match info.algorithm.algorithm.to_id_string().as_str() {
            "1.3.101.112" => "Ed25519".to_owned(),
            "1.3.101.113" => "Ed448".to_owned(),
            other => other.to_owned(),
        },
    }
}

fn version(protocol: Option<ProtocolVersion>) -> String {
    match protocol {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes every character");
        text
    })
}
