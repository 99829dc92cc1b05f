//! Doing what people ask for, through the verbs that interface and pages use.

use crate::script::{Ask, Script};
use bw_domain::id::MonitorId;
use bw_domain::monitor::Declaration;
use bw_domain::port::store::IncidentFilter;
use bw_engine::usecase::monitors::{self, Create};
use bw_engine::usecase::{By, Services, UseError, incidents};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// Done, or there was nothing to do.
    Done,
    /// Whoever asked will ask again.
    Again,
}

/// Does it on one node. `created`: the monitor is known to have been there.
pub async fn grant(services: &Services, script: &Script, wish: usize, created: bool) -> Granted {
    if !services.catalog.is_filled() {
        return Granted::Again;
    }
    let wish = &script.wishes[wish];
    let name = format!("m{}", wish.monitor);
    let by = By::hand("somebody");
    if matches!(wish.ask, Ask::Create) {
        let declared = Declaration::from_json(&script.watched[wish.monitor].document);
        let declared = declared.expect("scripts declare what can be read");
        let create = Create { declared, idempotency_key: Some(&name) };
        return granted(monitors::create(services, create, by).await.map(drop));
    }
    let found = services.catalog.all().into_iter().find(|spec| spec.name() == name);
    let Some(id) = found.map(|spec| spec.id) else {
        // It was deleted, or it is not there yet.
        return if created { Granted::Done } else { Granted::Again };
    };
    granted(match &wish.ask {
        Ask::Create => Ok(()),
        Ask::Patch(patch) => monitors::patch(services, id, patch, None, by).await.map(drop),
        Ask::Pause => monitors::pause(services, id, by).await.map(drop),
        Ask::Resume => monitors::resume(services, id, by).await.map(drop),
        Ask::Delete => monitors::delete(services, id, None, by).await,
        Ask::Acknowledge => acknowledge(services, id).await,
    })
}

async fn acknowledge(services: &Services, monitor: MonitorId) -> Result<(), UseError> {
    let filter = IncidentFilter { open: Some(true), monitor: Some(monitor), before: None, limit: 1 };
    match incidents::list(services, filter).await?.items.first() {
        Some(incident) => incidents::acknowledge(services, incident.id, "somebody").await.map(drop),
        None => Ok(()),
    }
}

fn granted(answer: Result<(), UseError>) -> Granted {
    match answer {
        Ok(()) | Err(UseError::NotFound) => Granted::Done,
        Err(UseError::Store(_) | UseError::Refused(_) | UseError::Stale { .. }) => Granted::Again,
        Err(error) => panic!("the verbs refuse what a script asks for: {error}"),
    }
}
