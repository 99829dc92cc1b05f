//! Chains that have been verified. Whether these bytes prove this name to our roots does not change while all of
//! them are valid, so the costly half of a handshake is spent once for each certificate and not for each probe.
//! That the peer holds the key is proved anew in every handshake.

use bw_domain::time::Instant;
use ring::digest::{Context, SHA256};
use rustls_pki_types::CertificateDer;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Chains that are remembered, at some sixty bytes each. Beyond it all are verified anew.
const REMEMBERED: usize = 65_536;

/// A name and a chain.
pub(super) type Mark = [u8; 32];

/// When every certificate of a chain is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub from: Instant,
    pub until: Instant,
}

impl Window {
    /// What both have in common.
    pub fn within(self, other: Window) -> Window {
        Window { from: self.from.max(other.from), until: self.until.min(other.until) }
    }
}

#[derive(Default)]
pub(super) struct Verified {
    known: Mutex<HashMap<Mark, Window>>,
}

impl Verified {
    /// Whether the chain was verified, and is still within its window.
    pub fn holds(&self, mark: &Mark, now: Instant) -> bool {
        self.known().get(mark).is_some_and(|window| window.from <= now && now < window.until)
    }

    /// Notes that the chain is valid in this window.
    pub fn note(&self, mark: Mark, window: Window) {
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(mark, window);
    }

    /// The map is whole even if a thread died while it held the lock.
    fn known(&self) -> MutexGuard<'_, HashMap<Mark, Window>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each part is preceded by its length, so that no two chains share their bytes.
pub(super) fn mark(host: &str, chain: &[CertificateDer<'_>]) -> Mark {
    let mut context = Context::new(&SHA256);
    for part in std::iter::once(host.as_bytes()).chain(chain.iter().map(|der| der.as_ref())) {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part);
    }
    let mut mark = Mark::default();
    mark.copy_from_slice(context.finish().as_ref());
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_holds_for_its_name_and_within_its_window() {
        let at = Instant::from_ms;
        let chain = [CertificateDer::from(vec![1, 2]), CertificateDer::from(vec![3])];
        let verified = Verified::default();
        verified.note(mark("a", &chain), Window { from: at(10), until: at(20) });
        for (host, chain, now, holds) in [
            ("a", &chain[..], 10, true),
            ("a", &chain[..], 19, true),
            ("a", &chain[..], 9, false),
            ("a", &chain[..], 20, false),
            ("b", &chain[..], 15, false),
            ("a", &chain[..1], 15, false),
        ] {
            assert_eq!(verified.holds(&mark(host, chain), at(now)), holds, "{host} {} {now}", chain.len());
        }
        let joined = [CertificateDer::from(vec![1, 2, 3])];
        assert_ne!(mark("a", &chain), mark("a", &joined));
    }
}
