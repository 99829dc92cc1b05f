//! Looking at one monitor, and what can be done to it with one press.

use super::Monitor;
use super::heartbeat::Heartbeat;
use crate::App;
use crate::ui::evidence::Seen;
use crate::ui::frame::Frame;
use crate::ui::respond;
use crate::ui::shape;
use crate::ui::visit::{Deed, Id, Visit};
use crate::ui::{fault, words};
use axum::extract::State;
use axum::response::Response;
use bw_domain::id::MonitorId;
use bw_domain::outcome::{Outcome, Verdict};
use bw_domain::state::Mode;
use bw_engine::usecase::monitors::{self, MonitorView};
use bw_engine::usecase::{By, UseError};
use http::StatusCode;

/// `GET /ui/monitors/{id}`.
pub async fn show(State(app): State<App>, Id(id): Id, visit: Visit) -> Response {
    let id = MonitorId(id);
    if is_heartbeat(&app, id) {
        let loaded = Heartbeat::load(&app.services, &visit, id).await;
        return respond::page(visit.frame, loaded);
    }
    let loaded = Monitor::load(&app.services, visit.frame.clone(), id, visit.value("range")).await;
    respond::page(visit.frame, loaded)
}

fn is_heartbeat(app: &App, id: MonitorId) -> bool {
    app.services.catalog.get(id).is_some_and(|spec| spec.beats().is_some())
}

/// `POST …/pause`.
pub async fn pause(State(app): State<App>, Id(id): Id, deed: Deed) -> Response {
    let by = By::hand(&deed.visit.caller.name);
    let said = if is_heartbeat(&app, MonitorId(id)) { "rests" } else { "paused" };
    done(deed.visit.frame, id, said, monitors::pause(&app.services, MonitorId(id), by).await)
}

/// `POST …/resume`.
pub async fn resume(State(app): State<App>, Id(id): Id, deed: Deed) -> Response {
    let by = By::hand(&deed.visit.caller.name);
    done(deed.visit.frame, id, "resumed", monitors::resume(&app.services, MonitorId(id), by).await)
}

fn done(frame: Frame, id: i64, said: &str, result: Result<MonitorView, UseError>) -> Response {
    match result {
        Ok(_) => respond::go_on(&format!("/ui/monitors/{id}?said={said}")),
        Err(error) => fault::refused(frame, &error),
    }
}

/// The page that asks once.
#[derive(askama::Template)]
#[template(path = "delete.html")]
struct Delete {
    frame: Frame,
    id: i64,
    name: String,
    target: String,
    heartbeat: bool,
    paused: bool,
}

/// `GET …/delete`.
pub async fn ask(State(app): State<App>, Id(id): Id, visit: Visit) -> Response {
    let asked = monitors::get(&app.services, MonitorId(id)).await.and_then(|view| {
        if let Some(owner) = &view.spec.owner {
            return Err(UseError::Owned { owner: owner.clone() });
        }
        let name = view.spec.name().to_owned();
        Ok(Delete {
            frame: visit.frame.clone().titled(None, &format!("Delete {name}?")).wide("narrow"),
            id,
            target: view.spec.target().into_owned(),
            heartbeat: view.spec.beats().is_some(),
            paused: view.mode == Mode::Paused,
            name,
        })
    });
    respond::page(visit.frame, asked)
}

/// `POST …/delete`.
pub async fn delete(State(app): State<App>, Id(id): Id, deed: Deed) -> Response {
    let by = By::hand(&deed.visit.caller.name);
    match monitors::delete(&app.services, MonitorId(id), None, by).await {
        Ok(()) => respond::go_on("/?said=deleted"),
        Err(error) => fault::refused(deed.visit.frame, &error),
    }
}

/// What "probe now" saw.
#[derive(askama::Template)]
#[template(path = "probed.html")]
struct Probed {
    frame: Frame,
    id: i64,
    name: String,
    headline: String,
    seen: Seen,
}

/// `POST …/probe`: the outcome is shown at once, so there is nothing to go on to.
pub async fn probe(State(app): State<App>, Id(id): Id, deed: Deed) -> Response {
    let id = MonitorId(id);
    let probed = async {
        let view = monitors::get(&app.services, id).await?;
        let outcome = monitors::probe_now(&app.services, id).await?;
        Ok::<_, UseError>((view, outcome))
    };
    let frame = deed.visit.frame;
    match probed.await {
        Ok((view, outcome)) => respond::render(StatusCode::OK, &Probed::of(frame, &view, &outcome)),
        Err(error) => fault::refused(frame, &error),
    }
}

impl Probed {
    fn of(frame: Frame, view: &MonitorView, outcome: &Outcome) -> Self {
        let name = view.spec.name().to_owned();
        let latency = words::latency(outcome.latency_us);
        let headline = match outcome.verdict {
            Verdict::Pass => format!("{name} passed in {latency}"),
            Verdict::Fail => format!("{name} failed: {}", outcome.code.text()),
            Verdict::Inconclusive => format!("Nothing can be said of {name}: {}", outcome.code.text()),
        };
        let now = frame.now;
        Probed {
            frame: frame.titled(None, &headline).wide("narrow"),
            id: view.spec.id.0,
            headline,
            seen: Seen::fresh(outcome, &view.spec.target(), now),
            name,
        }
    }
}
