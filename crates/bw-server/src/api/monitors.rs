//! Monitors: lists, declarations, pausing, and probing now.

use super::declared::{DeclaredOut, declaration, writable};
use super::monitor::{Asked, MonitorOut};
use super::outcome::OutcomeOut;
use super::{Id, insisted, json, json_of, with_revision, with_rows};
use crate::App;
use crate::auth::Caller;
use crate::body::{Bounded, Document};
use crate::limits;
use crate::problem::{self, Refusal};
use crate::query::Params;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use bw_domain::id::MonitorId;
use bw_domain::limits::{PAGE_DEFAULT, PAGE_MAX};
use bw_engine::usecase::monitors::{
    self, Create, LabelFilter, ListQuery, MonitorPage, MonitorView, Shown, Sort, SortKey,
};
use bw_engine::usecase::{By, UseError};
use http::header::LOCATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use serde::ser::Serializer;
use utoipa::ToSchema;

/// A page of monitors.
#[derive(Serialize, ToSchema)]
#[schema(as = MonitorPage)]
pub struct PageOut<'a> {
    #[serde(serialize_with = "each")]
    #[schema(value_type = Vec<MonitorOut<'static>>)]
    items: (&'a [MonitorView], Asked<'a>),
    /// `after` of the next page; null on the last one.
    next: Option<&'a str>,
    /// How many match, on all pages.
    total: usize,
    counts: CountsOut,
}

/// How many match in each state, the filter on state aside.
#[derive(Serialize, ToSchema)]
#[schema(as = MonitorCounts)]
#[serde(rename_all = "UPPERCASE")]
struct CountsOut {
    up: usize,
    down: usize,
    unknown: usize,
    paused: usize,
    maintenance: usize,
}

