//! Declaring, replacing, patching, pausing, deleting. An edit and its consequence for what was counted are one
//! transaction; an edit that changes nothing writes nothing.

use super::list::view;
use super::MonitorView;
use crate::usecase::{By, Services, UseError};
use bw_domain::access;
use bw_domain::id::{IncidentId, MonitorId, Uuid};
use bw_domain::limits;
use bw_domain::monitor::{Declaration, Significance, Spec, compile, significance};
use bw_domain::port::store::{Applied, Commit, Edit, EditKind, Loaded, Refused, Revision};
use bw_domain::port::wake::Topic;
use bw_domain::read::Problem;
use bw_domain::secret::MASK;
use bw_domain::state::{Context, Trigger, step};
use serde_json::Value;
use std::sync::Arc;

/// How often an edit is decided again because outcomes arrived meanwhile; each try reads the newest rows.
const TRIES: usize = 8;

/// A monitor to declare.
#[derive(Clone, Debug)]
pub struct Create<'a> {
    pub declared: Declaration,
    /// The same key from the same caller declares the same monitor once, across restarts: its UUID is made of it.
    pub idempotency_key: Option<&'a str>,
}

/// Declares a monitor. It is looked at at once rather than at its first slot.
pub async fn create(services: &Services, create: Create<'_>, by: By<'_>) -> Result<MonitorView, UseError> {
    let Create { mut declared, idempotency_key } = create;
    let uuid = match idempotency_key {
        Some(key) => uuid_of(by.actor, key),
        None => Uuid::from_random(services.entropy.bits()),
    };
    if idempotency_key.is_some()
        && let Some(known) = known(services, uuid).await?
    {
        return repeated(known, &declared);
    }
    nothing_masked(&mut declared)?;
    let now = services.clock.now();
    let draft = Revision {
        id: MonitorId(0),
        uuid,
        revision: 1,
        effective_from: now,
        created_at: now,
        updated_at: now,
        owner: by.owner.cloned(),
        declared: Some(declared.clone()),
    };
    compile(&draft, &services.defaults).map_err(UseError::Invalid)?;
    let kind = EditKind::Create { uuid, owner: by.owner.cloned(), declared: Box::new(declared), first_look: true };
    match apply_one(services, Edit { kind, consequence: None }).await? {
        Ok(revision) => present(services, &revision).await,
        // The UUID is known: the same request was served a moment ago, or long ago and its monitor has ended.
        Err(Refused::Conflict) if idempotency_key.is_some() => {
            services.catalog.refresh(&services.store).await?;
            let gone = || UseError::Refused("this Idempotency-Key made a monitor that has ended since".to_owned());
            known(services, uuid).await?.ok_or_else(gone)
        }
        Err(refused) => Err(refusal(refused)),
    }
}

/// Replaces the declaration. `***` keeps the secret that is stored there.
pub async fn replace(
    services: &Services,
    id: MonitorId,
    declared: Declaration,
    expect_revision: Option<u32>,
    by: By<'_>,
) -> Result<MonitorView, UseError> {
    edit(services, id, expect_revision, by, |spec| keep_masked(declared.clone(), spec)).await
}

/// Changes the members that a JSON merge patch (RFC 7396) names.
pub async fn patch(
    services: &Services,
    id: MonitorId,
    patch: &Value,
    expect_revision: Option<u32>,
    by: By<'_>,
) -> Result<MonitorView, UseError> {
    edit(services, id, expect_revision, by, |spec| {
        let mut document = spec.declared.to_json();
        merge(&mut document, patch);
        keep_masked(Declaration::from_json(&document).map_err(UseError::Invalid)?, spec)
    })
    .await
}

/// Stops probing; what was seen stays.
pub async fn pause(services: &Services, id: MonitorId, by: By<'_>) -> Result<MonitorView, UseError> {
    switch(services, id, false, by).await
}

/// Probes again.
pub async fn resume(services: &Services, id: MonitorId, by: By<'_>) -> Result<MonitorView, UseError> {
    switch(services, id, true, by).await
}

async fn switch(services: &Services, id: MonitorId, enabled: bool, by: By<'_>) -> Result<MonitorView, UseError> {
    edit(services, id, None, by, |spec| {
        let mut declared = (*spec.declared).clone();
        if spec.enabled != enabled {
            declared.enabled = Some(enabled);
        }
        Ok(declared)
    })
    .await
}

/// Ends a monitor, and its incident with it. Its history stays until retention takes it.
pub async fn delete(
    services: &Services,
    id: MonitorId,
    expect_revision: Option<u32>,
    by: By<'_>,
) -> Result<(), UseError> {
    for _ in 0..TRIES {
        let spec = editable(services, id, expect_revision, by)?;
        let loaded = load(services, &spec).await?;
        let kind = EditKind::Delete { id, expect_revision: Some(spec.revision) };
        let consequence = loaded.map(|loaded| consequence(services, &spec, &loaded, Trigger::Deleted, by.actor));
        match apply_one(services, Edit { kind, consequence }).await? {
            Ok(_) => return Ok(()),
            Err(refused) => again(services, refused, expect_revision).await?,
        }
    }
    Err(busy())
}

