//! What all connections of the process share: clock, guard, resolvers, TLS. Made once.

use crate::resolve::{Names, SystemFiles};
use crate::tls::Tls;
use bw_domain::guard::Policy;
use bw_domain::port::clock::Clock;
use std::path::PathBuf;
use std::sync::Arc;

/// How every probe and sender names itself: stable, so that it can be allowed by whoever blocks robots.
pub const USER_AGENT: &str = concat!("bellwether/", env!("CARGO_PKG_VERSION"));

/// The way out.
pub struct Net {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) guard: Policy,
    /// For probes: each look-up is a new one.
    pub(crate) names: Names,
    /// For senders: answers live as long as they say.
    pub(crate) remembered: Names,
    pub(crate) tls: Tls,
}

/// What the composition root decides.
#[derive(Clone, Debug, Default)]
pub struct NetConfig {
    pub guard: Policy,
    /// Certificates to trust instead of the built-in ones: `SSL_CERT_FILE`.
    pub roots: Option<PathBuf>,
    /// Where the host's resolver settings are.
    pub system: SystemFiles,
}

/// Why there is no way out.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    #[error("the certificates to trust cannot be read from {}", path.display())]
    Roots {
        path: PathBuf,
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    #[error("{} holds no certificate to trust", path.display())]
    NoRoots { path: PathBuf },
    #[error("TLS cannot be set up")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Net {
    pub fn new(config: NetConfig, clock: Arc<dyn Clock>) -> Result<Arc<Self>, NetError> {
        Ok(Arc::new(Net {
            clock,
            guard: config.guard,
            names: Names::new(config.system.clone(), false),
            remembered: Names::new(config.system, true),
            tls: Tls::new(config.roots.as_deref())?,
        }))
    }

    /// The clock that every step is measured by.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }
}
