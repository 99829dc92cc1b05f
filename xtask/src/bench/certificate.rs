//! An authority of our own and a certificate for the target: ECDSA on P-256, as the goals say.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};

/// Files in PEM.
pub struct Certificate {
    pub authority: PathBuf,
    pub chain: PathBuf,
    pub key: PathBuf,
}

pub fn make(folder: &Path, addresses: &[Ipv4Addr]) -> Result<Certificate> {
    let mut authority = CertificateParams::new(Vec::new())?;
    // Issuer and subject of the leaf must differ, or OpenSSL takes it for self-signed.
    authority.distinguished_name.push(DnType::CommonName, "Bench authority");
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let mut leaf = CertificateParams::new(vec!["localhost".to_owned()])?;
    leaf.distinguished_name.push(DnType::CommonName, "localhost");
    leaf.use_authority_key_identifier_extension = true;
    let addresses = addresses.iter().map(|address| SanType::IpAddress(IpAddr::V4(*address)));
    leaf.subject_alt_names.extend(addresses);
    let leaf_key = KeyPair::generate()?;
    let leaf_certificate = leaf.signed_by(&leaf_key, &issuer)?;

    let files = Certificate {
        authority: folder.join("authority.pem"),
        chain: folder.join("chain.pem"),
        key: folder.join("key.pem"),
    };
    fs::write(&files.authority, authority_certificate.pem())?;
    fs::write(&files.chain, leaf_certificate.pem())?;
    fs::write(&files.key, leaf_key.serialize_pem())?;
    Ok(files)
}
