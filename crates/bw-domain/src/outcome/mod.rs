//! What one probe saw. Plain data: the probe fills it, the state machine reads it, the store keeps it.

mod certificate;
mod code;
mod evidence;
mod phase;
mod verdict;

pub use certificate::Certificate;
pub use code::Code;
pub use evidence::{Evidence, Exchange, Hop};
pub use phase::{Phase, Phases};
pub use verdict::Verdict;

use crate::job::Job;
use crate::time::Instant;

/// The result of one job. There is no error beside it: whatever happens to a probe ends here.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Which monitor, revision, vantage, slot and try it answers.
    pub job: Job,
    /// When the probe began.
    pub at: Instant,
    pub verdict: Verdict,
    /// Why not pass; [`Code::OK`] for a pass.
    pub code: Code,
    /// The protocol's own status (HTTP status code), 0 when there was none.
    pub status: u16,
    /// From the start to the end of the probe, redirects included, in microseconds.
    pub latency_us: u32,
    /// Sums over the hops, in microseconds.
    pub phases: Phases,
    /// Only for outcomes that are not a pass: what was seen, bounded and redacted.
    pub evidence: Option<Box<Evidence>>,
    /// The certificate that the last TLS hop presented.
    pub certificate: Option<Box<Certificate>>,
}

impl Outcome {
    /// An outcome of ours: nothing was measured, for this reason.
    pub fn ours(job: Job, at: Instant, code: Code, text: impl Into<String>) -> Self {
        debug_assert!(code.is_ours(), "only our own codes are inconclusive");
        Outcome {
            job,
            at,
            verdict: Verdict::Inconclusive,
            code,
            status: 0,
            latency_us: 0,
            phases: Phases::default(),
            evidence: Some(Box::new(Evidence::text(text))),
            certificate: None,
        }
    }
}
