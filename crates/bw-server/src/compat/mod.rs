//! The health monitor's interface, as its users know it: `/monitors` and `/health`, with its bodies, statuses and
//! mistakes. Both slash forms are served, since a redirect would lose the body of a POST.

mod answer;
mod form;
mod mistake;

use crate::App;
use crate::auth::Caller;
use crate::body::Bounded;
use crate::limits;
use crate::problem::Refusal;
use answer::{Columns, MonitorOut};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bw_domain::id::MonitorId;
use bw_domain::probe::Probe;
use bw_engine::usecase::monitors::{self, Create, MonitorView};
use bw_engine::usecase::{By, UseError, system};
use form::Form;
use http::StatusCode;
use mistake::Mistakes;
use serde_json::{Map, Value, json};

/// The routes, with the state still to be given.
pub fn router() -> Router<App> {
    let all = get(list).post(create);
    let one = get(show).put(replace).delete(remove);
    Router::new()
        .route("/monitors", all.clone())
        .route("/monitors/", all)
        .route("/monitors/{id}", one.clone())
        .route("/monitors/{id}/", one)
        .route("/health", get(health))
        .route("/health/", get(health))
}

/// The answer to a method that a path of this interface does not take; `None` for other paths.
pub fn other_method(path: &str) -> Option<Response> {
    let first = path.split('/').nth(1)?;
    matches!(first, "monitors" | "health")
        .then(|| detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"))
}

pub async fn health(State(app): State<App>) -> Response {
    match system::ready(&app.services, &app.process) {
        Ok(()) => crate::api::json(StatusCode::OK, &json!({"status": "ok"})),
        Err(why) => crate::api::json(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({"status": "unavailable", "detail": why}),
        ),
    }
}

async fn list(State(app): State<App>, caller: Caller) -> Result<Response, Response> {
    let views = monitors::all(&app.services).await.map_err(refused)?;
    let rows = views.iter().filter(|view| is_http(view));
    let all: Vec<MonitorOut<'_>> =
        rows.map(|view| MonitorOut::of(view, Columns::All, caller.may_write())).collect();
    Ok(crate::api::json_of(StatusCode::OK, &all, 1_024 + all.len() * limits::MONITOR_BYTES))
}

async fn show(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Response, Response> {
    let view = find(&app, &id).await?;
    Ok(shown(&view, Columns::All, &caller))
}

async fn create(
    State(app): State<App>,
    caller: Caller,
    Bounded(body): Bounded,
) -> Result<Response, Response> {
    let (form, sent) = Form::read(&body).map_err(Mistakes::into_response)?;
    let create = Create { declared: form.declare(), idempotency_key: None };
    let made = monitors::create(&app.services, create, By::hand(&caller.name)).await;
    let view = made.map_err(|error| refused_form(error, &sent))?;
    Ok(shown(&view, Columns::Declared, &caller))
}

async fn replace(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Bounded(body): Bounded,
) -> Result<Response, Response> {
    let (form, sent) = Form::read(&body).map_err(Mistakes::into_response)?;
    let before = find(&app, &id).await?;
    let declared = form.onto(&before.spec);
    let by = By::hand(&caller.name);
    let replaced = monitors::replace(&app.services, before.spec.id, declared, None, by).await;
    let view = replaced.map_err(|error| refused_form(error, &sent))?;
    Ok(shown(&view, Columns::All, &caller))
}

async fn remove(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Response> {
    let before = find(&app, &id).await?;
    monitors::delete(&app.services, before.spec.id, None, By::hand(&caller.name)).await.map_err(refused)?;
    Ok(crate::api::json(StatusCode::OK, &json!({"message": "deleted"})))
}

/// The HTTP monitor with this id; others are not of this interface.
async fn find(app: &App, id: &str) -> Result<MonitorView, Response> {
    let number = id.parse().map_err(|_| Mistakes::path_id(id).into_response())?;
    let view = monitors::get(&app.services, MonitorId(number)).await.map_err(refused)?;
    if is_http(&view) { Ok(view) } else { Err(refused(UseError::NotFound)) }
}

fn is_http(view: &MonitorView) -> bool {
    view.spec.probe().is_some_and(|probe| matches!(**probe, Probe::Http(_)))
}

fn shown(view: &MonitorView, columns: Columns, caller: &Caller) -> Response {
    crate::api::json(StatusCode::OK, &MonitorOut::of(view, columns, caller.may_write()))
}

fn refused(error: UseError) -> Response {
    match error {
        UseError::NotFound => detail(StatusCode::NOT_FOUND, "Monitor not found"),
        UseError::Owned { .. } => {
            detail(StatusCode::CONFLICT, "Monitor is managed by the configuration file")
        }
        UseError::Taken(_) => detail(StatusCode::CONFLICT, "Monitor name is taken"),
        other => Refusal::from(other).into_response(),
    }
}

fn refused_form(error: UseError, sent: &Map<String, Value>) -> Response {
    match error {
        UseError::Invalid(problems) => Mistakes::of(problems, sent).into_response(),
        other => refused(other),
    }
}

fn detail(status: StatusCode, sentence: &str) -> Response {
    crate::api::json(status, &json!({"detail": sentence}))
}
