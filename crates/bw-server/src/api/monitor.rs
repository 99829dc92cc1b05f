//! A monitor as JSON: its declaration as in YAML, and beside it what is believed and was last seen. Everything is
//! borrowed, so that a list of ten thousand is one pass into one buffer.

use super::beat::BeatsOut;
use super::declared::DeclaredOut;
use crate::App;
use bw_domain::monitor::{LOCAL, LocationId};
use bw_domain::outcome::Verdict;
use bw_domain::state::Cell;
use bw_domain::time::Instant;
use bw_engine::usecase::monitors::MonitorView;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use utoipa::ToSchema;

/// A monitor.
#[derive(Serialize, ToSchema)]
#[schema(as = Monitor)]
pub struct MonitorOut<'a> {
    id: i64,
    uuid: String,
    /// The file that declares it; null when it was made here or on the pages.
    owner: Option<&'a str>,
    /// Grows with every edit; the `ETag`.
    revision: u32,
    #[schema(pattern = "^(UP|DOWN|UNKNOWN)$")]
    health: &'static str,
    #[schema(pattern = "^(active|paused|maintenance)$")]
    mode: &'static str,
    /// The health, or the mode unless active.
    #[schema(pattern = "^(UP|DOWN|UNKNOWN|PAUSED|MAINTENANCE)$")]
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    since: Instant,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_slot: Option<Instant>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[serde(serialize_with = "each")]
    #[schema(value_type = Vec<ObservedOut>)]
    observed: &'a [Cell],
    /// What its job has reported; only of heartbeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    beats: Option<BeatsOut>,
    #[serde(flatten)]
    declared: DeclaredOut<'a>,
}

/// What one vantage saw last.
#[derive(Serialize, ToSchema)]
#[schema(as = Observed)]
pub struct ObservedOut {
    #[schema(value_type = String)]
    location: Cow<'static, str>,
    family: &'static str,
    verdict: &'static str,
    code: &'static str,
    /// Null when nothing was measured.
    latency_ms: Option<f64>,
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
}

/// When a monitor is looked at, and below which address jobs report.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub now: Instant,
    pub site: &'a str,
}

impl<'a> Asked<'a> {
    /// Now.
    pub fn of(app: &'a App) -> Self {
        Asked { now: app.services.clock.now(), site: &app.services.base_url }
    }
}

impl<'a> MonitorOut<'a> {
    /// The monitor of a view.
    pub fn of(view: &'a MonitorView, asked: Asked<'_>) -> Self {
        let spec = &view.spec;
        MonitorOut {
            id: spec.id.0,
            uuid: spec.uuid.to_string(),
            owner: spec.owner.as_deref(),
            revision: spec.revision,
            health: view.state.health.word(),
            mode: view.mode.word(),
            state: view.shown().word(),
            since: view.state.since,
            last_slot: view.last_slot(),
            created_at: spec.created_at,
            observed: &view.observed.cells,
            beats: BeatsOut::of(view, asked),
            declared: DeclaredOut::of(&spec.declared),
        }
    }
}

impl ObservedOut {
    fn of(cell: &Cell) -> Self {
        ObservedOut {
            location: location(cell.vantage.location),
            family: cell.vantage.family.word(),
            verdict: cell.verdict.word(),
            code: cell.code.name(),
            latency_ms: (cell.verdict != Verdict::Inconclusive).then(|| ms(cell.latency_us)),
            at: cell.at,
        }
    }
}

/// The place of a vantage.
pub fn location(id: LocationId) -> Cow<'static, str> {
    if id == LOCAL { Cow::Borrowed("local") } else { Cow::Owned(id.0.to_string()) }
}

/// Microseconds as milliseconds.
pub fn ms(us: u32) -> f64 {
    f64::from(us) / 1e3
}

fn each<S: Serializer>(cells: &&[Cell], out: S) -> Result<S::Ok, S::Error> {
    out.collect_seq(cells.iter().map(ObservedOut::of))
}