fn each<S: Serializer>((items, asked): &(&[MonitorView], Asked<'_>), out: S) -> Result<S::Ok, S::Error> {
    out.collect_seq(items.iter().map(|view| MonitorOut::of(view, *asked)))
}

impl<'a> PageOut<'a> {
    fn of(page: &'a MonitorPage, asked: Asked<'a>) -> Self {
        let counts = CountsOut {
            up: page.counts.of(Shown::Up),
            down: page.counts.of(Shown::Down),
            unknown: page.counts.of(Shown::Unknown),
            paused: page.counts.of(Shown::Paused),
            maintenance: page.counts.of(Shown::Maintenance),
        };
        PageOut { items: (&page.items, asked), next: page.next.as_deref(), total: page.total, counts }
    }
}

/// Lists monitors, from memory.
#[utoipa::path(get, path = "/api/v1/monitors", operation_id = "listMonitors", tag = "monitors",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 10000, 100 unless given"),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
        ("state" = Option<String>, Query, description = "UP, DOWN, UNKNOWN, PAUSED or MAINTENANCE; `status` is an alias"),
        ("kind" = Option<String>, Query, description = "heartbeat, http, tcp or tls"),
        ("label" = Option<Vec<String>>, Query, description = "`team:web`, or `team` for any value; all given must match"),
        ("q" = Option<String>, Query, description = "A part of the name, the target or a label's value"),
        ("sort" = Option<String>, Query, description = "id, name, state, since or latency; `-name` for descending"),
    ),
    responses((status = 200, body = PageOut<'static>), (status = 400, body = problem::Document)))]
pub async fn list(State(app): State<App>, params: Params) -> Result<Response, Refusal> {
    let query = query(params)?;
    let page = monitors::list(&app.services, &query).await.map_err(in_query)?;
    Ok(with_rows(
        json_of(
            StatusCode::OK,
            &PageOut::of(&page, Asked::of(&app)),
            1_024 + page.items.len() * limits::MONITOR_BYTES,
        ),
        0,
    ))
}

/// What a monitor may be.
const KINDS: [&str; 4] = ["heartbeat", "http", "tcp", "tls"];

fn query(mut params: Params) -> Result<ListQuery, Refusal> {
    let states = Shown::ALL.map(Shown::word).join(", ");
    let sorts = SortKey::WORDS.map(|(word, _)| word).join(", ");
    let state = params.read("state", &format!("one of {states}"), Shown::parse);
    let status = params.read("status", &format!("one of {states}"), Shown::parse);
    if state.is_some() && status.is_some() && state != status {
        params.wrong("status", "says something else than `state`");
    }
    let query = ListQuery {
        limit: params.number("limit", 1, PAGE_MAX).unwrap_or(PAGE_DEFAULT),
        after: params.text("after"),
        state: state.or(status),
        kind: params.read("kind", &format!("one of {}", KINDS.join(", ")), |word| {
            KINDS.into_iter().find(|kind| *kind == word)
        }),
        labels: params.all("label").iter().map(|text| LabelFilter::parse(text)).collect(),
        q: params.text("q"),
        sort: params
            .read("sort", &format!("one of {sorts}, or one of them after `-`"), Sort::parse)
            .unwrap_or_default(),
    };
    params.finish()?;
    Ok(query)
}

/// What a verb finds wrong with a query is a mistake of the query.
pub(super) fn in_query(error: UseError) -> Refusal {
    match error {
        UseError::Invalid(problems) => {
            Refusal::mistakes(StatusCode::BAD_REQUEST, "Mistakes in the query", problems)
        }
        other => Refusal::from(other),
    }
}

/// Declares a monitor. With an `Idempotency-Key`, the same request sent again answers the same monitor.
#[utoipa::path(post, path = "/api/v1/monitors", operation_id = "createMonitor", tag = "monitors",
    params(("Idempotency-Key" = Option<String>, Header, description = "At most 200 characters; survives restarts")),
    request_body = DeclaredOut<'static>,
    responses((status = 201, body = MonitorOut<'static>, headers(("ETag", description = "The revision"))),
        (status = 409, body = problem::Document), (status = 422, body = problem::Document)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
    Document(document): Document,
) -> Result<Response, Refusal> {
    params.finish()?;
    let key = idempotency_key(&headers)?;
    let create = Create { declared: declaration(document)?, idempotency_key: key };
    let view = monitors::create(&app.services, create, By::hand(&caller.name)).await?;
    let mut response = shown(&app, StatusCode::CREATED, &view);
    let place =
        HeaderValue::from_str(&format!("/api/v1/monitors/{}", view.spec.id)).expect("digits and letters");
    response.headers_mut().insert(LOCATION, place);
    Ok(response)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= limits::IDEMPOTENCY_KEY => Ok(Some(key)),
        _ => {
            let detail =
                format!("an Idempotency-Key has 1 to {} visible characters", limits::IDEMPOTENCY_KEY);
            Err(Refusal::bad_request("invalid", detail))
        }
    }
}

/// Shows a monitor.
#[utoipa::path(get, path = "/api/v1/monitors/{id}", operation_id = "getMonitor", tag = "monitors", params(("id" = i64, Path)),
    responses((status = 200, body = MonitorOut<'static>, headers(("ETag", description = "The revision"))),
        (status = 404, body = problem::Document)))]
pub async fn get(State(app): State<App>, id: Id, params: Params) -> Result<Response, Refusal> {
    params.finish()?;
    let view = monitors::get(&app.services, id.monitor()).await?;
    Ok(with_rows(shown(&app, StatusCode::OK, &view), 0))
}

/// Replaces a declaration.
#[utoipa::path(put, path = "/api/v1/monitors/{id}", operation_id = "replaceMonitor", tag = "monitors",
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` that was read")),
    request_body = DeclaredOut<'static>,
    responses((status = 200, body = MonitorOut<'static>), (status = 404, body = problem::Document),
        (status = 409, body = problem::Document), (status = 412, body = problem::Document),
        (status = 422, body = problem::Document)))]
pub async fn replace(
    State(app): State<App>,
    edit: Edit,
    Document(document): Document,
) -> Result<Response, Refusal> {
    let declared = declaration(document)?;
    let view =
        monitors::replace(&app.services, edit.id, declared, edit.expect, By::hand(&edit.actor)).await?;
    Ok(shown(&app, StatusCode::OK, &view))
}

/// Changes what a JSON merge patch (RFC 7396) names; null removes.
#[utoipa::path(patch, path = "/api/v1/monitors/{id}", operation_id = "patchMonitor", tag = "monitors",
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` that was read")),
    request_body(content = DeclaredOut<'static>, content_type = "application/merge-patch+json"),
    responses((status = 200, body = MonitorOut<'static>), (status = 404, body = problem::Document),
        (status = 409, body = problem::Document), (status = 412, body = problem::Document),
        (status = 422, body = problem::Document)))]
pub async fn patch(
    State(app): State<App>,
    edit: Edit,
    Document(document): Document,
) -> Result<Response, Refusal> {
    let patch = writable(document)?;
    let view = monitors::patch(&app.services, edit.id, &patch, edit.expect, By::hand(&edit.actor)).await?;
    Ok(shown(&app, StatusCode::OK, &view))
}

/// Ends a monitor and its open incident. Its history stays until retention takes it.
#[utoipa::path(delete, path = "/api/v1/monitors/{id}", operation_id = "deleteMonitor", tag = "monitors",
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` that was read")),
    responses((status = 204), (status = 404, body = problem::Document), (status = 409, body = problem::Document),
        (status = 412, body = problem::Document)))]
pub async fn delete(State(app): State<App>, edit: Edit) -> Result<Response, Refusal> {
    monitors::delete(&app.services, edit.id, edit.expect, By::hand(&edit.actor)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Stops probing, or waiting for beats; what was seen stays.
#[utoipa::path(post, path = "/api/v1/monitors/{id}/pause", operation_id = "pauseMonitor", tag = "monitors", params(("id" = i64, Path)),
    responses((status = 200, body = MonitorOut<'static>), (status = 404, body = problem::Document),
        (status = 409, body = problem::Document)))]
pub async fn pause(State(app): State<App>, caller: Caller, id: Id, _: Bounded) -> Result<Response, Refusal> {
    let view = monitors::pause(&app.services, id.monitor(), By::hand(&caller.name)).await?;
    Ok(shown(&app, StatusCode::OK, &view))
}

/// Probes again, or waits for beats again.
#[utoipa::path(post, path = "/api/v1/monitors/{id}/resume", operation_id = "resumeMonitor", tag = "monitors", params(("id" = i64, Path)),
    responses((status = 200, body = MonitorOut<'static>), (status = 404, body = problem::Document),
        (status = 409, body = problem::Document)))]
pub async fn resume(State(app): State<App>, caller: Caller, id: Id, _: Bounded) -> Result<Response, Refusal> {
    let view = monitors::resume(&app.services, id.monitor(), By::hand(&caller.name)).await?;
    Ok(shown(&app, StatusCode::OK, &view))
}

/// Probes once, now, beside the schedule. What it sees is answered and counts nothing. A heartbeat is not probed.
#[utoipa::path(post, path = "/api/v1/monitors/{id}/probe", operation_id = "probeMonitor", tag = "monitors", params(("id" = i64, Path)),
    responses((status = 200, body = OutcomeOut<'static>), (status = 404, body = problem::Document),
        (status = 409, body = problem::Document)))]
pub async fn probe(State(app): State<App>, id: Id, _: Bounded) -> Result<Response, Refusal> {
    let outcome = monitors::probe_now(&app.services, id.monitor()).await?;
    Ok(json(StatusCode::OK, &OutcomeOut::of_probe(&outcome)))
}

fn shown(app: &App, status: StatusCode, view: &MonitorView) -> Response {
    with_revision(json(status, &MonitorOut::of(view, Asked::of(app))), view.spec.revision)
}

/// An edit of one monitor: which, on what condition, by whom.
pub struct Edit {
    id: MonitorId,
    /// The revision that `If-Match` insists on.
    expect: Option<u32>,
    actor: String,
}

impl FromRequestParts<App> for Edit {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        Params::from_request_parts(parts, app).await?.finish()?;
        let id = Id::from_request_parts(parts, app).await?.monitor();
        let Ok(caller) = Caller::from_request_parts(parts, app).await;
        let present = app.services.catalog.get(id).map_or(0, |spec| spec.revision);
        Ok(Edit { id, expect: insisted(&parts.headers, present), actor: caller.name })
    }
}
