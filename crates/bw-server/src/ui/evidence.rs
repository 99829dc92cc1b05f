//! What one probe saw: the sentence, a waterfall for each hop, and the answer as it came. The same for the last
//! failure of a monitor, for an incident, and for "test now".

use super::chart::waterfall;
use super::markup::Markup;
use super::{shape, words};
use bw_domain::monitor::{Family, LOCAL, Vantage};
use bw_domain::outcome::{Certificate, Evidence, Exchange, Hop, Outcome, Verdict};
use bw_domain::port::store::EvidenceRow;
use bw_domain::time::Instant;

/// The panel of one probe.
#[derive(askama::Template)]
#[template(path = "evidence.html")]
pub struct Seen {
    shape: &'static str,
    word: &'static str,
    /// What failed, with the value seen.
    text: String,
    /// When, from where, how long.
    circumstances: Markup,
    expectation: String,
    hops: Vec<Drawn>,
    exchange: Option<Exchange>,
    certificate: Option<Certified>,
}

impl askama::filters::HtmlSafe for Seen {}

/// One hop with its picture.
struct Drawn {
    place: String,
    status: String,
    fall: Markup,
}

impl Seen {
    /// A stored piece of evidence: always of a probe that did not pass.
    pub fn stored(row: &EvidenceRow, now: Instant) -> Self {
        let circumstances = Markup(format!(
            "{} from {}, {}",
            words::ago(row.at, now),
            place(row.key.vantage),
            row.code.name()
        ));
        let shape =
            shape::of_verdict(Some(if row.code.is_ours() { Verdict::Inconclusive } else { Verdict::Fail }));
        let word = if row.code.is_ours() { "inconclusive" } else { "fail" };
        Seen::new((shape, word), circumstances, &row.evidence)
    }

    /// An outcome that was asked for just now.
    pub fn fresh(outcome: &Outcome, target: &str, now: Instant) -> Self {
        let status = if outcome.status > 0 { format!(", status {}", outcome.status) } else { String::new() };
        let circumstances = Markup(format!(
            "from {}, {} in all{status}, {}",
            place(outcome.job.vantage),
            words::latency(outcome.latency_us),
            outcome.code.name()
        ));
        let mut evidence = outcome.evidence.as_deref().cloned().unwrap_or_default();
        if evidence.text.is_empty() {
            evidence.text = outcome.code.text().to_owned();
        }
        if evidence.hops.is_empty() && outcome.phases.total() > 0 {
            let hop =
                Hop { url: target.to_owned(), address: None, status: outcome.status, phases: outcome.phases };
            evidence.hops.push(hop);
        }
        let mut seen = Seen::new(
            (shape::of_verdict(Some(outcome.verdict)), outcome.verdict.word()),
            circumstances,
            &evidence,
        );
        seen.certificate = outcome.certificate.as_deref().map(|certificate| Certified::of(certificate, now));
        seen
    }

    fn new((shape, word): (&'static str, &'static str), circumstances: Markup, evidence: &Evidence) -> Self {
        let whole = evidence.hops.iter().fold(0u32, |sum, hop| sum.saturating_add(hop.phases.total()));
        let mut begun = 0u32;
        let mut hops = Vec::with_capacity(evidence.hops.len());
        for hop in &evidence.hops {
            hops.push(Drawn {
                place: hop
                    .address
                    .as_ref()
                    .map_or(hop.url.clone(), |address| format!("{} ({address})", hop.url)),
                status: if hop.status > 0 { format!("{} ", hop.status) } else { String::new() },
                fall: waterfall::waterfall(&hop.phases, begun, whole),
            });
            begun = begun.saturating_add(hop.phases.total());
        }
        Seen {
            shape,
            word,
            text: words::sentence(&evidence.text),
            circumstances,
            // The sentence nearly always quotes it.
            expectation: evidence
                .expectation
                .clone()
                .filter(|said| !evidence.text.contains(said.as_str()))
                .unwrap_or_default(),
            hops,
            exchange: evidence.exchange.clone(),
            certificate: None,
        }
    }
}

/// What a certificate says of itself.
#[derive(askama::Template)]
#[template(path = "certificate.html")]
pub struct Certified {
    facts: Certificate,
    until: String,
    /// When an issuer's certificate ends before the leaf; empty: none does.
    chain: String,
    /// It ends within two weeks, or has ended.
    soon: bool,
}

impl askama::filters::HtmlSafe for Certified {}

impl Certified {
    /// Looks at one.
    pub fn of(certificate: &Certificate, now: Instant) -> Self {
        let days = certificate.days_left(now);
        let count = words::counted(days.unsigned_abs() as usize, "day");
        let left = if days < 0 { format!("ended {count} ago") } else { format!("{count} left") };
        let earlier = certificate.chain_not_after < certificate.not_after;
        Certified {
            facts: certificate.clone(),
            until: format!("{}, {left}", words::instant(certificate.not_after)),
            chain: if earlier { words::instant(certificate.chain_not_after) } else { String::new() },
            soon: days < 14,
        }
    }
}

/// From where: the location, and the family where it was chosen.
pub fn place(vantage: Vantage) -> String {
    let location = if vantage.location == LOCAL {
        "local".to_owned()
    } else {
        format!("location {}", vantage.location.0)
    };
    match vantage.family {
        Family::Any => location,
        Family::V4 => format!("{location} over IPv4"),
        Family::V6 => format!("{location} over IPv6"),
    }
}
