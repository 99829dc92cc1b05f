//! One probe now, beside the schedule: what it sees is answered and not recorded, so that trying moves nothing.

use super::create::nothing_masked;
use crate::usecase::{Services, UseError};
use bw_domain::id::{MonitorId, Uuid};
use bw_domain::monitor::{Declaration, Spec, compile};
use bw_domain::outcome::Outcome;
use bw_domain::port::prober::Assignment;
use bw_domain::port::store::Revision;
use std::sync::Arc;

/// Probes a declared monitor, from its first vantage.
pub async fn probe_now(services: &Services, id: MonitorId) -> Result<Outcome, UseError> {
    let spec = services.catalog.get(id).ok_or(UseError::NotFound)?;
    run(services, spec).await
}

/// Probes what is being written. `of` is the monitor that is edited: `***` means its stored values.
pub async fn probe_draft(
    services: &Services,
    mut declared: Declaration,
    of: Option<MonitorId>,
) -> Result<Outcome, UseError> {
    match of {
        Some(id) => {
            let spec = services.catalog.get(id).ok_or(UseError::NotFound)?;
            declared.keep_masked(&spec.declared);
        }
        None => nothing_masked(&mut declared)?,
    }
    let now = services.clock.now();
    let revision = Revision {
        id: of.unwrap_or(MonitorId(0)),
        uuid: Uuid::from_random(0),
        revision: 0,
        effective_from: now,
        created_at: now,
        updated_at: now,
        owner: None,
        declared: Some(declared),
    };
    let spec = compile(&revision, &services.defaults).map_err(UseError::Invalid)?;
    run(services, Arc::new(spec)).await
}

async fn run(services: &Services, spec: Arc<Spec>) -> Result<Outcome, UseError> {
    if spec.probe().is_none() {
        return Err(UseError::Refused("a heartbeat is not probed: send it a beat".to_owned()));
    }
    Ok(services.prober.once(Assignment::now(spec, services.clock.now())).await)
}
