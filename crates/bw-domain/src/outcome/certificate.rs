//! What a server's certificate said, read from the presented chain even when the chain is not valid.

use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// Facts of the leaf and of its chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Subject of the leaf, as a distinguished name.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Names that it is valid for, at most 20.
    pub names: Vec<String>,
    pub not_before: Instant,
    pub not_after: Instant,
    /// The end of the chain's earliest certificate, the leaf included.
    pub chain_not_after: Instant,
    /// SHA-256 of the leaf in hexadecimal.
    pub fingerprint: String,
    /// `EC P-256`, `RSA 2048`, …
    pub key: String,
    /// The negotiated protocol version, `TLS 1.3`.
    pub protocol: String,
    /// Empty when the chain verified; else why not.
    pub problem: String,
}

impl Certificate {
    /// Whole days until the leaf ends, negative once it has ended.
    pub fn days_left(&self, now: Instant) -> i64 {
        (self.not_after.ms() - now.ms()).div_euclid(86_400_000)
    }

    /// The first eight bytes of the fingerprint: enough to notice a renewal.
    pub fn mark(&self) -> u64 {
        u64::from_str_radix(self.fingerprint.get(..16).unwrap_or("0"), 16).unwrap_or(0)
    }
}
