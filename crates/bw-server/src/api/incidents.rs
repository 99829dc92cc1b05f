//! Incidents: look, take on, write down.

use super::outcome::EvidenceOut;
use super::{Id, json, with_rows};
use crate::App;
use crate::auth::Caller;
use crate::body::{Bounded, Document};
use crate::problem::{self, Refusal};
use crate::query::Params;
use axum::extract::State;
use axum::response::Response;
use bw_domain::id::{IncidentId, MonitorId};
use bw_domain::incident::{Entry, Incident};
use bw_domain::limits::{EVIDENCE_PER_INCIDENT, PAGE_DEFAULT, PAGE_MAX};
use bw_domain::port::store::IncidentFilter;
use bw_domain::read::Fields;
use bw_domain::time::Instant;
use bw_engine::usecase::UseError;
use bw_engine::usecase::incidents::{self, IncidentView};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// An interval of ill health.
#[derive(Serialize, ToSchema)]
#[schema(as = Incident)]
pub struct IncidentOut<'a> {
    id: i64,
    subject: SubjectOut<'a>,
    /// When it was decided.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Instant,
    /// When the first failing probe began.
    #[schema(value_type = String, format = DateTime)]
    first_failure_at: Instant,
    /// Null while it is open.
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Instant>,
    cause: CauseOut<'a>,
    scope: ScopeOut<'a>,
    acknowledged: Option<AcknowledgedOut<'a>>,
    /// Set while nobody can see the monitor although the incident is open.
    #[schema(value_type = Option<String>, format = DateTime)]
    not_observed_since: Option<Instant>,
}

/// What it is about.
#[derive(Serialize, ToSchema)]
#[schema(as = Subject)]
struct SubjectOut<'a> {
    kind: &'static str,
    id: i64,
    name: &'a str,
}

/// The deciding failure.
#[derive(Serialize, ToSchema)]
#[schema(as = Cause)]
struct CauseOut<'a> {
    code: &'static str,
    phase: Option<&'static str>,
    text: &'a str,
}

/// Where the trouble is seen.
#[derive(Serialize, ToSchema)]
#[schema(as = Scope)]
struct ScopeOut<'a> {
    #[schema(value_type = String)]
    code: bw_domain::incident::ScopeCode,
    text: &'a str,
}

/// Who took it on.
#[derive(Serialize, ToSchema)]
#[schema(as = Acknowledged)]
struct AcknowledgedOut<'a> {
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    by: &'a str,
}

/// An incident with what happened around it.
#[derive(Serialize, ToSchema)]
#[schema(as = IncidentDetail)]
pub struct DetailOut<'a> {
    #[serde(flatten)]
    incident: IncidentOut<'a>,
    /// Oldest first.
    timeline: Vec<EntryOut<'a>>,
    /// Newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Vec<EvidenceOut<'a>>>,
}

/// One line of the timeline.
#[derive(Serialize, ToSchema)]
#[schema(as = TimelineEntry)]
struct EntryOut<'a> {
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    #[schema(value_type = String)]
    kind: bw_domain::incident::EntryKind,
    text: &'a str,
}

/// A page of incidents.
#[derive(Serialize, ToSchema)]
#[schema(as = IncidentPage)]
pub struct PageOut<'a> {
    items: Vec<IncidentOut<'a>>,
    /// `after` of the next page; null on the last one.
    next: Option<String>,
}

/// A line for the timeline.
#[derive(ToSchema)]
#[schema(as = Note)]
#[expect(dead_code, reason = "it documents the body; `note` reads it with every mistake told")]
pub struct NoteIn {
    text: String,
}

impl<'a> IncidentOut<'a> {
    fn of(incident: &'a Incident) -> Self {
        IncidentOut {
            id: incident.id.0,
            subject: SubjectOut { kind: "monitor", id: incident.monitor.0, name: &incident.monitor_name },
            opened_at: incident.opened_at,
            first_failure_at: incident.first_failure_at,
            closed_at: incident.closed_at,
            cause: CauseOut {
                code: incident.cause.code.name(),
                phase: incident.cause.phase.map(|phase| phase.word()),
                text: &incident.cause.text,
            },
            scope: ScopeOut { code: incident.scope.code, text: &incident.scope.text },
            acknowledged: incident
                .acknowledged
                .as_ref()
                .map(|who| AcknowledgedOut { at: who.at, by: &who.by }),
            not_observed_since: incident.not_observed_since,
        }
    }
}

