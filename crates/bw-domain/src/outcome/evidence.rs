//! What a failing probe saw, bounded by `limits::EVIDENCE_MAX` and free of secrets: request headers and
//! credentials of the monitor are never in it, and response headers that carry secrets are masked.

use super::Phases;
use serde::{Deserialize, Serialize};

/// The story of one outcome that was not a pass.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// One sentence: what failed, with the value seen. `expected status == 200, saw 503`.
    pub text: String,
    /// The expectation that failed, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expectation: Option<String>,
    /// Every hop, the last one last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<Hop>,
    /// The last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange>,
}

/// One connection of a probe.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// Where it went, credentials and query values masked.
    pub url: String,
    /// The address that was contacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The status of its answer, 0 when there was none.
    pub status: u16,
    /// Microseconds.
    pub phases: Phases,
}

/// The last answer, cut to what fits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// `HTTP/1.1 503 Service Unavailable`.
    pub status_line: String,
    pub headers: Vec<(String, String)>,
    /// The beginning of the body as text, invalid bytes replaced.
    pub body: String,
    /// Bytes of the body that were read.
    pub body_bytes: u64,
    /// True when the body shown is not all of it.
    pub cut: bool,
}

impl Evidence {
    /// A sentence alone.
    pub fn text(text: impl Into<String>) -> Self {
        Evidence { text: text.into(), ..Evidence::default() }
    }
}
