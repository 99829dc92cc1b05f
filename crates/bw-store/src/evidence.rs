//! Evidence within its bound, and the attempt that nobody recorded: what every store writes by itself.

use bw_domain::delivery::{Attempt, AttemptResult};
use bw_domain::limits::EVIDENCE_MAX;
use bw_domain::outcome::Evidence;
use bw_domain::time::Instant;

/// As JSON within its bound: probes keep to it, and what does not loses the body, then all but the sentence.
pub(crate) fn bounded(evidence: &Evidence) -> String {
    let json = |evidence: &Evidence| serde_json::to_string(evidence).expect("evidence is JSON");
    let whole = json(evidence);
    if whole.len() <= EVIDENCE_MAX {
        return whole;
    }
    let mut smaller = evidence.clone();
    if let Some(exchange) = &mut smaller.exchange {
        exchange.body.clear();
        exchange.cut = true;
    }
    let without_body = json(&smaller);
    if without_body.len() <= EVIDENCE_MAX {
        return without_body;
    }
    json(&Evidence::text(evidence.text.chars().take(1_000).collect::<String>()))
}

/// An attempt that was begun and never recorded.
pub(crate) fn cut_off(begun: Instant) -> Attempt {
    Attempt {
        at: begun,
        took_ms: 0,
        result: AttemptResult::Unknown,
        status: 0,
        text: "the process ended before the answer was recorded".to_owned(),
    }
}
