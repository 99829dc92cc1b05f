//! The pages: `/`, `/ui/…` and `/assets/…`. Rendered here, complete without scripts; each calls the verbs of the
//! engine and never the store. A page is a struct with its template; `visit` says who asks, `respond` answers.

mod address;
mod asset;
mod chart;
mod evidence;
pub(crate) mod fault;
mod form;
pub(crate) mod frame;
mod incident;
mod ledger;
pub(crate) mod markup;
mod monitor;
mod notice;
mod overview;
pub(crate) mod respond;
pub(crate) mod shape;
mod sign_in;
mod system;
pub(crate) mod visit;
pub(crate) mod words;

use crate::App;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use bw_engine::usecase;
use frame::Frame;
use http::StatusCode;
use visit::Visit;

/// Every page.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/", get(overview))
        .route("/ui/monitors/new", get(form::act::new).post(form::act::create))
        .route("/ui/monitors/{id}", get(monitor::act::show))
        .route("/ui/monitors/{id}/edit", get(form::act::edit).post(form::act::save))
        .route("/ui/monitors/{id}/delete", get(monitor::act::ask).post(monitor::act::delete))
        .route("/ui/monitors/{id}/pause", post(monitor::act::pause))
        .route("/ui/monitors/{id}/resume", post(monitor::act::resume))
        .route("/ui/monitors/{id}/probe", post(monitor::act::probe))
        .route("/ui/monitors/{id}/beats/{number}", get(monitor::heartbeat::body::show))
        .route("/ui/heartbeats/new", get(form::heartbeat::act::new).post(form::heartbeat::act::create))
        .route("/ui/incidents", get(incidents))
        .route("/ui/incidents/{id}", get(incident::act::show))
        .route("/ui/incidents/{id}/acknowledge", post(incident::act::acknowledge))
        .route("/ui/incidents/{id}/notes", post(incident::act::note))
        .route("/ui/deliveries", get(deliveries))
        .route("/ui/system", get(system))
        .route("/ui/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/ui/sign-out", post(sign_in::leave))
        .route("/ui/{*rest}", get(nowhere))
        .route("/assets/{hash}/{name}", get(asset::serve))
        .with_state(app)
}

/// The page for somebody who may not see any, with the sentence why.
pub fn forbidden(app: &App, sentence: &str) -> Response {
    let frame = Frame::outside(app.services.clock.now());
    fault::page(frame, StatusCode::FORBIDDEN, &format!("{}.", words::sentence(sentence)))
}

async fn overview(State(app): State<App>, visit: Visit) -> Response {
    let loaded = overview::Overview::load(&app.services, visit.frame.clone(), visit.pairs).await;
    respond::page(visit.frame, loaded)
}

async fn incidents(State(app): State<App>, visit: Visit) -> Response {
    let loaded = incident::IncidentList::load(&app.services, visit.frame.clone(), &visit.pairs).await;
    respond::page(visit.frame, loaded)
}

async fn deliveries(State(app): State<App>, visit: Visit) -> Response {
    let loaded = ledger::Ledger::load(&app.services, visit.frame.clone(), &visit.pairs).await;
    respond::page(visit.frame, loaded)
}

async fn system(State(app): State<App>, visit: Visit) -> Response {
    let report = usecase::system::report(&app.services, &app.process).await;
    respond::page(visit.frame.clone(), report.map(|report| system::System::of(visit.frame, &report)))
}

async fn nowhere(visit: Visit) -> Response {
    fault::page(visit.frame, StatusCode::NOT_FOUND, "No page has this address.")
}

#[cfg(test)]
mod tests;
