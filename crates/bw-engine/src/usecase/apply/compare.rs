//! What a file says against what is stored under its owner's name.

use super::{Declared, Plan, Planned};
use crate::usecase::monitors::nothing_masked;
use crate::usecase::{Services, UseError};
use bw_domain::action::Action;
use bw_domain::id::{ActionId, MonitorId};
use bw_domain::monitor::{Declaration, Defaults, Spec, check};
use bw_domain::read::Problem;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) struct Comparison {
    pub plan: Plan,
    pub changes: Vec<Change>,
}

pub(super) enum Change {
    Create(Declaration),
    Replace {
        old: Arc<Spec>,
        declared: Declaration,
    },
    Delete(Arc<Spec>),
    /// A stored monitor that no longer compiles gets a declaration that does, or ends.
    Mend {
        broken: Broken,
        declared: Option<Declaration>,
    },
    PutAction(Action),
    DeleteAction(ActionId),
}

impl Change {
    /// The monitor that exists and changes.
    pub fn monitor(&self) -> Option<MonitorId> {
        match self {
            Change::Replace { old, .. } | Change::Delete(old) => Some(old.id),
            _ => None,
        }
    }

    pub fn ended_action(&self) -> Option<ActionId> {
        match self {
            Change::DeleteAction(id) => Some(*id),
            _ => None,
        }
    }
}

/// A stored monitor that is in no catalog: what was accepted once is a mistake under the defaults of today.
#[derive(Clone, Copy)]
pub(super) struct Broken {
    pub id: MonitorId,
    pub revision: u32,
}

async fn broken(services: &Services, owner: &Arc<str>) -> Result<BTreeMap<String, Broken>, UseError> {
    let mut found = BTreeMap::new();
    for (id, _) in services.catalog.broken() {
        let Some(newest) = services.store.catalog.revisions(id).await?.pop() else { continue };
        if let Some(declared) = newest.declared.filter(|_| newest.owner.as_ref() == Some(owner)) {
            found.insert(declared.key().to_owned(), Broken { id, revision: newest.revision });
        }
    }
    Ok(found)
}

pub(super) async fn compare(
    services: &Services,
    owner: &Arc<str>,
    declared: Declared,
) -> Result<Comparison, UseError> {
    let mut comparison = Comparison { plan: Plan::default(), changes: Vec::new() };
    let problems = mistakes(&services.defaults, &declared);
    if !problems.is_empty() {
        return Err(UseError::Invalid(problems));
    }
    let broken = broken(services, owner).await?;
    comparison.monitors(services, owner, broken, declared.monitors)?;
    comparison.actions(services, owner, declared.actions);
    comparison.plan.notes = comparison.renames();
    Ok(comparison)
}

/// What is wrong within the file itself, all at once.
pub fn mistakes(defaults: &Defaults, declared: &Declared) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut keys = BTreeSet::new();
    for (index, monitor) in declared.monitors.iter().enumerate() {
        let path = format!("monitors[{index}]");
        if !keys.insert(monitor.key()) {
            let key = if monitor.id.is_some() { "id" } else { "name" };
            let sentence = format!("`{}` is declared twice: give one of them another `id`", monitor.key());
            problems.push(Problem::new(format!("{path}.{key}"), sentence));
        }
        if let Err(mut more) = check(monitor, defaults, &path) {
            problems.append(&mut more);
        }
    }
    let mut names = BTreeSet::new();
    for (index, action) in declared.actions.iter().enumerate() {
        if !names.insert(action.name.as_str()) {
            let path = format!("actions[{index}].name");
            problems.push(Problem::new(path, format!("`{}` is declared twice", action.name)));
        }
    }
    problems
}

