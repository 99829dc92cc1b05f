//! The listener: our interface (`api`), the interfaces that people already use (`compat`), the pages (`ui`), our
//! own health (`metrics`), and who may use them (`auth`). Handlers call the verbs of `bw_engine::usecase` and turn
//! their answers into bytes; nothing here decides about monitors.
//!
//! One router serves every listener. No handler takes the process down: a panic is a 500 and a line in the log.

pub mod api;
mod app;
pub mod auth;
pub mod beat;
mod body;
pub mod compat;
mod front;
pub mod healthchecks;
mod heartbeat_service;
pub mod limits;
pub mod metrics;
pub mod problem;
mod query;
mod serve;
pub mod ui;

pub use api::openapi;
pub use app::App;
pub use front::BeatPaths;
pub use serve::{Served, listen, serve, serve_beats};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use problem::Refusal;
use std::any::Any;
use tower_http::catch_panic::CatchPanicLayer;

/// Everything that is served.
pub fn router(app: App) -> Router {
    let routes = api::router()
        .merge(compat::router())
        .merge(metrics::router())
        .with_state(app.clone())
        .merge(ui::router(app.clone()));
    let open = beat::router(&app).merge(healthchecks::router(&app)).merge(heartbeat_service::router(&app));
    let open =
        open.with_state(app.clone()).layer(CatchPanicLayer::custom(panicked)).layer(map_response(harden));
    hardened(routes, app).merge(open)
}

/// What a process without pages serves: its figures, and whether it is well.
pub fn watched(app: App) -> Router {
    let routes = metrics::router().route("/health", get(compat::health)).with_state(app.clone());
    hardened(routes, app)
}

/// What stands around every route: who may come in, what happens to paths and methods that are not there, and to
/// panics.
pub fn hardened(routes: Router, app: App) -> Router {
    routes
        .fallback(nowhere)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(app, auth::guard))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(map_response(harden))
}

async fn nowhere(request: Request) -> Refusal {
    Refusal::not_found(format!("there is nothing at {}", request.uri().path()))
}

async fn other_method(request: Request) -> Response {
    if let Some(response) = compat::other_method(request.uri().path()) {
        return response;
    }
    let detail = format!("{} does not take {}", request.uri().path(), request.method());
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
        .into_response()
}

fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<&str>().copied().or(cause.downcast_ref::<String>().map(String::as_str));
    tracing::error!("a handler panicked: {}", text.unwrap_or("without words"));
    Refusal::fault().into_response()
}

/// Answers are what their type says, name no page to others, and are kept by nobody unless they say so.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
