//! Which paths are those of beats.

use std::sync::Arc;

/// Where the interfaces of the original heartbeat servers are: the heartbeat server's own two bases, Healthchecks'
/// and Kuma's.
const ORIGINALS: [&str; 4] = ["/heartbeat/", "/v1/heartbeat/", "/ping/", "/api/push/"];

/// How the paths of beats begin, compared byte by byte with what a client sends.
#[derive(Clone, Debug)]
pub struct BeatPaths(Arc<[Box<[u8]>]>);

impl BeatPaths {
    pub fn new<P: AsRef<[u8]>>(prefixes: impl IntoIterator<Item = P>) -> Self {
        Self(prefixes.into_iter().map(|prefix| Box::from(prefix.as_ref())).collect())
    }

    pub(super) fn hold(&self, path: &[u8]) -> bool {
        self.0.iter().any(|prefix| path.starts_with(prefix))
    }
}

impl Default for BeatPaths {
    fn default() -> Self {
        Self::new(ORIGINALS)
    }
}
