//! One edit of a declaration or action, with the consequence that was decided for it.

use super::conn::{Conn, Script, get, params, storable};
use super::declared::{uuid_of, write_action, write_revision};
use super::error::{Fault, Result};
use super::lock::Lock;
use super::{Postgres, commit, write};
use crate::editing::{self, first_round, key_of, settled};
use crate::pack;
use bw_domain::action::Action;
use bw_domain::id::{ActionId, MonitorId, Uuid};
use bw_domain::monitor::Declaration;
use bw_domain::port::store::{Answer, Applied, Commit, Edit, EditKind, Refused, Revision};
use bw_domain::state::{Observed, State};
use bw_domain::time::{Duration, Instant};
use std::sync::Arc;

type Edited<T> = Result<std::result::Result<T, Refused>>;

/// Goes on with the value, or answers the refusal.
macro_rules! or_refuse {
    ($edited:expr) => {
        match $edited? {
            Ok(value) => value,
            Err(refused) => return Ok(Err(refused)),
        }
    };
}

/// A transaction of edits: it alone edits until it ends.
pub(super) struct Editing<'a> {
    pub store: &'a Postgres,
    conn: &'a Conn,
    now: Instant,
    /// The furthest mark of any shard.
    published: Instant,
    /// The cursor of the feed.
    last_change: i64,
    actions_change: Option<i64>,
}

impl<'a> Editing<'a> {
    /// Waits until nobody else edits.
    pub async fn begin(store: &'a Postgres, conn: &'a Conn) -> Result<Self> {
        Lock::Edits.take(conn).await?;
        let now = store.clock.now();
        let sql = "SELECT last_change, (SELECT max(published) FROM shards) FROM installation";
        let row = conn.first(sql, params![]).await?;
        let row = row.ok_or_else(|| Fault::damaged("installation", "its row is not there"))?;
        let published = Instant::from_ms(get::<Option<i64>>(&row, 1)?.unwrap_or(0));
        Ok(Editing { store, conn, now, published, last_change: get(&row, 0)?, actions_change: None })
    }

    /// The next number of the feed.
    pub fn next_change(&mut self) -> i64 {
        self.last_change += 1;
        self.last_change
    }

    /// Tells the feed that actions are others than before.
    pub fn actions_changed(&mut self) {
        self.actions_change = Some(self.next_change());
    }

    /// Writes how far the feed is.
    pub async fn close(self) -> Result<()> {
        let sql = "UPDATE installation
                   SET last_change = $1, actions_change = coalesce($2, actions_change)";
        self.conn.execute(sql, params![self.last_change, self.actions_change]).await.map(drop)
    }

    /// Writes one edit.
    pub async fn apply(&mut self, edit: &Edit) -> Edited<Applied> {
        let consequence = edit.consequence.as_ref();
        match &edit.kind {
            EditKind::Create { uuid, owner, declared, first_look } => {
                let new = New { uuid: *uuid, owner: owner.clone(), declared, first_look: *first_look };
                self.create(new, consequence).await
            }
            EditKind::Replace { id, expect_revision, declared } => {
                self.replace(*id, *expect_revision, declared, consequence).await
            }
            EditKind::Delete { id, expect_revision } => self.delete(*id, *expect_revision, consequence).await,
            EditKind::PutAction(action) => self.put_action(action).await,
            EditKind::DeleteAction(id) => self.delete_action(*id).await,
        }
    }

    fn counts_from(&self) -> Instant {
        editing::counts_from(self.now, self.published)
    }

