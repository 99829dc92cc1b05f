//! The story of a probe that did not pass: bounded, and free of secrets.

use crate::record::Record;
use crate::redact;
use bw_domain::limits;
use bw_domain::outcome::{Evidence, Exchange, Hop};
use bw_domain::probe::Probe;
use bw_domain::secret::MASK;
use bw_net::Stopwatch;

/// Bytes of one URL, and of one header's value, that are shown.
const SHORT: usize = 400;
/// Bytes for the answer's headers together.
const HEADERS: usize = 4 << 10;
/// Bytes of the sentence.
const SENTENCE: usize = 1 << 10;
/// What names and punctuation of one hop or header take in JSON beside their values.
const FRAME: usize = 160;

/// Tells what was seen. `text` is the sentence, `expectation` the rule that was not met.
pub(crate) fn tell(
    probe: &Probe,
    record: &Record,
    watch: &Stopwatch<'_>,
    text: &str,
    expectation: Option<String>,
) -> Evidence {
    let secrets = redact::credentials(probe);
    let mut budget = Budget(limits::EVIDENCE_MAX - FRAME);
    let text = budget.cut(&redact::mask(text, &secrets), SENTENCE);
    let expectation = expectation.map(|rule| budget.cut(&rule, SENTENCE * 4));
    let last = record.hop(probe.target(), watch);
    let hops = record.hops.iter().cloned().chain([last]).map(|hop| {
        budget.0 = budget.0.saturating_sub(FRAME);
        Hop { url: budget.cut(&hop.url, SHORT), ..hop }
    });
    let hops = hops.collect();
    let exchange = record.answer.head.map(|(version, status)| {
        let headers = headers(record, &secrets, &mut budget);
        let body = redact::mask(&String::from_utf8_lossy(&record.answer.body), &secrets);
        let shown = budget.cut(&body, limits::EVIDENCE_MAX);
        Exchange {
            status_line: format!("{version:?} {status}"),
            headers,
            body_bytes: record.answer.body.len() as u64,
            cut: shown.len() < body.len(),
            body: shown,
        }
    });
    Evidence { text, expectation, hops, exchange }
}

fn headers(record: &Record, secrets: &[&str], budget: &mut Budget) -> Vec<(String, String)> {
    let mut room = HEADERS;
    let mut shown = Vec::new();
    for (name, value) in &record.answer.headers {
        let value = match name.as_str() {
            secret if redact::is_secret(secret) => MASK.to_owned(),
            "location" | "content-location" => redact::url(&String::from_utf8_lossy(value.as_bytes())),
            _ => redact::mask(&String::from_utf8_lossy(value.as_bytes()), secrets),
        };
        let before = budget.0;
        let pair = (budget.cut(name.as_str(), SHORT), budget.cut(&value, SHORT));
        budget.0 = budget.0.saturating_sub(8);
        room = room.saturating_sub(before - budget.0);
        if room == 0 {
            break;
        }
        shown.push(pair);
    }
    shown
}

/// Bytes of JSON that are left.
struct Budget(usize);

impl Budget {
    /// The beginning of the text that fits what is left, and `max`.
    fn cut(&mut self, text: &str, max: usize) -> String {
        let mut room = self.0.min(max);
        let mut end = 0;
        for c in text.chars() {
            let cost = match c {
                '"' | '\\' | '\n' | '\r' | '\t' => 2,
                c if c.is_ascii_control() => 6,
                c => c.len_utf8(),
            };
            if cost > room {
                break;
            }
            room -= cost;
            end += c.len_utf8();
        }
        self.0 -= self.0.min(max) - room;
        text[..end].to_owned()
    }
}
