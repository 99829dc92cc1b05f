//! Replacing, patching, pausing, deleting. An edit and its consequence for what was counted are one
//! transaction; an edit that changes nothing writes nothing.

use super::MonitorView;
use super::consequence::{apply_one, busy, change_of, consequence, load, next_of, present, refusal};
use super::create::unkept;
use super::list::view;
use crate::usecase::{By, Services, UseError};
use bw_domain::id::MonitorId;
use bw_domain::monitor::{Declaration, Spec};
use bw_domain::port::store::{Edit, EditKind, Refused};
use bw_domain::state::Trigger;
use serde_json::Value;
use std::sync::Arc;

/// How often an edit is decided again because outcomes arrived meanwhile; each try reads the newest rows.
const TRIES: usize = 8;

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

async fn switch(
    services: &Services,
    id: MonitorId,
    enabled: bool,
    by: By<'_>,
) -> Result<MonitorView, UseError> {
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
        let consequence =
            loaded.map(|loaded| consequence(services, &spec, &loaded, Trigger::Deleted, by.actor));
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

fn editable(
    services: &Services,
    id: MonitorId,
    expect: Option<u32>,
    by: By<'_>,
) -> Result<Arc<Spec>, UseError> {
    let spec = services.catalog.get(id).ok_or(UseError::NotFound)?;
    if let Some(owner) = spec.owner.as_ref().filter(|owner| by.owner != Some(*owner)) {
        return Err(UseError::Owned { owner: owner.clone() });
    }
    match expect.filter(|revision| *revision != spec.revision) {
        Some(_) => Err(UseError::Stale { revision: spec.revision }),
        None => Ok(spec),
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

fn keep_masked(mut declared: Declaration, spec: &Spec) -> Result<Declaration, UseError> {
    unkept(declared.keep_masked(&spec.declared))?;
    Ok(declared)
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
}
