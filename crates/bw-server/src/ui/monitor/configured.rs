//! What is configured, as it counts now: defaults are shown with their values, since those are in force.

use crate::ui::address::Address;
use crate::ui::words;
use bw_domain::action::Action;
use bw_domain::beat::{Agreement, Counted, Kind};
use bw_domain::monitor::{Agree, Family, Spec};
use bw_domain::probe::{Probe, RedirectPolicy};

/// The facts, with secrets left out.
pub fn facts(spec: &Spec) -> Vec<(&'static str, String)> {
    let Some(kind) = spec.probe() else { return Vec::new() };
    let mut facts = vec![
        ("Probes", probe(kind)),
        ("Every", words::exact(spec.policy.every)),
        ("Gives up after", exact_or_ms(spec.policy.timeout)),
        ("From", from(spec)),
        ("Down after", rounds(spec.policy.confirm.failures, "failing")),
        ("Up after", rounds(spec.policy.confirm.recoveries, "passing")),
        ("Asks again after", words::exact(spec.policy.confirm.after)),
    ];
    if let Agree::AtLeast(need) = spec.policy.confirm.agree {
        facts.push(("Agreement", format!("{need} of {} vantages", spec.policy.vantages.len())));
    }
    facts.push(("Revision", format!("{}, id {}", spec.revision, spec.id)));
    facts
}

/// What was agreed with the job of a heartbeat.
pub fn agreed(spec: &Spec, agreement: &Agreement) -> Vec<(&'static str, String)> {
    let terms = &agreement.terms;
    let counting = terms.cadence.counting();
    let mut facts =
        vec![("Expected", terms.cadence.to_string()), ("Zone", counting.zone().name().to_owned())];
    let counted = spec.declared.heartbeat().and_then(|declared| declared.terms.count);
    if counted.is_some_and(|counted| counted != Counted::All) || !counting.is_everything() {
        facts.push(("Counts", counting.words()));
    }
    let grace = if terms.grace.is_zero() { "none".to_owned() } else { words::exact(terms.grace) };
    facts.push(("Grace", grace));
    facts.extend(terms.run_limit.map(|limit| ("A run may take", words::exact(limit))));
    if agreement.post_only {
        facts.push(("Method", "POST only: other beats are kept and change nothing".to_owned()));
    }
    if agreement.manual_resume {
        facts.push(("Resumed", "by a person only: beats while it is paused change nothing".to_owned()));
    }
    if agreement.keywords.is_some() {
        facts.push(("Keywords", "words in the body say how a job went".to_owned()));
    }
    match terms.kind {
        Kind::Own => {}
        Kind::Pulse => facts.push(("Rules", "of the heartbeat service".to_owned())),
        Kind::Healthchecks => facts.push(("Rules", "of Healthchecks".to_owned())),
    }
    facts.extend(spec.declared.slug_shown().map(|slug| ("Slug", slug.into_owned())));
    let description =
        spec.declared.heartbeat().and_then(|declared| declared.description().map(str::to_owned));
    facts.extend(description.filter(|text| !text.is_empty()).map(|text| ("Description", text)));
    facts.push(("Revision", format!("{}, id {}", spec.revision, spec.id)));
    facts
}

fn exact_or_ms(duration: bw_domain::time::Duration) -> String {
    if duration.subsec_millis() == 0 {
        words::exact(duration)
    } else {
        format!("{} ms", duration.as_millis())
    }
}

fn rounds(count: u16, kind: &str) -> String {
    if count == 1 { format!("the first {kind} round") } else { format!("{count} {kind} rounds in a row") }
}

fn probe(probe: &Probe) -> String {
    match probe {
        Probe::Http(http) => {
            let mut text = format!("{} over HTTP", http.method);
            text.push_str(match http.redirects {
                RedirectPolicy::Follow => ", redirects followed",
                RedirectPolicy::SameHost => ", redirects followed on the same host",
                RedirectPolicy::None => ", redirects not followed",
            });
            if !http.verify {
                text.push_str(", certificate not verified");
            }
            if !http.headers.is_empty() {
                text.push_str(&format!(", {}", words::counted(http.headers.len(), "header")));
            }
            text
        }
        Probe::Tcp(_) => "a TCP connection".to_owned(),
        Probe::Tls(_) => "a TLS handshake and its certificate".to_owned(),
    }
}

fn from(spec: &Spec) -> String {
    let mut places: Vec<String> = spec
        .policy
        .vantages
        .iter()
        .map(|vantage| match vantage.family {
            Family::Any => "local".to_owned(),
            Family::V4 => "local over IPv4".to_owned(),
            Family::V6 => "local over IPv6".to_owned(),
        })
        .collect();
    places.dedup();
    words::listed(&places.iter().map(String::as_str).collect::<Vec<_>>(), 4)
}

/// Labels with the list of those that have them too.
pub fn labels(spec: &Spec) -> Vec<(String, String)> {
    let labels = spec.declared.labels.iter();
    let text = |(key, value): (&String, &String)| {
        if value.is_empty() { key.clone() } else { format!("{key}:{value}") }
    };
    labels
        .map(text)
        .map(|label| (label.clone(), Address::new("/").with("label", label).to_string()))
        .collect()
}

/// Who would be told: name, what hears what, why it is broken.
pub fn told(spec: &Spec, actions: &[Action]) -> Vec<(String, String, String)> {
    let mut told = Vec::new();
    if spec.declared.webhook_url.is_some() {
        told.push(("its own webhook".to_owned(), "hears every change of health".to_owned(), String::new()));
    }
    told.extend(actions.iter().map(|action| {
        (action.name.clone(), format!("{}, hears incidents", action.kind.word()), action.broken.clone())
    }));
    told
}
