//! The first lines about a monitor: how it is, since when, why, and who was told.

use crate::ui::evidence::place;
use crate::ui::markup::{Markup, escape};
use crate::ui::{notice, words};
use bw_domain::incident::Incident;
use bw_domain::time::Instant;
use bw_engine::usecase::monitors::{MonitorView, Shown};
use bw_engine::usecase::{Services, UseError, incidents};

/// The first lines.
pub struct Summary {
    pub headline: String,
    pub detail: Markup,
    pub open: Option<Open>,
}

/// The incident that is open.
pub struct Open {
    pub id: i64,
    pub cause: String,
    pub lasting: String,
    pub detail: String,
}

impl Summary {
    /// Reads the open incident, if there is one, and says how things are.
    pub async fn load(services: &Services, view: &MonitorView, now: Instant) -> Result<Self, UseError> {
        let open = open(services, view, now).await?;
        Ok(Summary { headline: headline(view, now), detail: detail(view, now), open })
    }
}

/// The incident that is open, with who was told of it.
pub async fn open(services: &Services, view: &MonitorView, now: Instant) -> Result<Option<Open>, UseError> {
    let Some(id) = view.state.incident else { return Ok(None) };
    let told = notice::sentence(services, id).await?;
    Ok(Some(Open::of(&incidents::get(services, id).await?.incident, &told, now)))
}

fn headline(view: &MonitorView, now: Instant) -> String {
    let (name, lasted) = (view.spec.name(), words::long(now.since(view.state.since)));
    match view.shown() {
        Shown::Up => format!("{name} has been up for {lasted}"),
        Shown::Down => format!("{name} has been down for {lasted}"),
        Shown::Unknown if view.observed.cells.is_empty() => format!("{name} waits for its first probe"),
        Shown::Unknown => format!("{name} has been unknown for {lasted}"),
        Shown::Maintenance => format!("{name} is in maintenance"),
        Shown::Paused => format!("{name} is paused"),
    }
}

/// The last probe in a sentence.
fn detail(view: &MonitorView, now: Instant) -> Markup {
    let Some(cell) = view.last_cell() else {
        return Markup("Nothing has been seen of it yet.".to_owned());
    };
    let when = words::ago(cell.at, now);
    let latency = if cell.latency_us > 0 {
        format!(" after {}", words::latency(cell.latency_us))
    } else {
        String::new()
    };
    let why =
        if cell.code.name() == "ok" { String::new() } else { format!(": {}", escape(cell.code.text())) };
    let place = place(cell.vantage);
    Markup(format!("The last probe, {when} from {place}, ended as {}{latency}{why}.", cell.verdict.word()))
}

impl Open {
    fn of(incident: &Incident, told: &str, now: Instant) -> Self {
        let taken = incident.acknowledged.as_ref().map_or_else(
            || "not acknowledged".to_owned(),
            |acknowledged| format!("acknowledged by {}", acknowledged.by),
        );
        Open {
            id: incident.id.0,
            cause: words::sentence(&incident.cause.text),
            lasting: words::short(now.since(incident.first_failure_at)),
            detail: words::sentence(&format!("{} · {told} · {taken}", incident.scope.text)),
        }
    }
}