    async fn create(&mut self, new: New<'_>, consequence: Option<&Commit>) -> Edited<Applied> {
        let New { uuid, owner, declared, first_look } = new;
        or_refuse!(self.names_are_free(None, (Some(uuid), owner.as_deref()), declared).await);
        let (now, effective_from) = (self.now, self.counts_from());
        let sql = "INSERT INTO monitors (uuid, owner, key, slug, revision, effective_from, created_at)
                   VALUES ($1, $2, $3, $4, 1, $5, $6) RETURNING id";
        let key = key_of(owner.as_deref(), declared).map(storable);
        let slug = declared.slug.as_deref().map(storable);
        let named = owner.as_deref().map(storable);
        let row = params![bytes_of(uuid), named, key, slug, effective_from.ms(), now.ms()];
        let row = self.conn.first(sql, row).await?;
        let row = row.ok_or_else(|| Fault::damaged("monitor", "it has no id"))?;
        let id = MonitorId(get(&row, 0)?);
        let declared = Some(declared.clone());
        let revision = Revision {
            id,
            uuid,
            revision: 1,
            effective_from,
            created_at: now,
            updated_at: now,
            owner,
            declared,
        };
        let mut script = Script::default();
        write_revision(self, &mut script, &revision);
        let mut state = State::new(now, 1);
        if first_look && consequence.is_none() {
            state.round =
                revision.declared.as_ref().and_then(|declared| first_round(declared, effective_from));
        }
        let sql = "INSERT INTO observed (monitor, seq, cells) VALUES ($1, 0, $2)";
        script.push(sql, params![id.0, pack::cells(&Observed::default())]);
        write::states(&mut script, &[(id, state)]);
        self.conn.script(&script).await?;
        let own = consequence.map(|commit| Commit { monitor: id, expect_seq: 0, ..commit.clone() });
        or_refuse!(self.follow(id, effective_from, own.as_ref()).await);
        Ok(Ok(Applied::Monitor(revision)))
    }

    async fn living(&self, id: MonitorId, expect_revision: Option<u32>) -> Edited<Living> {
        let sql = "SELECT uuid, owner, revision, effective_from, created_at FROM monitors
                   WHERE id = $1 AND deleted_at IS NULL FOR UPDATE";
        let Some(row) = self.conn.first(sql, params![id.0]).await? else { return Ok(Err(Refused::NotFound)) };
        let living = Living {
            uuid: uuid_of(get(&row, 0)?)?,
            owner: get::<Option<String>>(&row, 1)?.map(Into::into),
            revision: get::<i32>(&row, 2)? as u32,
            effective_from: Instant::from_ms(get(&row, 3)?),
            created_at: Instant::from_ms(get(&row, 4)?),
        };
        match expect_revision.filter(|revision| *revision != living.revision) {
            Some(_) => Ok(Err(Refused::Stale(living.revision))),
            None => Ok(Ok(living)),
        }
    }

    async fn replace(
        &mut self,
        id: MonitorId,
        expect_revision: Option<u32>,
        declared: &Declaration,
        consequence: Option<&Commit>,
    ) -> Edited<Applied> {
        let living = or_refuse!(self.living(id, expect_revision).await);
        or_refuse!(self.names_are_free(Some(id), (None, living.owner.as_deref()), declared).await);
        let key = key_of(living.owner.as_deref(), declared).map(storable);
        let slug = declared.slug.as_deref().map(storable);
        let mut script = Script::default();
        let revision = self.next_revision(&mut script, id, living, Some(declared.clone()));
        script.push("UPDATE monitors SET key = $2, slug = $3 WHERE id = $1", params![id.0, key, slug]);
        self.conn.script(&script).await?;
        or_refuse!(self.follow(id, revision.effective_from, consequence).await);
        Ok(Ok(Applied::Monitor(revision)))
    }

    /// What is believed of it goes; what is left to read of the monitor is its history.
    async fn delete(
        &mut self,
        id: MonitorId,
        expect_revision: Option<u32>,
        consequence: Option<&Commit>,
    ) -> Edited<Applied> {
        let living = or_refuse!(self.living(id, expect_revision).await);
        or_refuse!(self.follow(id, self.now, consequence).await);
        let mut script = Script::default();
        let revision = self.next_revision(&mut script, id, living, None);
        script.push("UPDATE monitors SET deleted_at = $2 WHERE id = $1", params![id.0, self.now.ms()]);
        script.push("DELETE FROM observed WHERE monitor = $1", params![id.0]);
        script.push("DELETE FROM state WHERE monitor = $1", params![id.0]);
        self.conn.script(&script).await?;
        Ok(Ok(Applied::Monitor(revision)))
    }

    /// A revision never counts from before the one that it replaces.
    fn next_revision(
        &mut self,
        script: &mut Script,
        id: MonitorId,
        living: Living,
        declared: Option<Declaration>,
    ) -> Revision {
        let Living { uuid, owner, revision, effective_from, created_at } = living;
        let effective_from = self.counts_from().max(effective_from + Duration::from_millis(1));
        let (revision, updated_at) = (revision + 1, self.now);
        let sql = "UPDATE monitors SET revision = $2, effective_from = $3 WHERE id = $1";
        script.push(sql, params![id.0, revision as i32, effective_from.ms()]);
        let next = Revision { id, uuid, revision, effective_from, created_at, updated_at, owner, declared };
        write_revision(self, script, &next);
        next
    }

