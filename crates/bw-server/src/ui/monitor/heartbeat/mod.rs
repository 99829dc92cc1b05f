//! `/ui/monitors/{id}` of a heartbeat: when is the next beat due; then its runs, what did not come, and how a job reports.

pub mod body;
mod coming;
mod first;
mod report;
mod timeline;

use super::figures::{Figure, Reach, available};
use super::{configured, past, summary};
use crate::ui::address::Address;
use crate::ui::chart::beats as strip;
use crate::ui::chart::durations::{Bar, Durations};
use crate::ui::frame::Frame;
use crate::ui::markup::Markup;
use crate::ui::visit::Visit;
use crate::ui::{shape, words};
use bw_domain::beat::{Agreement, Deaf, guess};
use bw_domain::id::MonitorId;
use bw_domain::port::store::{BeatRow, IncidentFilter};
use bw_domain::state::Mode;
use bw_domain::time::Instant;
use bw_engine::usecase::monitors::{self, MonitorView};
use bw_engine::usecase::runs::{Expected, Piece, instant, pieces};
use bw_engine::usecase::uptime::uptime;
use bw_engine::usecase::{Services, UseError, beats, incidents, kept_beats};
use coming::Coming;
use report::Snippet;
use std::sync::Arc;
use timeline::{Judge, Line};

/// Beats of one page of the table.
const BEATS: usize = 100;
/// The first beats of a heartbeat, among them those by which its zone is judged.
const FIRST: u64 = 40;
const JUDGED: usize = 10;
/// Incidents listed.
const INCIDENTS: usize = 8;

