//! What probes saw, slot by slot, and the evidence of failures.

use super::beats::probed;
use super::monitors::in_query;
use super::outcome::{EvidenceOut, OutcomeOut};
use super::{Id, json, not_an_id, with_rows};
use crate::App;
use crate::problem::{self, Refusal};
use crate::query::Params;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use bw_domain::id::{EvidenceId, MonitorId};
use bw_domain::limits::{PAGE_DEFAULT, PAGE_MAX};
use bw_domain::outcome::Verdict;
use bw_domain::time::Instant;
use bw_engine::usecase::outcomes::{self, OutcomesQuery};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// A page of outcomes.
#[derive(Serialize, ToSchema)]
#[schema(as = OutcomePage)]
pub struct PageOut {
    /// Newest slot first; a page holds whole slots.
    #[schema(value_type = Vec<OutcomeOut<'static>>)]
    items: Vec<OutcomeOut<'static>>,
    /// `to` of the next page; null on the last one.
    #[schema(value_type = Option<String>, format = DateTime)]
    next: Option<Instant>,
}

/// Outcomes, newest first. A slot that nobody could probe is here too, with the cause.
#[utoipa::path(get, path = "/api/v1/monitors/{id}/outcomes", operation_id = "listOutcomes", tag = "history",
    params(("id" = i64, Path),
        ("from" = Option<String>, Query, description = "Slots from here, inclusive"),
        ("to" = Option<String>, Query, description = "Slots before here"),
        ("limit" = Option<u32>, Query, description = "1 to 10000, 100 unless given"),
        ("verdict" = Option<String>, Query, description = "pass, fail or inconclusive")),
    responses((status = 200, body = PageOut), (status = 400, body = problem::Document),
        (status = 404, body = problem::Document)))]
pub async fn list(State(app): State<App>, id: Id, mut params: Params) -> Result<Response, Refusal> {
    let query = OutcomesQuery {
        from: params.instant("from"),
        to: params.instant("to"),
        limit: params.number("limit", 1, PAGE_MAX).unwrap_or(PAGE_DEFAULT),
        verdict: params.read("verdict", "one of pass, fail, inconclusive", |word| {
            [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive]
                .into_iter()
                .find(|verdict| verdict.word() == word)
        }),
    };
    params.finish()?;
    probed(&app, &id, "outcomes")?;
    let page = outcomes::outcomes(&app.services, id.monitor(), query).await.map_err(in_query)?;
    let body = PageOut { items: page.items.iter().map(OutcomeOut::of).collect(), next: page.next };
    Ok(with_rows(json(StatusCode::OK, &body), page.rows))
}

/// What one failing probe saw: bounded, and without secrets.
#[utoipa::path(get, path = "/api/v1/monitors/{id}/evidence/{evidence}", operation_id = "getEvidence", tag = "history",
    params(("id" = i64, Path), ("evidence" = i64, Path)),
    responses((status = 200, body = EvidenceOut<'static>), (status = 404, body = problem::Document)))]
pub async fn evidence(
    State(app): State<App>,
    path: Result<Path<(i64, i64)>, PathRejection>,
    params: Params,
) -> Result<Response, Refusal> {
    let Path((monitor, id)) = path.map_err(|rejection| not_an_id(&rejection))?;
    params.finish()?;
    let row = outcomes::evidence(&app.services, MonitorId(monitor), EvidenceId(id)).await?;
    Ok(json(StatusCode::OK, &EvidenceOut::of(&row)))
}
