//! `/ui/incidents/{id}`: what happened, is it over; then the timeline, the probes that decided, who was told, and the
//! evidence.

pub mod act;
mod list;
mod timeline;

pub use list::IncidentList;

use super::evidence::Seen;
use super::frame::{Frame, Here};
use super::ledger::Told;
use super::markup::Markup;
use super::monitor::{Probe, probes};
use super::shape;
use super::words;
use bw_domain::id::IncidentId;
use bw_domain::incident::{Incident, ScopeCode};
use bw_domain::limits;
use bw_domain::time::{Duration, Instant};
use bw_engine::usecase::deliveries::{self, DeliveriesQuery};
use bw_engine::usecase::incidents::{self, IncidentView, NOTE_MAX};
use bw_engine::usecase::outcomes::{self, OutcomesQuery};
use bw_engine::usecase::{Services, UseError};
use timeline::Line;

/// Probes of the deciding rounds that are shown.
const PROBES: usize = 20;

/// The page.
#[derive(askama::Template)]
#[template(path = "incident.html")]
pub struct IncidentPage {
    frame: Frame,
    id: i64,
    monitor: i64,
    monitor_name: String,
    shape: &'static str,
    headline: String,
    detail: Markup,
    open: bool,
    acknowledged: bool,
    lines: Vec<Line>,
    probes: Vec<Probe>,
    told: Vec<Told>,
    /// The newest piece, and the others.
    evidence: Option<Seen>,
    earlier: Vec<Seen>,
    /// A note that was not taken, with the sentence why.
    note: String,
    wrong: String,
    note_max: usize,
}

impl IncidentPage {
    /// Reads what the page shows.
    pub async fn load(services: &Services, frame: Frame, id: IncidentId) -> Result<Self, UseError> {
        let view = incidents::get(services, id).await?;
        let query = DeliveriesQuery { incident: Some(id), ..DeliveriesQuery::default() };
        let told = deliveries::list(services, query).await?.items;
        let evidence =
            outcomes::evidence_of(services, view.incident.monitor, Some(id), limits::EVIDENCE_PER_INCIDENT)
                .await?;
        let deciding = deciding(services, &view.incident).await?;
        let now = frame.now;
        let mut page = IncidentPage::new(frame, &view);
        page.told = told.iter().map(|item| Told::of(item, now)).collect();
        let mut evidence = evidence.iter().map(|row| Seen::stored(row, now));
        page.evidence = evidence.next();
        page.earlier = evidence.collect();
        page.probes = probes(&deciding, now);
        Ok(page)
    }

    /// The same with a note that was not taken.
    pub fn refused(mut self, note: String, error: UseError) -> Result<Self, UseError> {
        self.wrong = match error {
            UseError::Invalid(problems) => {
                problems.into_iter().map(|problem| words::sentence(&problem.message)).collect()
            }
            UseError::Refused(sentence) => words::sentence(&sentence),
            other => return Err(other),
        };
        self.note = note;
        Ok(self)
    }

    fn new(frame: Frame, IncidentView { incident, timeline }: &IncidentView) -> Self {
        let now = frame.now;
        let open = incident.closed_at.is_none();
        let headline = headline(incident, now);
        let mut frame = frame.titled(Some(Here::Incidents), &headline).wide("read");
        frame.trouble = open;
        IncidentPage {
            frame: if open { frame.moving() } else { frame },
            id: incident.id.0,
            monitor: incident.monitor.0,
            monitor_name: incident.monitor_name.clone(),
            shape: if open { "down" } else { "up" },
            headline,
            detail: detail(incident, now),
            open,
            acknowledged: incident.acknowledged.is_some(),
            lines: timeline.iter().map(|entry| Line::of(entry, incident.first_failure_at, now)).collect(),
            probes: Vec::new(),
            told: Vec::new(),
            evidence: None,
            earlier: Vec::new(),
            note: String::new(),
            wrong: String::new(),
            note_max: NOTE_MAX,
        }
    }
}

fn headline(incident: &Incident, now: Instant) -> String {
    let name = &incident.monitor_name;
    match incident.closed_at {
        Some(closed) => {
            format!("{name} was down for {}", words::exact(closed.since(incident.first_failure_at)))
        }
        None => format!("{name} has been down for {}", words::long(now.since(incident.first_failure_at))),
    }
}

fn detail(incident: &Incident, now: Instant) -> Markup {
    use super::markup::escape;
    let mut text = match incident.scope.code {
        // Where the job itself reports there is no place from which it was seen.
        ScopeCode::Job => format!("{}. ", words::sentence(&incident.cause.text)),
        _ => format!("{}, {}. ", words::sentence(&incident.cause.text), incident.scope.text),
    };
    text = escape(&text);
    match (incident.closed_at, incident.not_observed_since) {
        (Some(closed), _) => text.push_str(&format!("It is over: recovered {}.", words::ago(closed, now))),
        (None, Some(since)) => {
            text.push_str(&format!("It is still open and not observed since {}.", words::ago(since, now)))
        }
        (None, None) => {
            text.push_str(&format!("It is still open; decided {}.", words::ago(incident.opened_at, now)))
        }
    }
    Markup(text)
}

/// The probes from the first failure to the decision. A monitor that is gone has none to show.
async fn deciding(
    services: &Services,
    incident: &Incident,
) -> Result<Vec<bw_domain::port::store::OutcomeRow>, UseError> {
    // An outcome is found by its slot, which lies before its probe by as much as that may be late.
    let query = OutcomesQuery {
        from: Some(incident.first_failure_at - limits::LATENESS),
        to: Some(incident.opened_at + Duration::from_millis(1)),
        verdict: None,
        limit: PROBES,
    };
    match outcomes::outcomes(services, incident.monitor, query).await {
        Ok(page) => {
            let mut rows = page.items;
            rows.sort_by_key(|row| row.at);
            Ok(rows)
        }
        Err(UseError::NotFound) => Ok(Vec::new()),
        Err(other) => Err(other),
    }
}
