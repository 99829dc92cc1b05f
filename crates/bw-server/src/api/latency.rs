//! Latency over time.

use super::beats::probed;
use super::monitors::in_query;
use super::outcome::PhasesOut;
use super::{Id, json, with_rows};
use crate::App;
use crate::problem::{self, Refusal};
use crate::query::Params;
use axum::extract::State;
use axum::response::Response;
use bw_domain::time::Instant;
use bw_engine::usecase::latency::{LatencyPoint, LatencyQuery, latency};
use http::StatusCode;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Quantiles unless asked otherwise.
const QUANTILES: &str = "0.5,0.95,0.99";

/// The latency of a monitor over time.
#[derive(Serialize, ToSchema)]
#[schema(as = Latency)]
pub struct LatencyOut {
    #[schema(value_type = String, format = DateTime)]
    from: Instant,
    #[schema(value_type = String, format = DateTime)]
    to: Instant,
    step_s: f64,
    /// Ascending; steps in which nothing was measured are left out.
    points: Vec<PointOut>,
}

/// One step.
#[derive(Serialize, ToSchema)]
#[schema(as = LatencyPoint)]
pub struct PointOut {
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// Probes that measured something.
    count: u64,
    /// Those of them that failed.
    fails: u64,
    /// By quantile as it was asked for: `{"0.5": 12.1}`; within one per cent.
    latency_ms: BTreeMap<String, f64>,
    /// Means, which stack up to the mean latency.
    phases: PhasesOut,
}

/// Quantiles of latency over steps of time, at most 2000 steps; the last day unless asked otherwise.
#[utoipa::path(get, path = "/api/v1/monitors/{id}/latency", operation_id = "getLatency", tag = "history",
    params(("id" = i64, Path),
        ("from" = Option<String>, Query), ("to" = Option<String>, Query),
        ("step" = Option<String>, Query, description = "A duration such as 5m; about 200 steps unless given"),
        ("q" = Option<String>, Query, description = "Shares, separated by commas: 0.5,0.95,0.99")),
    responses((status = 200, body = LatencyOut), (status = 400, body = problem::Document),
        (status = 404, body = problem::Document)))]
pub async fn series(State(app): State<App>, id: Id, mut params: Params) -> Result<Response, Refusal> {
    let (from, to, step) = (params.instant("from"), params.instant("to"), params.span("step"));
    let shares = params.text("q").unwrap_or_else(|| QUANTILES.to_owned());
    let texts: Vec<&str> = shares.split(',').map(str::trim).collect();
    let mut quantiles = Vec::with_capacity(texts.len());
    for text in &texts {
        match text.parse() {
            Ok(share) => quantiles.push(share),
            Err(_) => params.wrong("q", format!("`{text}` is not a share such as 0.95")),
        }
    }
    params.finish()?;
    probed(&app, &id, "latency")?;
    let query = LatencyQuery { from, to, step, quantiles };
    let series = latency(&app.services, id.monitor(), query).await.map_err(in_query)?;
    let point = |point: &LatencyPoint| PointOut {
        at: point.at,
        count: point.count,
        fails: point.fails,
        latency_ms: texts
            .iter()
            .zip(&point.latency_us)
            .map(|(text, us)| ((*text).to_owned(), super::monitor::ms(*us)))
            .collect(),
        phases: PhasesOut::from_us(|phase| point.phases_us[phase as usize]),
    };
    let body = LatencyOut {
        from: series.range.from,
        to: series.range.to,
        step_s: series.step.as_secs_f64(),
        points: series.points.iter().map(point).collect(),
    };
    Ok(with_rows(json(StatusCode::OK, &body), series.rows))
}
