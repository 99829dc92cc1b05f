//! Block Kit: what is wrong, which expectation failed with the value seen, who saw it, how long each phase took.
//! Every text keeps within Slack's limits, because a message with one block too long is refused whole.

use super::payload::escape;
use crate::text::{millis, missed};
use bw_domain::event::{Event, ProbeFacts};
use bw_domain::incident::Said;
use bw_domain::outcome::Phase;
use bw_domain::port::sender::Dispatch;
use serde_json::{Value, json};

/// Longest text of a section, and of a field.
const SECTION_MAX: usize = 3_000;
const FIELD_MAX: usize = 2_000;
/// What one line of text needs at most; the rest of a section is for its other parts.
const PART_MAX: usize = 900;
/// Votes beyond this many are counted, not listed.
const VOTES_MAX: usize = 10;

/// The blocks, far fewer than the fifty that are allowed.
pub(super) fn blocks(dispatch: &Dispatch) -> Vec<Value> {
    let event = &dispatch.event;
    let mut blocks = vec![section(format!("*{}*", escape(&event.summary, SECTION_MAX - 2)))];
    blocks.extend(facts(event));
    blocks.extend(expectation(event));
    blocks.extend(votes(&event.votes));
    blocks.extend(event.probe.as_ref().and_then(phases));
    let missed = missed(event, &dispatch.merged);
    if !missed.is_empty() {
        blocks.push(section(format!("Not told before: {}", escape(&missed, PART_MAX))));
    }
    blocks.extend(link(event));
    blocks
}

fn section(text: String) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
}

fn context(text: String) -> Value {
    json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": text }] })
}

/// Target, change, cause and scope, two in a row.
fn facts(event: &Event) -> Option<Value> {
    let mut facts: Vec<(&str, String)> = Vec::new();
    if let Some(monitor) = &event.monitor {
        facts.push(("Target", monitor.target.clone()));
    }
    if let Some(change) = &event.change {
        facts.push(("Health", format!("{} -> {}", change.from.word(), change.to.word())));
        facts.push(("Since", change.since.to_string()));
    }
    if let Some(incident) = &event.incident {
        facts.push(("Cause", format!("{} ({})", incident.cause.text, incident.cause.code)));
        facts.push(("Scope", incident.scope.text.clone()));
        facts.extend(incident.acknowledged_by.as_ref().map(|by| ("Acknowledged by", by.clone())));
    }
    let fields: Vec<Value> = facts
        .iter()
        .map(|(name, value)| json!({ "type": "mrkdwn", "text": format!("*{name}*\n{}", escape(value, FIELD_MAX - 30)) }))
        .collect();
    (!fields.is_empty()).then(|| json!({ "type": "section", "fields": fields }))
}

/// The expectation that failed, and what was seen unless the cause has said it.
fn expectation(event: &Event) -> Option<Value> {
    let probe = event.probe.as_ref()?;
    let is_said = event.incident.as_ref().is_some_and(|incident| incident.cause.text == probe.text);
    let seen = if is_said { String::new() } else { escape(&probe.text, PART_MAX) };
    let expected =
        probe.expectation.as_ref().map(|text| format!("*Failed expectation* `{}`", escape(text, PART_MAX)));
    let lines: Vec<String> = expected.into_iter().chain(Some(seen).filter(|seen| !seen.is_empty())).collect();
    (!lines.is_empty()).then(|| section(lines.join("\n")))
}

/// The verdict of each vantage, one a line.
fn votes(votes: &[Said]) -> Option<Value> {
    let mut lines: Vec<String> = votes.iter().take(VOTES_MAX).map(vote).collect();
    if let Some(more) = votes.len().checked_sub(VOTES_MAX).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    (!lines.is_empty()).then(|| section(lines.join("\n")))
}

fn vote(said: &Said) -> String {
    let location = escape(&said.location, 100);
    let (family, verdict, latency) = (said.family.word(), said.verdict.word(), millis(said.latency_ms));
    format!("• {location} ({family}): *{verdict}* {} after {latency}", said.code)
}

/// `resolve 0.4 ms · connect 12 ms · …` of those phases that happened.
fn phases(probe: &ProbeFacts) -> Option<Value> {
    let steps: Vec<String> = Phase::ALL
        .iter()
        .filter(|phase| probe.phases.get(**phase) > 0)
        .map(|phase| format!("{} {}", phase.word(), millis(f64::from(probe.phases.get(*phase)) / 1_000.0)))
        .collect();
    let status = if probe.status == 0 { String::new() } else { format!("status {} · ", probe.status) };
    (!steps.is_empty()).then(|| context(format!("{status}{}", steps.join(" · "))))
}

/// A link that was cut would lead nowhere: one that is too long is left out.
fn link(event: &Event) -> Option<Value> {
    let link = event.link.as_deref().filter(|link| link.starts_with("http") && link.len() <= PART_MAX / 2)?;
    Some(context(format!("<{}|Open in Bellwether>", escape(link, FIELD_MAX - 50))))
}
