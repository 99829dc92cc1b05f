//! What was agreed about a heartbeat beside its times: which beats count.

use super::deadline::Terms;
use super::signal::{Classified, Keywords, Signal};

/// The compiled agreement, shared by all heartbeats that have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    pub terms: Terms,
    /// Other methods than POST are kept and change nothing.
    pub post_only: bool,
    /// A beat does not resume a paused heartbeat: a person must.
    pub manual_resume: bool,
    pub keywords: Option<Box<Keywords>>,
}

impl Agreement {
    /// What a beat is: its signal, and whether it is only kept.
    pub fn classify(&self, signal: Signal, is_post: bool, paused: bool, body: &[u8]) -> (Signal, bool) {
        if self.post_only && !is_post || paused && self.manual_resume {
            return (signal, true);
        }
        match self.keywords.as_deref().map(|keywords| keywords.classify(signal, body)) {
            None => (signal, false),
            Some(Classified::As(signal)) => (signal, false),
            Some(Classified::Ignored) => (signal, true),
        }
    }
}
