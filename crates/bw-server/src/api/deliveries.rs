//! The ledger of what was told to whom.

use super::monitors::in_query;
use super::{json, with_rows};
use crate::App;
use crate::problem::{self, Refusal};
use crate::query::Params;
use axum::extract::State;
use axum::response::Response;
use bw_domain::delivery::{Attempt, DeliveryState};
use bw_domain::event::Event;
use bw_domain::id::{IncidentId, MonitorId};
use bw_domain::limits::{PAGE_DEFAULT, PAGE_MAX};
use bw_domain::port::store::DeliveryItem;
use bw_domain::time::Instant;
use bw_engine::usecase::deliveries::{self, DeliveriesQuery};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// One event on its way to one action.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryOut<'a> {
    id: String,
    /// The document that is sent.
    #[schema(value_type = Object)]
    event: &'a Event,
    /// The action's name, or whose webhook it is.
    action: &'a str,
    #[schema(pattern = "^(waiting|sent|dead)$")]
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When the next attempt may begin; null when there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Instant>,
    /// `at`, `took_ms`, `result` (sent, retry, refused, unknown), `status` and `text` of each.
    #[schema(value_type = Vec<Object>)]
    attempts: &'a [Attempt],
    /// Why it is dead, or what it was merged into.
    reason: &'a str,
}

/// A page of deliveries.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryPage)]
pub struct PageOut<'a> {
    items: Vec<DeliveryOut<'a>>,
    /// `after` of the next page; null on the last one.
    next: Option<&'a str>,
}

impl<'a> DeliveryOut<'a> {
    fn of(item: &'a DeliveryItem) -> Self {
        let delivery = &item.delivery;
        DeliveryOut {
            id: delivery.id.to_string(),
            event: &item.event,
            action: &item.action_name,
            state: delivery.state.word(),
            created_at: delivery.created_at,
            due: (delivery.state == DeliveryState::Waiting).then_some(delivery.due),
            attempts: &delivery.attempts,
            reason: &delivery.reason,
        }
    }
}

/// Lists deliveries, newest first.
#[utoipa::path(get, path = "/api/v1/deliveries", operation_id = "listDeliveries", tag = "deliveries",
    params(
        ("state" = Option<String>, Query, description = "waiting, sent or dead"),
        ("monitor" = Option<i64>, Query), ("incident" = Option<i64>, Query),
        ("limit" = Option<u32>, Query, description = "1 to 10000, 100 unless given"),
        ("after" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, body = PageOut<'static>), (status = 400, body = problem::Document)))]
pub async fn list(State(app): State<App>, mut params: Params) -> Result<Response, Refusal> {
    let id = |text: &str| text.parse::<i64>().ok();
    let query = DeliveriesQuery {
        state: params.read("state", "one of waiting, sent, dead", DeliveryState::parse),
        monitor: params.read("monitor", "the id of a monitor", id).map(MonitorId),
        incident: params.read("incident", "the id of an incident", id).map(IncidentId),
        after: params.text("after"),
        limit: params.number("limit", 1, PAGE_MAX).unwrap_or(PAGE_DEFAULT),
    };
    params.finish()?;
    let page = deliveries::list(&app.services, query).await.map_err(in_query)?;
    let body =
        PageOut { items: page.items.iter().map(DeliveryOut::of).collect(), next: page.next.as_deref() };
    Ok(with_rows(json(StatusCode::OK, &body), 0))
}
