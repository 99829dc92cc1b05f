//! Bellwether watched from outside: `/metrics` for Prometheus, `/-/healthy` and `/-/ready` for orchestrators.

mod exposition;
mod figures;

use crate::App;
use crate::problem::Refusal;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bw_engine::usecase::system;
use exposition::Format;
use figures::Figures;
use http::header::{ACCEPT, CONTENT_TYPE, VARY};
use http::{HeaderMap, StatusCode};

/// The routes, with the state still to be given.
pub fn router() -> Router<App> {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(ready))
}

async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = Format::accepted(accept);
    let figures = Figures::gather(&app.services, &app.process).await;
    let body = exposition::write(figures, format);
    ([(CONTENT_TYPE, format.content_type()), (VARY, "Accept")], body).into_response()
}

/// Every loop of this process ticks.
async fn healthy(State(app): State<App>) -> Response {
    answer("healthy", system::healthy(&app.services, &app.process))
}

/// The process may take traffic.
async fn ready(State(app): State<App>) -> Response {
    answer("ready", system::ready(&app.services, &app.process))
}

fn answer(word: &str, result: Result<(), String>) -> Response {
    match result {
        Ok(()) => format!("{word}\n").into_response(),
        Err(why) => {
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Unavailable", why).into_response()
        }
    }
}

#[cfg(test)]
mod tests;
