//! What has happened to a monitor: its last probes, the last failure as it was seen, its incidents, its certificate.

use crate::ui::chart::waterfall;
use crate::ui::evidence::{Certified, Seen, place};
use crate::ui::markup::Markup;
use crate::ui::{shape, words};
use bw_domain::incident::Incident;
use bw_domain::outcome::Verdict;
use bw_domain::port::store::{IncidentFilter, OutcomeRow};
use bw_domain::time::Instant;
use bw_engine::usecase::monitors::MonitorView;
use bw_engine::usecase::outcomes::{self, OutcomesQuery};
use bw_engine::usecase::{Services, UseError, incidents};

/// Probes shown.
const PROBES: usize = 10;
/// Incidents read, for the chart; fewer are listed.
const INCIDENTS: usize = 100;
const LISTED: usize = 8;

/// The past.
pub struct Past {
    pub probes: Vec<Probe>,
    pub evidence: Option<Seen>,
    pub incidents: Vec<Bygone>,
    /// From and until, for the chart.
    pub trouble: Vec<(Instant, Instant)>,
    pub certificate: Option<Certified>,
}

/// One probe in the table.
pub struct Probe {
    pub shape: &'static str,
    pub word: &'static str,
    pub began: Markup,
    pub repeats: u8,
    pub place: String,
    pub why: String,
    pub status: String,
    pub latency: String,
    pub phases: Markup,
    pub phases_said: String,
}

/// One incident in the list.
pub struct Bygone {
    pub id: i64,
    pub began: Markup,
    pub lasted: String,
    pub why: String,
}

impl Past {
    /// Reads it.
    pub async fn load(services: &Services, view: &MonitorView, now: Instant) -> Result<Self, UseError> {
        let id = view.spec.id;
        let query = OutcomesQuery { limit: PROBES, ..OutcomesQuery::default() };
        let rows = outcomes::outcomes(services, id, query).await?.items;
        let filter = IncidentFilter { monitor: Some(id), limit: INCIDENTS, ..IncidentFilter::default() };
        let incidents = incidents::list(services, filter).await?.items;
        let evidence = outcomes::evidence_of(services, id, None, 1).await?;
        let certificate = outcomes::certificate(services, id).await?;
        Ok(Past {
            probes: probes(&rows, now),
            evidence: evidence.first().map(|row| Seen::stored(row, now)),
            trouble: incidents
                .iter()
                .map(|one| (one.first_failure_at, one.closed_at.unwrap_or(now)))
                .collect(),
            incidents: incidents.iter().take(LISTED).map(|incident| Bygone::of(incident, now)).collect(),
            certificate: certificate.map(|certificate| Certified::of(&certificate, now)),
        })
    }
}

/// Rows as the table shows them; their bars share one scale, so that they can be compared.
pub fn probes(rows: &[OutcomeRow], now: Instant) -> Vec<Probe> {
    let scale = rows.iter().map(|row| row.phases.total()).max().unwrap_or(0);
    rows.iter().map(|row| Probe::of(row, scale, now)).collect()
}

impl Probe {
    fn of(row: &OutcomeRow, scale: u32, now: Instant) -> Self {
        Probe {
            shape: shape::of_verdict(Some(row.verdict)),
            word: row.verdict.word(),
            began: words::ago(row.at, now),
            repeats: row.key.r#try,
            place: place(row.key.vantage),
            why: if row.verdict == Verdict::Pass { String::new() } else { row.code.text().to_owned() },
            status: if row.status > 0 { row.status.to_string() } else { String::new() },
            latency: if row.latency_us > 0 { words::latency(row.latency_us) } else { String::new() },
            phases: waterfall::bar(&row.phases, scale),
            phases_said: waterfall::said(&row.phases),
        }
    }
}

impl Bygone {
    /// Looks at one.
    pub fn of(incident: &Incident, now: Instant) -> Self {
        let lasted = words::exact(incident.closed_at.unwrap_or(now).since(incident.first_failure_at));
        Bygone {
            id: incident.id.0,
            began: words::ago(incident.first_failure_at, now),
            lasted: if incident.closed_at.is_some() { lasted } else { format!("{lasted}, open") },
            why: words::sentence(&incident.cause.text),
        }
    }
}
