//! What a change means to people: incidents with their timelines, and the event documents.

use super::Health;
use super::State;
use super::draft::{Draft, Ended};
use super::event::Cause;
use super::streak::Streak;
use crate::event::{Change, Event, EventKind, IncidentFacts, ProbeFacts, Severity, Subject};
use crate::id::{EventId, IncidentId};
use crate::incident::{Entry, EntryKind, Incident, IncidentCause, IncidentChange, Said, Scope};
use crate::monitor::LOCAL;
use crate::outcome::{Code, Outcome, Verdict};
use crate::time::Instant;

/// The monitor is DOWN: an incident opens, or goes on where it was only unobserved.
pub(super) fn down(draft: &mut Draft<'_>, before: &State, streak: Streak, ended: &Ended<'_>) {
    let votes = said(draft, ended);
    let deciding = ended.outcome.filter(|outcome| outcome.verdict == Verdict::Fail);
    let code =
        deciding.map(|outcome| outcome.code).or_else(|| failing_code(&votes)).unwrap_or(Code::SELF_LOST);
    let text = sentence(code, deciding);
    let scope = Scope::of(&votes);
    let fall = Fall {
        since: streak.first_at,
        code,
        first: format!("first failing probe: {text}"),
        confirmed: format!("DOWN after {} failing rounds, {}", streak.rounds, scope.text),
        text,
        scope,
        votes,
        probe: deciding.map(facts),
    };
    fell(draft, before, fall);
}

/// Why a monitor is DOWN, and who says so.
pub(super) struct Fall {
    pub since: Instant,
    pub code: Code,
    pub text: String,
    pub scope: Scope,
    /// The first two lines of the incident.
    pub first: String,
    pub confirmed: String,
    pub votes: Vec<Said>,
    pub probe: Option<ProbeFacts>,
}

/// Says that the monitor is DOWN.
pub(super) fn fell(draft: &mut Draft<'_>, before: &State, fall: Fall) {
    let Fall { since: from, code, text, scope, first, confirmed, votes, probe } = fall;
    let cause = IncidentCause { code, phase: code.phase(), text: text.clone() };
    let now = draft.context.now;
    let name = draft.spec.name().to_owned();
    draft.transit(before.health, Health::Down, from, Cause { code, text: text.clone() });

    let confirmed = Entry::new(now, EntryKind::Confirmed, confirmed);
    let spoken = before.known != Some(Health::Down);
    let summary = format!("{name} is DOWN: {text}");
    let change = since(draft, before.health, spoken, code.name());
    let changed = changed(draft, change.clone(), summary.clone());
    changed.votes.clone_from(&votes);
    changed.probe.clone_from(&probe);

    match before.incident {
        Some(id) => {
            draft.change_incident(IncidentChange::Update {
                id,
                cause: Some(cause),
                not_observed_since: Some(None),
                entries: vec![confirmed],
            });
        }
        None => {
            let id = draft.context.spare;
            draft.out.spare_used = true;
            draft.state.incident = Some(id);
            let observed = Entry::new(from, EntryKind::Observed, first);
            let incident = Incident {
                id,
                monitor: draft.spec.id,
                monitor_name: name,
                opened_at: now,
                first_failure_at: from,
                closed_at: None,
                cause,
                scope,
                acknowledged: None,
                not_observed_since: None,
            };
            let mut opened = document(draft, EventKind::IncidentOpened, Severity::Critical, summary);
            let known = incident_facts(&incident);
            draft.state.opened = Some(Box::new(known));
            opened.change = Some(Change { spoken: true, ..change });
            opened.votes = votes;
            opened.probe = probe;
            draft.change_incident(IncidentChange::Open(Box::new(incident), vec![observed, confirmed]));
            draft.out.events.push(opened);
        }
    }
    let known = draft.state.opened.as_deref().cloned();
    of_incident(draft, known);
}

/// Every event of the step belongs to the incident: whoever is told by any of them is told of it.
fn of_incident(draft: &mut Draft<'_>, known: Option<IncidentFacts>) {
    let link = known.as_ref().and_then(|known| link(draft, known.id));
    for event in &mut draft.out.events {
        event.incident.clone_from(&known);
        event.link.clone_from(&link);
    }
}

/// The monitor is UP: an open incident closes.
pub(super) fn up(draft: &mut Draft<'_>, before: &State, streak: Streak, ended: &Ended<'_>) {
    let votes = said(draft, ended);
    let text = format!("{} passing rounds", streak.rounds);
    rose(draft, before, Rise { since: streak.first_at, text, votes, probe: ended.outcome.map(facts) });
}

/// Why a monitor is UP, and who says so.
pub(super) struct Rise {
    pub since: Instant,
    pub text: String,
    pub votes: Vec<Said>,
    pub probe: Option<ProbeFacts>,
}

/// Says that the monitor is UP.
pub(super) fn rose(draft: &mut Draft<'_>, before: &State, rise: Rise) {
    let Rise { since: from, text, votes, probe } = rise;
    let name = draft.spec.name().to_owned();
    let spoken = match before.known {
        None => draft.spec.tell.first_up,
        Some(known) => known != Health::Up,
    };
    draft.transit(before.health, Health::Up, from, Cause { code: Code::OK, text });
    let summary = format!("{name} is UP");
    let change = since(draft, before.health, spoken, Code::OK.name());
    let event = changed(draft, change, summary.clone());
    event.votes.clone_from(&votes);
    event.probe.clone_from(&probe);
    if let Some(id) = draft.state.incident.take() {
        close(draft, id, EntryKind::Recovered, "recovered", summary);
        let closed = draft.out.events.last_mut().expect("the incident's event was pushed just now");
        closed.votes = votes;
        closed.probe = probe;
        let known = closed.incident.clone();
        of_incident(draft, known);
    }
}

