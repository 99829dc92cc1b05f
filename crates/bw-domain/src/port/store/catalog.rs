//! Declared monitors by revision, declared actions, and the feed of changes that keeps every catalog fresh.

use super::{Answered, Commit};
use crate::action::Action;
use crate::id::Uuid;
use crate::id::{ActionId, MonitorId};
use crate::monitor::Declaration;
use crate::time::Instant;
use std::sync::Arc;

/// One revision of one monitor as it is stored; compiled by the catalog of the engine.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    pub id: MonitorId,
    pub uuid: Uuid,
    pub revision: u32,
    pub effective_from: Instant,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub owner: Option<Arc<str>>,
    /// `None`: deleted with this revision.
    pub declared: Option<Declaration>,
}

impl Revision {
    /// Points to what the one before it in the feed says, too, where both say the same.
    pub fn share_with(&mut self, before: &Revision) {
        if self.owner == before.owner {
            self.owner = before.owner.clone();
        }
        if let (Some(own), Some(held)) = (&mut self.declared, &before.declared) {
            own.share_with(held);
        }
    }
}

/// What has changed since a cursor.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Where the next call goes on.
    pub cursor: u64,
    /// In commit order.
    pub revisions: Vec<Revision>,
    /// All declared actions, when any of them changed.
    pub actions: Option<Vec<Action>>,
}

/// One edit of a transaction.
#[derive(Clone, Debug)]
pub struct Edit {
    pub kind: EditKind,
    /// The decision of `step` that goes with it; its `monitor` and fence are those of the edited monitor.
    pub consequence: Option<Commit>,
}

/// What is edited.
#[derive(Clone, Debug)]
pub enum EditKind {
    /// A new monitor. `look_at`: its state begins with one round at the instant `effective_from`.
    Create {
        uuid: Uuid,
        owner: Option<Arc<str>>,
        declared: Box<Declaration>,
        first_look: bool,
    },
    /// A new revision, if the present one is `expect_revision` (when given).
    Replace {
        id: MonitorId,
        expect_revision: Option<u32>,
        declared: Box<Declaration>,
    },
    /// The end of a monitor. Its history stays until retention takes it.
    Delete {
        id: MonitorId,
        expect_revision: Option<u32>,
    },
    /// A new or changed action: by id when it is not zero, else by (owner, name).
    PutAction(Box<Action>),
    DeleteAction(ActionId),
}

/// The answer to one edit.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one an edit, never kept")]
pub enum Applied {
    Monitor(Revision),
    Action(ActionId),
}

/// Why a transaction of edits was refused; nothing of it was written.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refused {
    /// The monitor or action is not there.
    #[error("not found")]
    NotFound,
    /// Somebody edited it meanwhile.
    #[error("it was edited meanwhile: its revision is {0}")]
    Stale(u32),
    /// Its state moved meanwhile: load, decide and try again.
    #[error("its state moved meanwhile")]
    Conflict,
    /// Another monitor of the same owner has this key or slug.
    #[error("the name `{0}` is taken")]
    Taken(String),
}

/// Declarations.
pub trait Catalog: Send + Sync {
    /// Everything after the cursor; cursor 0 answers every living monitor with its present revision (and the one
    /// before while that still counts) and all actions.
    fn changes(&self, after: u64) -> Answered<'_, Changes>;

    /// All edits in one transaction, or none. A new revision counts from the store's clock + `limits::EDIT_LEAD`, and
    /// after every published slot where the clock was set back.
    fn apply(&self, edits: Vec<Edit>) -> Answered<'_, Result<Vec<Applied>, Refused>>;

    /// The stored revisions of one monitor, oldest first: what pause and deletion are read from.
    fn revisions(&self, id: MonitorId) -> Answered<'_, Vec<Revision>>;

    /// Marks an action as broken (with why) or as working again (empty).
    fn mark_action(&self, id: ActionId, broken: String) -> Answered<'_, ()>;

    /// The hash of the file that an owner applied last.
    fn applied_file(&self, owner: Arc<str>) -> Answered<'_, Option<[u8; 32]>>;

    /// Remembers it.
    fn remember_file(&self, owner: Arc<str>, hash: [u8; 32]) -> Answered<'_, ()>;
}