/// Every edit of a declaration: decide from the newest revision, check, and commit with what follows.
async fn edit(
    services: &Services,
    id: MonitorId,
    expect_revision: Option<u32>,
    by: By<'_>,
    decide: impl Fn(&Spec) -> Result<Declaration, UseError>,
) -> Result<MonitorView, UseError> {
    for _ in 0..TRIES {
        let spec = editable(services, id, expect_revision, by)?;
        let declared = decide(&spec)?;
        let loaded = load(services, &spec).await?;
        if declared == *spec.declared {
            return Ok(view(spec, loaded));
        }
        let next = next_of(services, &spec, declared).map_err(UseError::Invalid)?;
        let consequence = match (change_of(&spec, &next), &loaded) {
            (Some(trigger), Some(loaded)) => Some(consequence(services, &next, loaded, trigger, by.actor)),
            _ => None,
        };
        let kind = EditKind::Replace { id, expect_revision: Some(spec.revision), declared: next.declared };
        match apply_one(services, Edit { kind, consequence }).await? {
            Ok(revision) => return present(services, &revision).await,
            Err(refused) => again(services, refused, expect_revision).await?,
        }
    }
    Err(busy())
}

fn editable(services: &Services, id: MonitorId, expect: Option<u32>, by: By<'_>) -> Result<Arc<Spec>, UseError> {
    let spec = services.catalog.get(id).ok_or(UseError::NotFound)?;
    if let Some(owner) = spec.owner.as_ref().filter(|owner| by.owner != Some(*owner)) {
        return Err(UseError::Owned { owner: owner.clone() });
    }
    match expect.filter(|revision| *revision != spec.revision) {
        Some(_) => Err(UseError::Stale { revision: spec.revision }),
        None => Ok(spec),
    }
}

async fn load(services: &Services, spec: &Spec) -> Result<Option<Loaded>, UseError> {
    Ok(services.store.states.load(vec![spec.id]).await?.pop().flatten())
}

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
pub fn consequence(services: &Services, spec: &Spec, loaded: &Loaded, trigger: Trigger<'_>, actor: &str) -> Commit {
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

async fn apply_one(services: &Services, edit: Edit) -> Result<Result<Revision, Refused>, UseError> {
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

/// Whether to decide again: the rows or the revision moved, and the caller did not insist on one.
async fn again(services: &Services, refused: Refused, expect: Option<u32>) -> Result<(), UseError> {
    match refused {
        Refused::Conflict => Ok(()),
        Refused::Stale(_) if expect.is_none() => {
            services.catalog.refresh(&services.store).await?;
            Ok(())
        }
        other => Err(refusal(other)),
    }
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

fn busy() -> UseError {
    UseError::Refused("its state moves faster than the edit can be decided: try again".to_owned())
}

async fn present(services: &Services, revision: &Revision) -> Result<MonitorView, UseError> {
    let spec = compile(revision, &services.defaults).map_err(UseError::Invalid)?;
    let loaded = load(services, &spec).await?;
    Ok(view(Arc::new(spec), loaded))
}

fn keep_masked(mut declared: Declaration, spec: &Spec) -> Result<Declaration, UseError> {
    unkept(declared.keep_masked(&spec.declared))?;
    Ok(declared)
}

/// `***` in something new has nothing to keep.
pub fn nothing_masked(declared: &mut Declaration) -> Result<(), UseError> {
    unkept(declared.keep_masked(&Declaration::default()))
}

fn unkept(paths: Vec<String>) -> Result<(), UseError> {
    if paths.is_empty() {
        return Ok(());
    }
    let problem = |path: String| Problem::new(path, format!("`{MASK}` keeps a stored value, and none is stored here"));
    Err(UseError::Invalid(paths.into_iter().map(problem).collect()))
}

fn uuid_of(actor: &str, key: &str) -> Uuid {
    let digest = access::digest(&format!("create\0{actor}\0{key}"));
    let mut bits = [0; 16];
    bits.copy_from_slice(&digest[..16]);
    Uuid::from_random(u128::from_be_bytes(bits))
}

async fn known(services: &Services, uuid: Uuid) -> Result<Option<MonitorView>, UseError> {
    let Some(spec) = services.catalog.all().into_iter().find(|spec| spec.uuid == uuid) else { return Ok(None) };
    let loaded = load(services, &spec).await?;
    Ok(Some(view(spec, loaded)))
}

/// The answer of the first request, unless this one asks for something else.
fn repeated(known: MonitorView, declared: &Declaration) -> Result<MonitorView, UseError> {
    if known.spec.revision == 1 && known.spec.declared.to_json() != declared.to_json() {
        return Err(UseError::Refused("this Idempotency-Key was used for another monitor".to_owned()));
    }
    Ok(known)
}

/// JSON merge patch: null removes, maps merge, everything else replaces.
fn merge(document: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *document = patch.clone();
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Default::default());
    }
    let Value::Object(members) = document else { return };
    for (key, value) in patch {
        if value.is_null() {
            members.remove(key);
        } else {
            merge(members.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merge_patches_as_the_rfc_has_them() {
        for (document, patch, merged) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": 1}), json!({"a": null}), json!({"b": 1})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": "c"}), json!({"a": {"b": {"c": null}}}), json!({"a": {"b": {}}})),
        ] {
            let mut seen = document.clone();
            merge(&mut seen, &patch);
            assert_eq!(seen, merged, "{document} + {patch}");
        }
    }

    #[test]
    fn a_key_is_one_monitor_for_one_caller() {
        assert_eq!(uuid_of("a", "k"), uuid_of("a", "k"));
        assert_ne!(uuid_of("a", "k"), uuid_of("b", "k"));
    }
}
