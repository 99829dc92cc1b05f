//! Telling of overdue pulses when the heartbeat service's `monitor` is asked, and of those that pulse again.
//!
//! Each incident of a pulse is told of once, and its end once. What is told is an event in the ledger with an id made of
//! the incident, so that neither a restart nor another node tells it again; it goes the way of all messages, with their
//! attempts, and whoever asked can wait for the first one. What was given up is told anew when somebody asks again. An
//! end is told where its beginning has arrived: they never overtake each other.

use super::monitors::{self, MonitorView};
use super::{Services, UseError};
use bw_domain::action::ActionRef;
use bw_domain::delivery::{Delivery, DeliveryState};
use bw_domain::event::{Event, EventKind, IncidentFacts, Severity, Subject};
use bw_domain::id::{DeliveryId, EventId, IncidentId};
use bw_domain::incident::Incident;
use bw_domain::port::store::{DeliveryFilter, DeliveryItem, IncidentFilter};
use bw_domain::port::wake::Topic;
use bw_domain::state::Health;
use bw_domain::time::{Duration, Instant};

/// Pulses in one message: a hundred lines are read, a thousand are scrolled past.
const PER_MESSAGE: usize = 100;
/// An end that nobody asked for within this time is told no more. Schedulers ask at least daily; this outlasts holidays.
const RECOVERED_WITHIN: Duration = Duration::from_secs(32 * 86_400);
/// Incidents of one pulse that may have come and gone between two questions.
const INCIDENTS_BACK: usize = 16;
/// Deliveries of one incident that are looked through: its events times the actions that hear them.
const LEDGER_BACK: usize = 1_000;

/// What is to be told, and what became of what was told before.
#[derive(Debug, Default)]
pub struct Report {
    /// Pulses that are overdue.
    pub overdue: usize,
    /// What is told now.
    pub awaited: Vec<Awaited>,
    /// Messages of before that do not get through.
    pub stuck: usize,
}

/// A message that is on its way.
#[derive(Clone, Copy, Debug)]
pub struct Awaited {
    incident: IncidentId,
    delivery: DeliveryId,
}

/// What was told of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// Nothing that is not given up: so many messages were.
    NotYet(usize),
    /// It waits for its first attempt.
    Waiting,
    /// An attempt failed. It is tried again, until it is given up visibly.
    Failing,
    Sent,
}

/// Tells what is to be told. `dashboard`: the address for people, without any secret.
pub async fn tell(services: &Services, dashboard: &str) -> Result<Report, UseError> {
    let now = services.clock.now();
    let views = monitors::all(services).await?;
    let pulses = views.iter().filter(|view| is_pulse(view) && view.spec.enabled);
    let (mut report, mut fresh) = (Report::default(), Vec::new());
    let mut well = Vec::new();
    for view in pulses {
        match &view.state.opened {
            Some(opened) if is_overdue(view) => {
                report.overdue += 1;
                match told(services, opened.id, EventKind::PulseOverdue).await? {
                    Told::NotYet(dead) => fresh.push(event(view, opened, EventKind::PulseOverdue, dead)),
                    Told::Failing => report.stuck += 1,
                    Told::Sent | Told::Waiting => {}
                }
            }
            _ if view.state.health == Health::Up && now.since(view.state.since) < RECOVERED_WITHIN => {
                well.push(view);
            }
            _ => {}
        }
    }
    for view in well {
        fresh.extend(recovered(services, view, now).await?);
    }
    for (index, message) in fresh.chunks_mut(PER_MESSAGE).enumerate() {
        let at = now + Duration::from_millis(index as u64);
        for event in message {
            event.at = at;
            event.link = (!dashboard.is_empty()).then(|| dashboard.to_owned());
            let incident = event.incident.as_ref().map_or(IncidentId(0), |incident| incident.id);
            report.awaited.push(Awaited { incident, delivery: delivery_of(event) });
        }
    }
    if !fresh.is_empty() {
        services.store.deliveries.raise(fresh).await?;
        services.wake.notify(Topic::Events);
    }
    Ok(report)
}

/// How many pulses are overdue.
pub async fn overdue(services: &Services) -> Result<usize, UseError> {
    let views = monitors::all(services).await?;
    Ok(views.iter().filter(|view| is_pulse(view) && is_overdue(view)).count())
}

fn is_overdue(view: &MonitorView) -> bool {
    view.spec.enabled && view.state.incident.is_some()
}

