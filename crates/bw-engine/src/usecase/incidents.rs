//! Incidents as people handle them: look, take on, write down. They open and close by outcomes alone.

use super::{Services, UseError};
use bw_domain::event::{Event, EventKind, IncidentFacts, Severity, Subject};
use bw_domain::id::{EventId, IncidentId};
use bw_domain::incident::{Acknowledged, Entry, EntryKind, Incident, IncidentChange};
use bw_domain::port::store::{IncidentFilter, IncidentPage};
use bw_domain::port::wake::Topic;
use std::collections::BTreeMap;

/// Characters of a note: a paragraph, not a document.
pub const NOTE_MAX: usize = 4_000;

/// An incident with what happened around it.
#[derive(Clone, Debug)]
pub struct IncidentView {
    pub incident: Incident,
    /// Oldest first.
    pub timeline: Vec<Entry>,
}

/// A page of incidents, newest first.
pub async fn list(services: &Services, filter: IncidentFilter) -> Result<IncidentPage, UseError> {
    Ok(services.store.incidents.list(filter).await?)
}

/// One incident.
pub async fn get(services: &Services, id: IncidentId) -> Result<IncidentView, UseError> {
    let (incident, timeline) = services.store.incidents.get(id).await?.ok_or(UseError::NotFound)?;
    Ok(IncidentView { incident, timeline })
}

/// Somebody takes it on. The first one stands.
pub async fn acknowledge(services: &Services, id: IncidentId, actor: &str) -> Result<IncidentView, UseError> {
    let view = get(services, id).await?;
    if view.incident.acknowledged.is_some() {
        return Ok(view);
    }
    if view.incident.closed_at.is_some() {
        return Err(UseError::Refused("the incident is closed: there is nothing to take on".to_owned()));
    }
    let at = services.clock.now();
    let text = format!("acknowledged by {actor}");
    let kind = EventKind::IncidentAcknowledged;
    // Another installation has an incident of this number, too, but hardly one of the same instant.
    let opened_at = view.incident.opened_at.ms().to_le_bytes();
    let event_id = EventId::of(&[&id.0.to_le_bytes(), kind.name().as_bytes(), &opened_at]);
    let mut event = document(services, &view.incident, kind, event_id, &text);
    if let Some(facts) = &mut event.incident {
        facts.acknowledged_by = Some(actor.to_owned());
    }
    let change = IncidentChange::Acknowledge {
        id,
        acknowledged: Acknowledged { at, by: actor.to_owned() },
        entries: vec![Entry::new(at, EntryKind::Acknowledged, text)],
    };
    change_one(services, change, event).await
}

/// A line of a person in the timeline.
pub async fn note(
    services: &Services,
    id: IncidentId,
    actor: &str,
    text: &str,
) -> Result<IncidentView, UseError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > NOTE_MAX {
        return Err(UseError::invalid("text", format!("is needed, with at most {NOTE_MAX} characters")));
    }
    let view = get(services, id).await?;
    let at = services.clock.now();
    let text = format!("{actor}: {text}");
    let event_id = EventId::of(&[
        &id.0.to_le_bytes(),
        EventKind::IncidentUpdated.name().as_bytes(),
        &at.ms().to_le_bytes(),
        text.as_bytes(),
    ]);
    let event = document(services, &view.incident, EventKind::IncidentUpdated, event_id, &text);
    let change = IncidentChange::Update {
        id,
        cause: None,
        not_observed_since: None,
        entries: vec![Entry::new(at, EntryKind::Note, text)],
    };
    change_one(services, change, event).await
}

async fn change_one(
    services: &Services,
    change: IncidentChange,
    event: Event,
) -> Result<IncidentView, UseError> {
    let id = change.id();
    if !services.store.incidents.change(change, vec![event]).await? {
        return Err(UseError::NotFound);
    }
    services.wake.notify(Topic::Events);
    get(services, id).await
}

fn document(services: &Services, incident: &Incident, kind: EventKind, id: EventId, what: &str) -> Event {
    let now = services.clock.now();
    let summary = format!("{}: {what}", incident.monitor_name);
    let mut event = Event::new(id, kind, now, Severity::Info, summary);
    if !services.base_url.is_empty() {
        event.link = Some(format!("{}/ui/incidents/{}", services.base_url, incident.id));
    }
    event.monitor = Some(subject(services, incident));
    let end = incident.closed_at.unwrap_or(now);
    event.incident = Some(IncidentFacts {
        id: incident.id,
        opened_at: incident.opened_at,
        closed_at: incident.closed_at,
        duration_s: end.since(incident.first_failure_at).as_secs(),
        acknowledged_by: incident.acknowledged.as_ref().map(|acknowledged| acknowledged.by.clone()),
        cause: incident.cause.clone(),
        scope: incident.scope.clone(),
    });
    event
}

/// The monitor as it is, or by the name it had when it is gone.
fn subject(services: &Services, incident: &Incident) -> Subject {
    match services.catalog.get(incident.monitor) {
        Some(spec) => Subject {
            id: spec.id,
            name: spec.name().to_owned(),
            kind: spec.kind().to_owned(),
            target: spec.target().into_owned(),
            labels: spec.declared.labels.to_map(),
        },
        None => Subject {
            id: incident.monitor,
            name: incident.monitor_name.clone(),
            kind: String::new(),
            target: String::new(),
            labels: BTreeMap::new(),
        },
    }
}