    /// Commits the decision that goes with an edit.
    async fn follow(
        &self,
        id: MonitorId,
        effective_from: Instant,
        consequence: Option<&Commit>,
    ) -> Edited<()> {
        let Some(consequence) = consequence else { return Ok(Ok(())) };
        if consequence.monitor != id {
            let text = format!("the consequence of an edit of {id} is about another monitor");
            return Err(Fault::Invalid(text));
        }
        match commit::follow(self.conn, &settled(consequence, effective_from)).await? {
            Answer::Committed => Ok(Ok(())),
            Answer::Conflict | Answer::Duplicate => Ok(Err(Refused::Conflict)),
            Answer::Gone => Ok(Err(Refused::NotFound)),
        }
    }

    /// One look for all that must be unique.
    async fn names_are_free(
        &self,
        but: Option<MonitorId>,
        (uuid, owner): (Option<Uuid>, Option<&str>),
        declared: &Declaration,
    ) -> Edited<()> {
        let sql = "SELECT EXISTS (SELECT 1 FROM monitors WHERE uuid = $1),
                   EXISTS (SELECT 1 FROM monitors
                       WHERE coalesce(owner, '') = $2 AND key = $3 AND deleted_at IS NULL AND id <> $5),
                   EXISTS (SELECT 1 FROM monitors
                       WHERE coalesce(owner, '') = $2 AND slug = $4 AND deleted_at IS NULL AND id <> $5)";
        let names = [key_of(owner, declared), declared.slug.as_deref()];
        let [key, slug] = names.map(|name| name.map(storable));
        let row = params![
            uuid.map(bytes_of),
            owner.map(storable).unwrap_or_default(),
            key,
            slug,
            but.map_or(0, |id| id.0)
        ];
        let row = self.conn.first(sql, row).await?;
        let row = row.ok_or_else(|| Fault::damaged("names", "no row"))?;
        if get(&row, 0)? {
            return Ok(Err(Refused::Conflict));
        }
        for (name, column) in names.into_iter().zip([1, 2]) {
            if let Some(name) = name
                && get(&row, column)?
            {
                return Ok(Err(Refused::Taken(name.to_owned())));
            }
        }
        Ok(Ok(()))
    }

    async fn put_action(&mut self, action: &Action) -> Edited<Applied> {
        let sql = "SELECT id FROM actions WHERE coalesce(owner, '') = $1 AND name = $2";
        let owner = action.owner.as_deref().map(storable);
        let name = storable(&action.name);
        let row = self.conn.first(sql, params![owner.clone().unwrap_or_default(), name.clone()]).await?;
        let named: Option<i64> = row.map(|row| get(&row, 0)).transpose()?;
        let id = match (action.id.0, named) {
            (0, Some(named)) => named,
            (0, None) => {
                let sql = "INSERT INTO actions (owner, name, document, broken) VALUES ($1, $2, '', '')
                           RETURNING id";
                let row = self.conn.first(sql, params![owner, name]).await?;
                row.map_or(Ok(0), |row| get(&row, 0))?
            }
            (id, Some(named)) if named != id => return Ok(Err(Refused::Taken(action.name.clone()))),
            (id, _) => id,
        };
        let sql = "SELECT 1 FROM actions WHERE id = $1 FOR UPDATE";
        if self.conn.first(sql, params![id]).await?.is_none() {
            return Ok(Err(Refused::NotFound));
        }
        write_action(self.store, self.conn, &Action { id: ActionId(id), ..action.clone() }).await?;
        self.actions_changed();
        Ok(Ok(Applied::Action(ActionId(id))))
    }

    async fn delete_action(&mut self, id: ActionId) -> Edited<Applied> {
        if self.conn.execute("DELETE FROM actions WHERE id = $1", params![id.0]).await? == 0 {
            return Ok(Err(Refused::NotFound));
        }
        self.actions_changed();
        Ok(Ok(Applied::Action(id)))
    }
}

struct New<'a> {
    uuid: Uuid,
    owner: Option<Arc<str>>,
    declared: &'a Declaration,
    first_look: bool,
}

/// What a monitor has that is not deleted.
struct Living {
    uuid: Uuid,
    owner: Option<Arc<str>>,
    revision: u32,
    effective_from: Instant,
    created_at: Instant,
}

fn bytes_of(uuid: Uuid) -> Vec<u8> {
    uuid.0.to_be_bytes().to_vec()
}