/// Drops from `awaited` what has arrived; answers how many fail.
pub async fn arrived(services: &Services, awaited: &mut Vec<Awaited>) -> Result<usize, UseError> {
    let mut failing = 0;
    let mut still = Vec::with_capacity(awaited.len());
    for one in awaited.drain(..) {
        let items = ledger(services, one.incident).await?;
        let row = items.iter().map(|item| &item.delivery).find(|row| row.id == one.delivery);
        match row.map(|row| (row.state, row.attempts.is_empty())) {
            Some((DeliveryState::Sent, _)) => {}
            None | Some((DeliveryState::Waiting, true)) => still.push(one),
            Some((DeliveryState::Waiting | DeliveryState::Dead, _)) => failing += 1,
        }
    }
    *awaited = still;
    Ok(failing)
}

fn is_pulse(view: &MonitorView) -> bool {
    view.spec.declared.heartbeat().is_some_and(|heartbeat| heartbeat.pulse().is_some())
}

/// A pulse is well: the end of its last incident that was told of, unless that was told, too.
async fn recovered(services: &Services, view: &MonitorView, now: Instant) -> Result<Option<Event>, UseError> {
    let filter = IncidentFilter {
        open: Some(false),
        monitor: Some(view.spec.id),
        limit: INCIDENTS_BACK,
        ..IncidentFilter::default()
    };
    for incident in services.store.incidents.list(filter).await?.items {
        let is_fresh = incident.closed_at.is_some_and(|at| now.since(at) < RECOVERED_WITHIN);
        if !is_fresh || told(services, incident.id, EventKind::PulseOverdue).await? != Told::Sent {
            continue;
        }
        return Ok(match told(services, incident.id, EventKind::PulseRecovered).await? {
            Told::NotYet(dead) => Some(event(view, &facts(&incident), EventKind::PulseRecovered, dead)),
            _ => None,
        });
    }
    Ok(None)
}

/// What the ledger knows of what was told of an incident.
async fn told(services: &Services, incident: IncidentId, kind: EventKind) -> Result<Told, UseError> {
    let (mut dead, mut best) = (0, None);
    for item in ledger(services, incident).await?.iter().filter(|item| item.event.kind == kind) {
        match item.delivery.state {
            DeliveryState::Sent => return Ok(Told::Sent),
            DeliveryState::Waiting if item.delivery.attempts.is_empty() => best = Some(Told::Waiting),
            DeliveryState::Waiting => best = Some(Told::Failing),
            DeliveryState::Dead => dead += 1,
        }
    }
    Ok(best.unwrap_or(Told::NotYet(dead)))
}

async fn ledger(services: &Services, incident: IncidentId) -> Result<Vec<DeliveryItem>, UseError> {
    let filter = DeliveryFilter { incident: Some(incident), limit: LEDGER_BACK, ..DeliveryFilter::default() };
    let mut items = services.store.deliveries.list(filter).await?;
    items.retain(|item| item.delivery.action == ActionRef::HeartbeatService);
    Ok(items)
}

fn delivery_of(event: &Event) -> DeliveryId {
    Delivery::new(event, ActionRef::HeartbeatService).id
}

/// The event of an incident, always with the same id where as many before it were given up.
fn event(view: &MonitorView, facts: &IncidentFacts, kind: EventKind, dead: usize) -> Event {
    let pulse = view.spec.declared.heartbeat().and_then(|heartbeat| heartbeat.pulse());
    let name = pulse.map_or_else(|| view.spec.name().to_owned(), |pulse| pulse.parts().join(" / "));
    let (severity, word) = match kind {
        EventKind::PulseOverdue => (Severity::Critical, "is overdue"),
        _ => (Severity::Info, "pulses again"),
    };
    // Another installation has an incident of this number, too, but hardly one of the same instant.
    let opened_at = facts.opened_at.ms().to_le_bytes();
    let dead = (dead as u64).to_le_bytes();
    let id = EventId::of(&[&facts.id.0.to_le_bytes(), kind.name().as_bytes(), &opened_at, &dead]);
    let mut event = Event::new(id, kind, facts.opened_at, severity, format!("{name} {word}"));
    event.monitor = Some(Subject {
        id: view.spec.id,
        name,
        kind: view.spec.kind().to_owned(),
        target: view.spec.target().into_owned(),
        labels: view.spec.declared.labels.to_map(),
    });
    event.incident = Some(facts.clone());
    event
}

fn facts(incident: &Incident) -> IncidentFacts {
    let end = incident.closed_at.unwrap_or(incident.opened_at);
    IncidentFacts {
        id: incident.id,
        opened_at: incident.opened_at,
        closed_at: incident.closed_at,
        duration_s: end.since(incident.first_failure_at).as_secs(),
        acknowledged_by: incident.acknowledged.as_ref().map(|acknowledged| acknowledged.by.clone()),
        cause: incident.cause.clone(),
        scope: incident.scope.clone(),
    }
}
