//! `/ui/monitors/{id}`: how is it, since when, why; then everything that is known of it.

pub mod act;
mod configured;
mod figures;
pub mod heartbeat;
mod past;
mod summary;

use super::chart::latency::Plot;
use super::chart::{class, strip, waterfall};
use super::evidence::{Certified, Seen, place};
use super::frame::Frame;
use super::markup::Markup;
use super::shape;
use super::words;
use bw_domain::id::MonitorId;
use bw_domain::outcome::Phase;
use bw_domain::state::{Cell, Mode};
use bw_domain::time::Instant;
use bw_engine::usecase::monitors::{self, MonitorView};
use bw_engine::usecase::{Services, UseError};
use figures::{Figure, Reach};
use past::Past;
pub use past::{Probe, probes};
use summary::Summary;

/// The page.
#[derive(askama::Template)]
#[template(path = "monitor.html")]
pub struct Monitor {
    frame: Frame,
    id: i64,
    shape: &'static str,
    headline: String,
    detail: Markup,
    link: String,
    target: String,
    /// `team:web` with the address of the list that shows them.
    labels: Vec<(String, String)>,
    paused: bool,
    owner: Option<String>,
    open: Option<summary::Open>,
    strips: Vec<Strip>,
    /// Ranges to choose from: word, address, chosen.
    ranges: Vec<(&'static str, String, bool)>,
    figures: Vec<Figure>,
    plot: Option<Plot>,
    phases: Vec<(&'static str, &'static str)>,
    probes: Vec<Probe>,
    evidence: Option<Seen>,
    incidents: Vec<past::Bygone>,
    certificate: Option<Certified>,
    configured: Vec<(&'static str, String)>,
    expect: Vec<String>,
    told: Vec<(String, String, String)>,
}

/// The large strip of one vantage.
struct Strip {
    place: String,
    said: String,
    drawn: Markup,
    from: Markup,
    every: String,
    to: Markup,
}

impl Monitor {
    /// Reads what the page shows. `range` is the word of the address.
    pub async fn load(
        services: &Services,
        frame: Frame,
        id: MonitorId,
        range: &str,
    ) -> Result<Self, UseError> {
        let view = monitors::get(services, id).await?;
        let now = frame.now;
        let reach = Reach::parse(range);
        let past = Past::load(services, &view, now).await?;
        let summary = Summary::load(services, &view, now).await?;
        let (figures, plot) = figures::load(services, &view, reach, &past.trouble, now).await?;
        let spec = &view.spec;
        let mut frame = frame.titled(None, &summary.headline).moving().wide("read");
        frame.trouble = shape::of(view.shown()) == "down";
        Ok(Monitor {
            frame,
            id: id.0,
            shape: shape::of(view.shown()),
            headline: summary.headline,
            detail: summary.detail,
            link: link(&spec.target()),
            target: spec.target().into_owned(),
            labels: configured::labels(spec),
            paused: view.mode == Mode::Paused,
            owner: spec.owner.as_deref().map(str::to_owned),
            open: summary.open,
            strips: strips(&view, now),
            ranges: reach.ranges(id),
            figures,
            plot,
            phases: Phase::ALL.into_iter().map(|phase| (class(phase), phase.word())).collect(),
            probes: past.probes,
            evidence: past.evidence,
            incidents: past.incidents,
            certificate: past.certificate,
            configured: configured::facts(spec),
            expect: spec.policy.expect.iter().map(|expectation| expectation.text.to_string()).collect(),
            told: configured::told(spec, &services.catalog.actions()),
        })
    }
}

/// Only what a browser opens safely is a link.
fn link(target: &str) -> String {
    let safe = target.starts_with("http://") || target.starts_with("https://");
    if safe { target.to_owned() } else { String::new() }
}

fn strips(view: &MonitorView, now: Instant) -> Vec<Strip> {
    let one = |cell: &Cell| {
        let window = strip::window(cell, now, view.mode != Mode::Paused);
        let ends = |slot: Option<Instant>| slot.map(|slot| words::ago(slot, now)).unwrap_or_default();
        Strip {
            place: format!("Last {} slots from {}", window.len(), place(cell.vantage)),
            // Before it was declared nothing could be seen, and nothing is missing.
            said: strip::tally(
                window.iter().filter(|slot| slot.slot >= view.spec.created_at).map(|slot| slot.verdict),
            ),
            from: ends(window.first().map(|slot| slot.slot)),
            to: ends(window.last().map(|slot| slot.slot)),
            every: format!("every {}", words::exact(view.spec.policy.every)),
            drawn: strip::detailed(&window),
        }
    };
    view.observed.cells.iter().map(one).collect()
}
