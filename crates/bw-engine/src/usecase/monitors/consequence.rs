//! What follows from an edit for what was counted, and the words for what the store refuses.

use super::MonitorView;
use super::list::view;
use crate::usecase::{Services, UseError};
use bw_domain::id::IncidentId;
use bw_domain::limits;
use bw_domain::monitor::{Declaration, Significance, Spec, compile, significance};
use bw_domain::port::store::{Applied, Commit, Edit, Loaded, Refused, Revision};
use bw_domain::port::wake::Topic;
use bw_domain::read::Problem;
use bw_domain::state::{Context, Trigger, step};
use std::sync::Arc;

/// What the next revision means. Its number and instant are guesses that the store replaces by its own.
pub fn next_of(services: &Services, spec: &Spec, declared: Declaration) -> Result<Spec, Vec<Problem>> {
    let now = services.clock.now();
    let revision = Revision {
        id: spec.id,
        uuid: spec.uuid,
        revision: spec.revision + 1,
        effective_from: now + limits::EDIT_LEAD,
        created_at: spec.created_at,
        updated_at: now,
        owner: spec.owner.clone(),
        declared: Some(declared),
    };
    compile(&revision, &services.defaults)
}

/// What an edit means for what was counted; nothing for a name, a label or a webhook.
pub fn change_of(old: &Spec, new: &Spec) -> Option<Trigger<'static>> {
    match (old.enabled, new.enabled) {
        (true, false) => Some(Trigger::Paused),
        (false, true) => Some(Trigger::Resumed),
        _ => (significance(old, new) == Significance::Counting).then_some(Trigger::Edited),
    }
}

/// The decision that goes into the edit's transaction.
pub fn consequence(
    services: &Services,
    spec: &Spec,
    loaded: &Loaded,
    trigger: Trigger<'_>,
    actor: &str,
) -> Commit {
    // No edit opens an incident, so no id is set aside for one.
    let context =
        Context { now: services.clock.now(), spare: IncidentId(0), base_url: &services.base_url, actor };
    let step = step(spec, &loaded.observed, &loaded.state, trigger, &context);
    debug_assert!(!step.spare_used, "an edit opens no incident");
    Commit {
        monitor: spec.id,
        expect_seq: loaded.observed.seq,
        outcome: None,
        keep_evidence: false,
        observed: step.observed,
        state: step.state,
        transition: step.transition,
        incident: step.incident,
        events: step.events.into_vec(),
        track: None,
    }
}

/// After a commit of edits: this node sees them at once and its loops look.
pub async fn settle(services: &Services) {
    if let Err(error) = services.catalog.refresh(&services.store).await {
        tracing::warn!(%error, "the edit is stored; this node's catalog follows when the store answers again");
    }
    for topic in [Topic::Catalog, Topic::Timers, Topic::Events] {
        services.wake.notify(topic);
    }
}

/// One edit of a monitor as a transaction of its own.
pub async fn apply_one(services: &Services, edit: Edit) -> Result<Result<Revision, Refused>, UseError> {
    let applied = match services.store.catalog.apply(vec![edit]).await? {
        Ok(applied) => applied,
        Err(refused) => return Ok(Err(refused)),
    };
    settle(services).await;
    match applied.into_iter().next() {
        Some(Applied::Monitor(revision)) => Ok(Ok(revision)),
        other => Err(UseError::Refused(format!("the store answered {other:?} to the edit of a monitor"))),
    }
}

/// The monitor as an edit has left it.
pub async fn present(services: &Services, revision: &Revision) -> Result<MonitorView, UseError> {
    let spec = compile(revision, &services.defaults).map_err(UseError::Invalid)?;
    let loaded = load(services, &spec).await?;
    Ok(view(Arc::new(spec), loaded))
}

/// The rows of a monitor.
pub async fn load(services: &Services, spec: &Spec) -> Result<Option<Loaded>, UseError> {
    Ok(services.store.states.load(vec![spec.id]).await?.pop().flatten())
}

/// A refusal of the store in the words of the verbs.
pub fn refusal(refused: Refused) -> UseError {
    match refused {
        Refused::NotFound => UseError::NotFound,
        Refused::Stale(revision) => UseError::Stale { revision },
        Refused::Conflict => busy(),
        Refused::Taken(key) => UseError::Taken(key),
    }
}

/// Too many outcomes arrive at once for the edit to be decided between them.
pub fn busy() -> UseError {
    UseError::Refused("its state moves faster than the edit can be decided: try again".to_owned())
}
