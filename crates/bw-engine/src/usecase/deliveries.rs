//! The ledger of what was told to whom.

use super::{Services, UseError};
use bw_domain::delivery::DeliveryState;
use bw_domain::id::{DeliveryId, IncidentId, MonitorId};
use bw_domain::limits;
use bw_domain::port::store::{DeliveryFilter, DeliveryItem};
use bw_domain::time::Instant;

/// Which rows.
#[derive(Clone, Debug)]
pub struct DeliveriesQuery {
    pub state: Option<DeliveryState>,
    pub monitor: Option<MonitorId>,
    pub incident: Option<IncidentId>,
    /// Where to go on: [`DeliveryPage::next`] of the page before.
    pub after: Option<String>,
    pub limit: usize,
}

impl Default for DeliveriesQuery {
    fn default() -> Self {
        let limit = limits::PAGE_DEFAULT;
        DeliveriesQuery { state: None, monitor: None, incident: None, after: None, limit }
    }
}

/// One page, newest first.
#[derive(Clone, Debug)]
pub struct DeliveryPage {
    pub items: Vec<DeliveryItem>,
    pub next: Option<String>,
}

/// A page of the ledger.
pub async fn list(services: &Services, query: DeliveriesQuery) -> Result<DeliveryPage, UseError> {
    let limit = query.limit.clamp(1, limits::PAGE_MAX);
    let filter = DeliveryFilter {
        state: query.state,
        monitor: query.monitor,
        incident: query.incident,
        before: query.after.as_deref().map(place).transpose()?,
        limit: limit + 1,
    };
    let mut items = services.store.deliveries.list(filter).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|item| {
        let delivery = &item.delivery;
        format!("{}-{}", delivery.created_at.ms(), delivery.id)
    });
    Ok(DeliveryPage { items, next })
}

fn place(text: &str) -> Result<(Instant, DeliveryId), UseError> {
    let read = || {
        let (ms, id) = text.split_once('-')?;
        Some((Instant::from_ms(ms.parse().ok()?), id.parse().ok()?))
    };
    read().ok_or_else(|| UseError::invalid("after", "is not the `next` of a page before"))
}
