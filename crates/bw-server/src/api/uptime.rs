//! How much of a time a monitor was up.

use super::monitors::in_query;
use super::{Id, json, with_rows};
use crate::App;
use crate::problem::{self, Refusal};
use crate::query::Params;
use axum::extract::State;
use axum::response::Response;
use bw_domain::time::Instant;
use bw_engine::usecase::uptime::uptime;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// Uptime, weighted by time. The five parts sum up to the time between `from` and `to`.
#[derive(Serialize, ToSchema)]
#[schema(as = Uptime)]
pub struct UptimeOut {
    /// From when the monitor was declared, at the earliest.
    #[schema(value_type = String, format = DateTime)]
    from: Instant,
    /// Now, at the latest.
    #[schema(value_type = String, format = DateTime)]
    to: Instant,
    /// up / (up + down); null when nothing is known.
    ratio: Option<f64>,
    /// (up + down) / (time − paused − maintenance); null when there is no such time.
    coverage: Option<f64>,
    up_s: f64,
    down_s: f64,
    unknown_s: f64,
    maintenance_s: f64,
    paused_s: f64,
}

/// The uptime of a range; the last day unless asked otherwise.
#[utoipa::path(get, path = "/api/v1/monitors/{id}/uptime", operation_id = "getUptime", tag = "history",
    params(("id" = i64, Path), ("from" = Option<String>, Query), ("to" = Option<String>, Query)),
    responses((status = 200, body = UptimeOut), (status = 400, body = problem::Document),
        (status = 404, body = problem::Document)))]
pub async fn report(State(app): State<App>, id: Id, mut params: Params) -> Result<Response, Refusal> {
    let (from, to) = (params.instant("from"), params.instant("to"));
    params.finish()?;
    let report = uptime(&app.services, id.monitor(), from, to).await.map_err(in_query)?;
    let seconds = |ms: u64| ms as f64 / 1e3;
    let body = UptimeOut {
        from: report.wall.from,
        to: report.wall.to,
        ratio: report.uptime.ratio(),
        coverage: report.uptime.coverage(),
        up_s: seconds(report.uptime.up_ms),
        down_s: seconds(report.uptime.down_ms),
        unknown_s: seconds(report.uptime.unknown_ms),
        maintenance_s: seconds(report.uptime.maintenance_ms),
        paused_s: seconds(report.uptime.paused_ms),
    };
    Ok(with_rows(json(StatusCode::OK, &body), report.rows))
}
