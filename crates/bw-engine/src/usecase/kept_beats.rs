//! Beats of several heartbeats at once: the last ones for lists, all of them as they come in, and when nobody could
//! hear.

use super::monitors::MonitorView;
use super::{Services, UseError};
use bw_domain::beat::Deaf;
use bw_domain::id::MonitorId;
use bw_domain::limits;
use bw_domain::port::store::BeatRow;
use std::collections::HashMap;

/// Beats that were kept after a cursor.
#[derive(Clone, Debug)]
pub struct Tail {
    /// In the order in which they were kept, each with the name of its heartbeat; none where that has ended.
    pub items: Vec<(BeatRow, Option<String>)>,
    /// Where to go on.
    pub cursor: u64,
}

/// Beats of all heartbeats after a cursor; without one, the last ones.
pub async fn tail(services: &Services, after: Option<u64>, limit: usize) -> Result<Tail, UseError> {
    let (rows, cursor) = services.store.beats.tail(after, limit.clamp(1, limits::PAGE_MAX)).await?;
    let named = |row: BeatRow| {
        let name = services.catalog.get(row.monitor).map(|spec| spec.name().to_owned());
        (row, name)
    };
    Ok(Tail { items: rows.into_iter().map(named).collect(), cursor })
}

/// The last beats of those that are heartbeats and ever beat, newest first, in one question.
pub async fn recent(
    services: &Services,
    views: &[MonitorView],
    limit: usize,
) -> Result<HashMap<MonitorId, Vec<BeatRow>>, UseError> {
    let beaten = views.iter().filter(|view| view.track.is_some() && view.spec.beats().is_some());
    let ids: Vec<MonitorId> = beaten.map(|view| view.spec.id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = services.store.beats.recent(ids.clone(), limit).await?;
    Ok(ids.into_iter().zip(rows).collect())
}

/// When nobody, or not everybody, could hear beats; in order.
pub async fn deaf(services: &Services) -> Result<Vec<Deaf>, UseError> {
    Ok(services.store.beats.deaf().await?)
}
