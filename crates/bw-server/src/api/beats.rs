//! What jobs have reported: the beats of one heartbeat, what they brought along, and those of all as they come in.

use super::beat::BeatOut;
use super::{Id, json, not_an_id};
use crate::App;
use crate::problem::{self, Refusal};
use crate::query::Params;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bw_domain::id::MonitorId;
use bw_domain::limits::PAGE_DEFAULT;
use bw_engine::usecase::{beats, kept_beats};
use http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

/// Beats of one page: each is read from its own place.
const BEATS_MAX: usize = 1_000;

/// A page of beats.
#[derive(Serialize, ToSchema)]
#[schema(as = BeatPage)]
pub struct PageOut {
    /// Newest first.
    items: Vec<BeatOut>,
    /// `before` of the next page; null on the last one.
    next: Option<String>,
}

/// The beats of a heartbeat, newest first.
#[utoipa::path(get, path = "/api/v1/monitors/{id}/beats", operation_id = "listBeats", tag = "beats",
    params(("id" = i64, Path),
        ("before" = Option<u64>, Query, description = "Beats with a smaller number; `next` of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, 100 unless given")),
    responses((status = 200, body = PageOut), (status = 400, body = problem::Document),
        (status = 404, body = problem::Document)))]
pub async fn list(State(app): State<App>, id: Id, mut params: Params) -> Result<Response, Refusal> {
    let before = params.read("before", "the number of a beat", |text| text.parse::<u64>().ok());
    let limit = params.number("limit", 1, BEATS_MAX).unwrap_or(PAGE_DEFAULT);
    params.finish()?;
    heartbeat(&app, id.monitor())?;
    let mut rows = beats::list(&app.services, id.monitor(), before, limit + 1).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.number.to_string());
    Ok(json(StatusCode::OK, &PageOut { items: rows.into_iter().map(BeatOut::of).collect(), next }))
}

/// What a beat brought along, as it came.
#[utoipa::path(get, path = "/api/v1/monitors/{id}/beats/{number}/body", operation_id = "getBeatBody", tag = "beats",
    params(("id" = i64, Path), ("number" = u64, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 404, body = problem::Document)))]
pub async fn body(
    State(app): State<App>,
    path: Result<Path<(i64, u64)>, PathRejection>,
    params: Params,
) -> Result<Response, Refusal> {
    let Path((monitor, number)) = path.map_err(|rejection| not_an_id(&rejection))?;
    params.finish()?;
    let monitor = MonitorId(monitor);
    heartbeat(&app, monitor)?;
    let bytes = beats::body(&app.services, monitor, number).await?;
    let name = format!("attachment; filename=\"beat-{monitor}-{number}.txt\"");
    let name = HeaderValue::from_str(&name).expect("digits and letters are good in a header");
    // It came from outside: a browser that opens it runs and shows nothing of it.
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (CONTENT_DISPOSITION, name),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    Ok((headers, bytes).into_response())
}

/// Beats of all heartbeats.
#[derive(Serialize, ToSchema)]
#[schema(as = BeatTail)]
pub struct TailOut {
    /// In the order in which they were kept.
    items: Vec<TailBeatOut>,
    /// `after` of the next question; there may be nothing new yet.
    cursor: String,
}

/// A beat with its heartbeat.
#[derive(Serialize, ToSchema)]
#[schema(as = TailBeat)]
pub struct TailBeatOut {
    monitor: i64,
    /// Null where the heartbeat has ended.
    monitor_name: Option<String>,
    #[serde(flatten)]
    beat: BeatOut,
}

/// The beats of all heartbeats as they come in: the last ones, or those after a cursor.
#[utoipa::path(get, path = "/api/v1/beats", operation_id = "tailBeats", tag = "beats",
    params(("after" = Option<u64>, Query, description = "`cursor` of the answer before"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, 100 unless given")),
    responses((status = 200, body = TailOut), (status = 400, body = problem::Document)))]
pub async fn tail(State(app): State<App>, mut params: Params) -> Result<Response, Refusal> {
    let after = params.read("after", "the `cursor` of an answer before", |text| text.parse::<u64>().ok());
    let limit = params.number("limit", 1, BEATS_MAX).unwrap_or(PAGE_DEFAULT);
    params.finish()?;
    let tail = kept_beats::tail(&app.services, after, limit).await?;
    let item = |(row, monitor_name): (bw_domain::port::store::BeatRow, Option<String>)| TailBeatOut {
        monitor: row.monitor.0,
        monitor_name,
        beat: BeatOut::of(row),
    };
    let body = TailOut { items: tail.items.into_iter().map(item).collect(), cursor: tail.cursor.to_string() };
    Ok(json(StatusCode::OK, &body))
}

/// Only heartbeats have beats.
fn heartbeat(app: &App, id: MonitorId) -> Result<(), Refusal> {
    match app.services.catalog.get(id) {
        Some(spec) if spec.beats().is_none() => {
            let detail = format!(
                "monitor {id} is probed and has no beats: what was seen of it is at /api/v1/monitors/{id}/outcomes"
            );
            Err(Refusal::not_found(detail))
        }
        _ => Ok(()),
    }
}

/// Only what is probed has outcomes.
pub(super) fn probed(app: &App, id: &Id, what: &str) -> Result<(), Refusal> {
    let id = id.monitor();
    match app.services.catalog.get(id) {
        Some(spec) if spec.beats().is_some() => {
            let detail = format!(
                "monitor {id} is a heartbeat and has no {what}: what its job reports is at /api/v1/monitors/{id}/beats"
            );
            Err(Refusal::not_found(detail))
        }
        _ => Ok(()),
    }
}
