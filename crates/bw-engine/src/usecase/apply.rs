//! A file of declarations, applied under its owner's name as one transaction. What is unchanged gets no edit: its
//! streaks, phases, incidents and running probes are not touched by what changes beside it.

use super::monitors::{change_of, consequence, next_of, nothing_masked, refusal, settle};
use super::{Services, UseError};
use bw_domain::action::{Action, ActionRef};
use bw_domain::id::{ActionId, MonitorId, Uuid};
use bw_domain::monitor::{Declaration, Defaults, Spec, check};
use bw_domain::port::store::{Edit, EditKind, Loaded, Refused};
use bw_domain::read::Problem;
use bw_domain::state::Trigger;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often a transaction is decided again because outcomes arrived meanwhile.
const TRIES: usize = 8;
/// So many new monitors are looked at at once; more wait for their slots, or they would all probe together.
const FIRST_LOOKS: usize = 16;

/// Everything that an owner declares.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    pub monitors: Vec<Declaration>,
    pub actions: Vec<Action>,
}

/// What applying does, or did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub create: Vec<Planned>,
    pub replace: Vec<Planned>,
    pub delete: Vec<Planned>,
    /// How many stay as they are.
    pub unchanged: usize,
    /// What the writer may not have meant, in sentences.
    pub notes: Vec<String>,
}

impl Plan {
    /// True when applying would do nothing.
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.replace.is_empty() && self.delete.is_empty()
    }
}

/// One object of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// `monitor` or `action`.
    pub kind: &'static str,
    /// Its key in the file: `id`, else its name.
    pub key: String,
    /// Zero for what is new.
    pub id: i64,
    /// The fields that differ.
    pub fields: Vec<String>,
}

/// What applying would do.
pub async fn plan(services: &Services, owner: &Arc<str>, declared: Declared) -> Result<Plan, UseError> {
    Ok(compare(services, owner, declared).await?.plan)
}

/// Applies everything or nothing, and says what was done.
pub async fn apply(services: &Services, owner: &Arc<str>, declared: Declared) -> Result<Plan, UseError> {
    for _ in 0..TRIES {
        let Comparison { plan, changes } = compare(services, owner, declared.clone()).await?;
        if changes.is_empty() {
            return Ok(plan);
        }
        let gone: Vec<ActionId> = changes.iter().filter_map(Change::ended_action).collect();
        let edits = decide(services, owner, changes).await?;
        match services.store.catalog.apply(edits).await? {
            Ok(_) => {
                settle(services).await;
                for id in gone {
                    let reason = "the action was removed".to_owned();
                    services.store.deliveries.abandon(ActionRef::Declared(id), reason).await?;
                }
                return Ok(plan);
            }
            Err(Refused::Conflict | Refused::Stale(_)) => drop(services.catalog.refresh(&services.store).await?),
            Err(refused) => return Err(refusal(refused)),
        }
    }
    Err(UseError::Refused("what is declared is being edited all the time: try again".to_owned()))
}

struct Comparison {
    plan: Plan,
    changes: Vec<Change>,
}

enum Change {
    Create(Declaration),
    Replace { old: Arc<Spec>, declared: Declaration },
    Delete(Arc<Spec>),
    /// A stored monitor that no longer compiles gets a declaration that does, or ends.
    Mend { broken: Broken, declared: Option<Declaration> },
    PutAction(Action),
    DeleteAction(ActionId),
}

impl Change {
    /// The monitor that exists and changes.
    fn monitor(&self) -> Option<MonitorId> {
        match self {
            Change::Replace { old, .. } | Change::Delete(old) => Some(old.id),
            _ => None,
        }
    }

    fn ended_action(&self) -> Option<ActionId> {
        match self {
            Change::DeleteAction(id) => Some(*id),
            _ => None,
        }
    }
}