impl<'a> DetailOut<'a> {
    fn of(view: &'a IncidentView, evidence: Option<Vec<EvidenceOut<'a>>>) -> Self {
        let line = |entry: &'a Entry| EntryOut { at: entry.at, kind: entry.kind, text: &entry.text };
        DetailOut {
            incident: IncidentOut::of(&view.incident),
            timeline: view.timeline.iter().map(line).collect(),
            evidence,
        }
    }
}

/// Lists incidents, newest first.
#[utoipa::path(get, path = "/api/v1/incidents", operation_id = "listIncidents", tag = "incidents",
    params(
        ("state" = Option<String>, Query, description = "open, closed or all; all unless given"),
        ("monitor" = Option<i64>, Query),
        ("limit" = Option<u32>, Query, description = "1 to 10000, 100 unless given"),
        ("after" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, body = PageOut<'static>), (status = 400, body = problem::Document)))]
pub async fn list(State(app): State<App>, mut params: Params) -> Result<Response, Refusal> {
    let id = |text: &str| text.parse::<i64>().ok();
    let filter = IncidentFilter {
        open: params
            .read("state", "one of open, closed, all", |word| match word {
                "open" => Some(Some(true)),
                "closed" => Some(Some(false)),
                "all" => Some(None),
                _ => None,
            })
            .flatten(),
        monitor: params.read("monitor", "the id of a monitor", id).map(MonitorId),
        before: params.read("after", "the `next` of a page before", id).map(IncidentId),
        limit: params.number("limit", 1, PAGE_MAX).unwrap_or(PAGE_DEFAULT),
    };
    params.finish()?;
    let page = incidents::list(&app.services, filter).await?;
    let items = page.items.iter().map(IncidentOut::of).collect();
    let body = PageOut { items, next: page.next.map(|id| id.to_string()) };
    Ok(with_rows(json(StatusCode::OK, &body), 0))
}

/// Shows an incident with its timeline and evidence.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", operation_id = "getIncident", tag = "incidents", params(("id" = i64, Path)),
    responses((status = 200, body = DetailOut<'static>), (status = 404, body = problem::Document)))]
pub async fn get(State(app): State<App>, id: Id, params: Params) -> Result<Response, Refusal> {
    params.finish()?;
    let view = incidents::get(&app.services, IncidentId(id.0)).await?;
    let outcomes = &app.services.store.outcomes;
    let kept = outcomes
        .evidence_of(view.incident.monitor, Some(view.incident.id), EVIDENCE_PER_INCIDENT)
        .await
        .map_err(UseError::from)?;
    let evidence = Some(kept.iter().map(EvidenceOut::of).collect());
    Ok(with_rows(json(StatusCode::OK, &DetailOut::of(&view, evidence)), 0))
}

/// Takes an incident on. The first one stands.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/acknowledge", operation_id = "acknowledgeIncident", tag = "incidents", params(("id" = i64, Path)),
    responses((status = 200, body = DetailOut<'static>), (status = 404, body = problem::Document),
        (status = 409, body = problem::Document)))]
pub async fn acknowledge(
    State(app): State<App>,
    caller: Caller,
    id: Id,
    _: Bounded,
) -> Result<Response, Refusal> {
    let view = incidents::acknowledge(&app.services, IncidentId(id.0), &caller.name).await?;
    Ok(json(StatusCode::OK, &DetailOut::of(&view, None)))
}

/// Writes a line into the timeline.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/notes", operation_id = "addIncidentNote", tag = "incidents", params(("id" = i64, Path)),
    request_body = NoteIn,
    responses((status = 201, body = DetailOut<'static>), (status = 404, body = problem::Document),
        (status = 422, body = problem::Document)))]
pub async fn note(
    State(app): State<App>,
    caller: Caller,
    id: Id,
    Document(document): Document,
) -> Result<Response, Refusal> {
    let mut fields = Fields::new(&document, "", &["text"], &[]);
    let text = fields.text("text").unwrap_or_default();
    if !fields.problems.is_empty() {
        return Err(UseError::Invalid(fields.problems).into());
    }
    let view = incidents::note(&app.services, IncidentId(id.0), &caller.name, &text).await?;
    Ok(json(StatusCode::CREATED, &DetailOut::of(&view, None)))
}