/// The page.
#[derive(askama::Template)]
#[template(path = "monitor_heartbeat.html")]
pub struct Heartbeat {
    frame: Frame,
    id: i64,
    shape: &'static str,
    headline: String,
    detail: Markup,
    target: String,
    labels: Vec<(String, String)>,
    paused: bool,
    owner: Option<String>,
    open: Option<summary::Open>,
    held: Option<String>,
    hint: Option<String>,
    /// It never beat: how to send the first beat comes first.
    fresh: bool,
    address: String,
    snippets: Vec<Snippet>,
    strip: Markup,
    tally: String,
    lines: Vec<Line>,
    zone: String,
    older: Option<String>,
    newest: Option<String>,
    figures: Vec<Figure>,
    durations: Option<Durations>,
    coming: Vec<Coming>,
    incidents: Vec<past::Bygone>,
    configured: Vec<(&'static str, String)>,
    told: Vec<(String, String, String)>,
}

impl Heartbeat {
    /// Reads what the page shows.
    pub async fn load(services: &Services, visit: &Visit, id: MonitorId) -> Result<Self, UseError> {
        let view = monitors::get(services, id).await?;
        let now = visit.frame.now;
        let agreement = view.spec.beats().cloned().ok_or(UseError::NotFound)?;
        let standing = view.standing(now).ok_or(UseError::NotFound)?;
        let deaf = kept_beats::deaf(services).await?;
        let before: Option<u64> = visit.value("before").parse().ok();
        let mut rows = beats::list(services, id, before, BEATS + 1).await?;
        let older = (rows.len() > BEATS).then(|| rows[BEATS - 1].number);
        rows.truncate(BEATS);
        let past = Past::of(&view, &agreement, &deaf, (&rows, before.is_none().then_some(now)), now);
        let summary = summary::open(services, &view, now).await?;
        let filter = IncidentFilter { monitor: Some(id), limit: INCIDENTS, ..IncidentFilter::default() };
        let incidents = incidents::list(services, filter).await?.items;
        let durations = Durations::of(past.bars);
        let spec = &view.spec;
        let headline = first::headline(&view, &standing, now);
        let look = shape::of_view(&view, Some(&standing));
        let mut frame = visit.frame.clone().titled(None, &headline).wide("read");
        frame.trouble = look.0 == "down";
        let address = format!("{}/ping/{}", visit.site, spec.uuid);
        let here = |before: Option<u64>| {
            let query = Address::new("").with("before", before.map(|n| n.to_string()).unwrap_or_default());
            format!("/ui/monitors/{id}{query}#runs")
        };
        Ok(Heartbeat {
            // What is read page by page stays where it is.
            frame: if before.is_none() { frame.moving() } else { frame },
            id: id.0,
            shape: look.0,
            headline,
            detail: first::detail(&view, &agreement.terms, &standing, now),
            target: spec.target().into_owned(),
            labels: configured::labels(spec),
            paused: view.mode == Mode::Paused,
            owner: spec.owner.as_deref().map(str::to_owned),
            open: summary,
            held: first::held(&agreement.terms, &standing, &deaf),
            hint: hint(services, &view, &agreement).await?,
            fresh: view.track.is_none(),
            snippets: report::snippets(&agreement, &address),
            address,
            strip: past.strip,
            tally: past.tally,
            lines: past.lines,
            zone: agreement.terms.cadence.counting().zone().name().to_owned(),
            older: older.map(|number| here(Some(number))),
            newest: before.map(|_| here(None)),
            figures: figures(services, &view, durations.as_ref()).await?,
            durations,
            coming: if view.spec.enabled {
                coming::next(&agreement.terms, &standing, now)
            } else {
                Vec::new()
            },
            incidents: incidents.iter().map(|incident| past::Bygone::of(incident, now)).collect(),
            configured: configured::agreed(spec, &agreement),
            told: configured::told(spec, &services.catalog.actions()),
        })
    }
}

/// The runs as they are shown in their three ways.
struct Past {
    strip: Markup,
    tally: String,
    lines: Vec<Line>,
    bars: Vec<Bar>,
}

impl Past {
    /// `rows` newest first; with an instant where they are the newest ones.
    fn of(
        view: &MonitorView,
        agreement: &Arc<Agreement>,
        deaf: &[Deaf],
        (rows, until): (&[BeatRow], Option<Instant>),
        now: Instant,
    ) -> Self {
        let pieces = pieces(rows, agreement.terms.kind, Expected::of(view, deaf), until);
        let judge = Judge {
            terms: &agreement.terms,
            track: view.track.as_deref(),
            now,
            declared: view.spec.created_at,
        };
        let mut bars: Vec<Bar> = pieces.iter().filter_map(bar).collect();
        bars.reverse();
        Past {
            strip: strip::detailed(&pieces),
            tally: strip::tally(&pieces),
            lines: pieces.iter().map(|piece| judge.line(piece)).collect(),
            bars,
        }
    }
}

fn bar(piece: &Piece) -> Option<Bar> {
    let Piece::Run(run) = piece else { return None };
    let end = run.end.as_ref()?;
    Some(Bar { ended: instant(end), took: run.took()?, failed: end.signal.is_failure() })
}

/// Whether its first beats suggest another zone.
async fn hint(
    services: &Services,
    view: &MonitorView,
    agreement: &Agreement,
) -> Result<Option<String>, UseError> {
    if agreement.terms.cadence.schedules().is_empty() || view.track.is_none() {
        return Ok(None);
    }
    let first = beats::list(services, view.spec.id, Some(FIRST + 1), FIRST as usize).await?;
    let successes = first.iter().rev().filter(|row| row.signal.is_success() && !row.ignored);
    let instants: Vec<Instant> = successes.take(JUDGED).map(instant).collect();
    let guess = guess(&agreement.terms.cadence, &instants);
    Ok(guess.map(|guess| format!("{}. Is its zone right?", words::sentence(&guess.to_string()))))
}

async fn figures(
    services: &Services,
    view: &MonitorView,
    durations: Option<&Durations>,
) -> Result<Vec<Figure>, UseError> {
    let mut figures = Vec::new();
    for word in ["24h", "30d"] {
        let reach = Reach::parse(word);
        let now = services.clock.now();
        let report = uptime(services, view.spec.id, Some(now - reach.duration()), Some(now)).await?;
        figures.push(available(reach, &report));
    }
    if let Some(durations) = durations {
        let of = words::counted(durations.count(), "run");
        figures.push(Figure {
            name: "Median duration".to_owned(),
            value: words::took(durations.median()),
            beside: format!("of {of}"),
        });
        figures.push(Figure {
            name: "Longest".to_owned(),
            value: words::took(durations.longest()),
            beside: format!("of {of}"),
        });
    }
    Ok(figures)
}