impl Comparison {
    fn monitors(
        &mut self,
        services: &Services,
        owner: &Arc<str>,
        mut broken: BTreeMap<String, Broken>,
        declared: Vec<Declaration>,
    ) -> Result<(), UseError> {
        let owned = services.catalog.all().into_iter().filter(|spec| spec.owner.as_ref() == Some(owner));
        let mut known: BTreeMap<String, Arc<Spec>> =
            owned.map(|spec| (spec.declared.key().to_owned(), spec)).collect();
        for mut declared in declared {
            let key = declared.key().to_owned();
            if let Some(broken) = broken.remove(&key) {
                nothing_masked(&mut declared)?;
                self.plan.replace.push(Planned::new("monitor", key, broken.id.0));
                self.changes.push(Change::Mend { broken, declared: Some(declared) });
                continue;
            }
            match known.remove(&key) {
                None => {
                    nothing_masked(&mut declared)?;
                    self.plan.create.push(Planned::new("monitor", key, 0));
                    self.changes.push(Change::Create(declared));
                }
                Some(old) => {
                    declared.keep_masked(&old.declared);
                    if declared == *old.declared {
                        self.plan.unchanged += 1;
                        continue;
                    }
                    let fields = differences(&old.declared, &declared);
                    self.plan.replace.push(Planned { fields, ..Planned::new("monitor", key, old.id.0) });
                    self.changes.push(Change::Replace { old, declared });
                }
            }
        }
        for (key, old) in known {
            self.plan.delete.push(Planned::new("monitor", key, old.id.0));
            self.changes.push(Change::Delete(old));
        }
        for (key, broken) in broken {
            self.plan.delete.push(Planned::new("monitor", key, broken.id.0));
            self.changes.push(Change::Mend { broken, declared: None });
        }
        Ok(())
    }

    fn actions(&mut self, services: &Services, owner: &Arc<str>, declared: Vec<Action>) {
        let stored = services.catalog.actions();
        let mut known: BTreeMap<&str, &Action> = stored
            .iter()
            .filter(|action| action.owner.as_deref() == Some(&**owner))
            .map(|action| (action.name.as_str(), action))
            .collect();
        for mut action in declared {
            let planned = |id: ActionId| Planned::new("action", action.name.clone(), id.0);
            match known.remove(action.name.as_str()) {
                Some(old) if old.kind == action.kind => {
                    self.plan.unchanged += 1;
                    continue;
                }
                Some(old) => {
                    self.plan.replace.push(planned(old.id));
                    action.id = old.id;
                }
                None => self.plan.create.push(planned(ActionId(0))),
            }
            action.owner = Some(owner.to_string());
            self.changes.push(Change::PutAction(action));
        }
        for (name, old) in known {
            self.plan.delete.push(Planned::new("action", name.to_owned(), old.id.0));
            self.changes.push(Change::DeleteAction(old.id));
        }
    }

    /// A monitor that only changed its name is, without `id`, another one: its history does not follow.
    fn renames(&self) -> Vec<String> {
        let nameless = |declared: &Declaration| Declaration { name: String::new(), ..declared.clone() };
        let mut notes = Vec::new();
        for old in self.changes.iter().filter_map(|change| match change {
            Change::Delete(old) if old.declared.id.is_none() => Some(&old.declared),
            _ => None,
        }) {
            let renamed = self.changes.iter().find_map(|change| match change {
                Change::Create(new) if new.id.is_none() && nameless(new) == nameless(old) => Some(new),
                _ => None,
            });
            if let Some(new) = renamed {
                notes.push(format!(
                    "`{}` is deleted and `{}` created: to keep the history of a monitor under a new name, give it \
                     `id: {}`",
                    old.name, new.name, old.name
                ));
            }
        }
        notes
    }
}

/// The top-level fields that two declarations do not share; a changed secret is named by its field.
fn differences(old: &Declaration, new: &Declaration) -> Vec<String> {
    let (before, after) = (old.to_json(), new.to_json());
    let keys = |document: &Value| -> BTreeSet<String> {
        document.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
    };
    let mut fields: BTreeSet<String> =
        keys(&before).union(&keys(&after)).filter(|key| before.get(key) != after.get(key)).cloned().collect();
    let (mut old, mut new) = (old.clone(), new.clone());
    let secrets = |declared: &mut Declaration| -> BTreeMap<String, String> {
        declared.secrets_mut().into_iter().map(|(path, secret)| (path, secret.expose().to_owned())).collect()
    };
    let (before, after) = (secrets(&mut old), secrets(&mut new));
    fields.extend(
        after.into_iter().filter(|(path, value)| before.get(path) != Some(value)).map(|(path, _)| path),
    );
    fields.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_name_fields_and_changed_secrets() {
        let read = |value| Declaration::from_json(&value).expect("a declaration");
        let old = read(
            json!({"name": "a", "http": "https://a.example/", "every": "10s", "webhook_url": "https://x/1"}),
        );
        let new = read(json!({"name": "a", "http": "https://b.example/", "webhook_url": "https://x/2"}));
        assert_eq!(differences(&old, &new), ["every", "http", "webhook_url"]);
        assert!(differences(&old, &old).is_empty());
    }
}