/// The incident ends for another reason than recovery.
pub(super) fn ended(draft: &mut Draft<'_>, id: IncidentId, why: &str) {
    let summary = format!("{}: {why}, incident closed", draft.spec.name());
    close(draft, id, EntryKind::Edited, why, summary);
}

fn close(draft: &mut Draft<'_>, id: IncidentId, kind: EntryKind, why: &str, summary: String) {
    let at = draft.context.now;
    draft.change_incident(IncidentChange::Close { id, at, entries: vec![Entry::new(at, kind, why)] });
    let mut event = document(draft, EventKind::IncidentClosed, Severity::Info, summary);
    event.incident = draft.state.opened.take().map(|opened| IncidentFacts {
        closed_at: Some(at),
        duration_s: at.since(opened.opened_at).as_secs() + opened.duration_s,
        ..*opened
    });
    event.change = Some(since(draft, Health::Down, true, Code::OK.name()));
    event.link = link(draft, id);
    draft.out.events.push(event);
}

/// Adds the `monitor.changed` of this step and lends it for what else is known.
pub(super) fn changed<'d>(draft: &'d mut Draft<'_>, change: Change, summary: String) -> &'d mut Event {
    let severity = if change.to == Health::Down { Severity::Critical } else { Severity::Info };
    let mut event = document(draft, EventKind::MonitorChanged, severity, summary);
    event.change = Some(change);
    event.link = monitor_link(draft);
    draft.out.events.push(event);
    draft.out.events.last_mut().expect("it was pushed just now")
}

/// The change from a health to the present one.
pub(super) fn since(draft: &Draft<'_>, from: Health, spoken: bool, reason: &str) -> Change {
    Change { from, to: draft.state.health, since: draft.state.since, reason: reason.to_owned(), spoken }
}

/// An event about the monitor. Its id means (monitor, decision, kind): the same decision committed twice is one event.
/// The UUID stands for the monitor, because a receiver that hears several installations knows events by their ids.
fn document(draft: &Draft<'_>, kind: EventKind, severity: Severity, summary: String) -> Event {
    let spec = draft.spec;
    let id =
        EventId::of(&[&spec.uuid.0.to_le_bytes(), &draft.observed.seq.to_le_bytes(), kind.name().as_bytes()]);
    let mut event = Event::new(id, kind, draft.context.now, severity, summary);
    event.monitor = Some(Subject {
        id: spec.id,
        name: spec.name().to_owned(),
        kind: spec.kind().to_owned(),
        target: spec.target().into_owned(),
        labels: spec.declared.labels.to_map(),
    });
    event
}

fn link(draft: &Draft<'_>, id: IncidentId) -> Option<String> {
    let base = draft.context.base_url;
    (!base.is_empty()).then(|| format!("{base}/ui/incidents/{id}"))
}

fn monitor_link(draft: &Draft<'_>) -> Option<String> {
    let base = draft.context.base_url;
    (!base.is_empty()).then(|| format!("{base}/ui/monitors/{}", draft.spec.id))
}

fn incident_facts(incident: &Incident) -> IncidentFacts {
    IncidentFacts {
        id: incident.id,
        opened_at: incident.opened_at,
        closed_at: incident.closed_at,
        duration_s: incident.opened_at.since(incident.first_failure_at).as_secs(),
        acknowledged_by: None,
        cause: incident.cause.clone(),
        scope: incident.scope.clone(),
    }
}

/// What each vantage said in the deciding round.
fn said(draft: &Draft<'_>, ended: &Ended<'_>) -> Vec<Said> {
    draft
        .voters(ended)
        .map(|cell| Said {
            location: if cell.vantage.location == LOCAL {
                "local".to_owned()
            } else {
                cell.vantage.location.0.to_string()
            },
            family: cell.vantage.family,
            verdict: cell.verdict,
            code: cell.code,
            phase: cell.code.phase(),
            latency_ms: f64::from(cell.latency_us) / 1e3,
            at: cell.at,
        })
        .collect()
}

fn failing_code(votes: &[Said]) -> Option<Code> {
    votes.iter().find(|said| said.verdict == Verdict::Fail).map(|said| said.code)
}

/// The failure in words: what was seen if a probe told, else what the code means.
pub(super) fn sentence(code: Code, outcome: Option<&Outcome>) -> String {
    outcome
        .and_then(|outcome| outcome.evidence.as_ref())
        .map(|evidence| evidence.text.clone())
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| code.text().to_owned())
}

fn facts(outcome: &Outcome) -> ProbeFacts {
    let evidence = outcome.evidence.as_deref();
    ProbeFacts {
        status: outcome.status,
        latency_ms: f64::from(outcome.latency_us) / 1e3,
        phases: outcome.phases,
        text: sentence(outcome.code, Some(outcome)),
        expectation: evidence.and_then(|evidence| evidence.expectation.clone()),
    }
}
