//! A file of declarations, applied under its owner's name as one transaction. What is unchanged gets no edit: its
//! streaks, phases, incidents and running probes are not touched by what changes beside it.

mod compare;

pub use compare::mistakes;

use super::monitors::{change_of, consequence, next_of, refusal, settle};
use super::{Services, UseError};
use bw_domain::action::{Action, ActionRef};
use bw_domain::id::{ActionId, MonitorId, Uuid};
use bw_domain::monitor::{Declaration, HeartbeatDeclared};
use bw_domain::port::store::{Edit, EditKind, Loaded, Refused};
use bw_domain::read::{Problem, kind};
use bw_domain::state::Trigger;
use compare::{Broken, Change, Comparison, compare};
use serde_json::Value;
use std::collections::BTreeMap;
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

impl Declared {
    /// Reads `monitors` and `actions` of a document; the good ones are answered, the mistakes of the others noted.
    pub fn read(document: &Value, problems: &mut Vec<Problem>) -> Self {
        Declared {
            monitors: alike(items(document, "monitors", problems, Declaration::read)),
            actions: items(document, "actions", problems, Action::read),
        }
    }
}

/// Neighbours share what they both say.
fn alike(mut monitors: Vec<Declaration>) -> Vec<Declaration> {
    for index in 1..monitors.len() {
        let (before, rest) = monitors.split_at_mut(index);
        rest[0].share_with(&before[index - 1]);
    }
    monitors
}

type Read<T> = fn(&Value, &str) -> Result<T, Vec<Problem>>;

fn items<T>(document: &Value, key: &str, problems: &mut Vec<Problem>, read: Read<T>) -> Vec<T> {
    let list = match document.get(key) {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(list)) => list,
        Some(other) => {
            problems.push(Problem::new(key, format!("must be a list, not {}", kind(other))));
            return Vec::new();
        }
    };
    let mut good = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        match read(value, &format!("{key}[{index}]")) {
            Ok(item) => good.push(item),
            Err(mut mistakes) => problems.append(&mut mistakes),
        }
    }
    good
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
    let mut last = Refused::Conflict;
    for _ in 0..TRIES {
        let Comparison { plan, changes } = compare(services, owner, declared.clone()).await?;
        if changes.is_empty() {
            return Ok(plan);
        }
        let gone: Vec<ActionId> = changes.iter().filter_map(Change::ended_action).collect();
        let edits = decide(services, owner, changes).await?;
        match services.store.catalog.apply(edits).await? {
            Ok(answered) => {
                // A file may be large: it ends before the catalog takes the same in.
                drop((answered, declared));
                settle(services).await;
                for id in gone {
                    let reason = "the action was removed".to_owned();
                    services.store.deliveries.abandon(ActionRef::Declared(id), reason).await?;
                }
                return Ok(plan);
            }
            // Somebody else was faster, perhaps another process with the same file: compared anew it may be there already.
            Err(refused) => {
                last = refused;
                drop(services.catalog.refresh(&services.store).await?);
            }
        }
    }
    match last {
        Refused::Conflict | Refused::Stale(_) => {
            Err(UseError::Refused("what is declared is being edited all the time: try again".to_owned()))
        }
        other => Err(refusal(other)),
    }
}

impl Planned {
    fn new(kind: &'static str, key: String, id: i64) -> Self {
        Planned { kind, key, id, fields: Vec::new() }
    }
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
                    let heartbeat = declared.heartbeat();
                    let given = heartbeat.and_then(HeartbeatDeclared::uuid);
                    let uuid = given.unwrap_or_else(|| Uuid::from_random(services.entropy.bits()));
                    let first_look = new <= FIRST_LOOKS && heartbeat.is_none();
                    let (owner, declared) = (Some(owner.clone()), Box::new(declared));
                    (EditKind::Create { uuid, owner, declared, first_look }, None)
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
                    let commit = loaded
                        .get(&old.id)
                        .map(|row| consequence(services, &old, row, Trigger::Deleted, owner));
                    (EditKind::Delete { id: old.id, expect_revision: Some(old.revision) }, commit)
                }
                Change::Mend { broken: Broken { id, revision }, declared } => {
                    let expect_revision = Some(revision);
                    let kind = match declared {
                        Some(declared) => {
                            EditKind::Replace { id, expect_revision, declared: Box::new(declared) }
                        }
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