/// A stored monitor that is in no catalog: what was accepted once is a mistake under the defaults of today.
#[derive(Clone, Copy)]
struct Broken {
    id: MonitorId,
    revision: u32,
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

async fn compare(services: &Services, owner: &Arc<str>, declared: Declared) -> Result<Comparison, UseError> {
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

impl Planned {
    fn new(kind: &'static str, key: String, id: i64) -> Self {
        Planned { kind, key, id, fields: Vec::new() }
    }
}

/// The top-level fields that two declarations do not share; a changed secret is named by its field.
fn differences(old: &Declaration, new: &Declaration) -> Vec<String> {
    let (before, after) = (old.to_json(), new.to_json());
    let keys = |document: &serde_json::Value| -> BTreeSet<String> {
        document.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
    };
    let mut fields: BTreeSet<String> =
        keys(&before).union(&keys(&after)).filter(|key| before.get(key) != after.get(key)).cloned().collect();
    let (mut old, mut new) = (old.clone(), new.clone());
    let secrets = |declared: &mut Declaration| -> BTreeMap<String, String> {
        declared.secrets_mut().into_iter().map(|(path, secret)| (path, secret.expose().to_owned())).collect()
    };
    let (before, after) = (secrets(&mut old), secrets(&mut new));
    fields.extend(after.into_iter().filter(|(path, value)| before.get(path) != Some(value)).map(|(path, _)| path));
    fields.into_iter().collect()
}

/// The edits of one transaction, each with what it means for what was counted.
async fn decide(services: &Services, owner: &Arc<str>, changes: Vec<Change>) -> Result<Vec<Edit>, UseError> {
    let touched: Vec<MonitorId> = changes.iter().filter_map(Change::monitor).collect();
    let loaded: BTreeMap<MonitorId, Loaded> = match touched.is_empty() {
        true => BTreeMap::new(),
        false => {
            let rows = services.store.states.load(touched).await?;
            rows.into_iter().flatten().map(|row| (row.monitor, row)).collect()
        }
    };
    let new = changes.iter().filter(|change| matches!(change, Change::Create(_))).count();
    changes
        .into_iter()
        .map(|change| {
            let (kind, consequence) = match change {
                Change::Create(declared) => {
                    let uuid = Uuid::from_random(services.entropy.bits());
                    let (owner, declared) = (Some(owner.clone()), Box::new(declared));
                    (EditKind::Create { uuid, owner, declared, first_look: new <= FIRST_LOOKS }, None)
                }
                Change::Replace { old, declared } => {
                    let next = next_of(services, &old, declared).map_err(UseError::Invalid)?;
                    let commit = change_of(&old, &next)
                        .zip(loaded.get(&old.id))
                        .map(|(trigger, row)| consequence(services, &next, row, trigger, owner));
                    let expect_revision = Some(old.revision);
                    (EditKind::Replace { id: old.id, expect_revision, declared: next.declared }, commit)
                }
                Change::Delete(old) => {
                    let commit =
                        loaded.get(&old.id).map(|row| consequence(services, &old, row, Trigger::Deleted, owner));
                    (EditKind::Delete { id: old.id, expect_revision: Some(old.revision) }, commit)
                }
                Change::Mend { broken: Broken { id, revision }, declared } => {
                    let expect_revision = Some(revision);
                    let kind = match declared {
                        Some(declared) => EditKind::Replace { id, expect_revision, declared: Box::new(declared) },
                        None => EditKind::Delete { id, expect_revision },
                    };
                    (kind, None)
                }
                Change::PutAction(action) => (EditKind::PutAction(Box::new(action)), None),
                Change::DeleteAction(id) => (EditKind::DeleteAction(id), None),
            };
            Ok(Edit { kind, consequence })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_name_fields_and_changed_secrets() {
        let read = |value| Declaration::from_json(&value).expect("a declaration");
        let old = read(json!({"name": "a", "http": "https://a.example/", "every": "10s", "webhook_url": "https://x/1"}));
        let new = read(json!({"name": "a", "http": "https://b.example/", "webhook_url": "https://x/2"}));
        assert_eq!(differences(&old, &new), ["every", "http", "webhook_url"]);
        assert!(differences(&old, &old).is_empty());
    }
}
