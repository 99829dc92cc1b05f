//! One edit of a declaration or action, with the consequence that was decided for it.

use super::conn::{Conn, Script, get, params, storable};
use super::declared::{uuid_of, write_action, write_revision};
use super::error::{Fault, Result};
use super::lock::Lock;
use super::{Postgres, commit, tracks, write};
use crate::editing::{self, first_round, key_of, settled};
use crate::pack;
use bw_domain::action::Action;
use bw_domain::id::{ActionId, MonitorId, Uuid};
use bw_domain::monitor::Declaration;
use bw_domain::port::store::{Answer, Applied, Commit, Edit, EditKind, Refused, Revision};
use bw_domain::state::{Observed, State};
use bw_domain::time::{Duration, Instant};
use std::collections::HashSet;
use std::sync::Arc;
use tokio_postgres::Row;

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
    /// What the edits mean for tracks; written at the end, so that beats wait for it as short as can be.
    tracks: tracks::Edited,
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
        Ok(Editing {
            store,
            conn,
            now,
            published,
            last_change: get(&row, 0)?,
            actions_change: None,
            tracks: Default::default(),
        })
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

    /// Writes what is left: tracks, and how far the feed is.
    pub async fn close(self) -> Result<()> {
        self.tracks.write(self.conn).await?;
        let sql = "UPDATE installation
                   SET last_change = $1, actions_change = coalesce($2, actions_change)";
        self.conn.execute(sql, params![self.last_change, self.actions_change]).await.map(drop)
    }

    /// Writes one edit.
    pub async fn apply(&mut self, edit: &Edit) -> Edited<Applied> {
        let consequence = edit.consequence.as_ref();
        match &edit.kind {
            EditKind::Create { .. } => {
                let mut applied = or_refuse!(self.create_all(&[edit]).await);
                let one = applied.pop();
                one.map(Ok).ok_or_else(|| Fault::damaged("monitor", "it has no id"))
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

    /// New monitors, all in three round trips: a file may declare thousands.
    pub async fn create_all(&mut self, edits: &[&Edit]) -> Edited<Vec<Applied>> {
        let mut asked = Script::default();
        for new in edits.iter().filter_map(|edit| New::of(edit)) {
            ask_names(&mut asked, None, (Some(new.uuid), new.owner.as_deref()), new.declared);
        }
        asked.push(IDS, params![edits.len() as i32]);
        let mut answers = self.conn.script(&asked).await?;
        let ids = answers.pop().unwrap_or_default();
        let mut applied = Vec::with_capacity(edits.len());
        let mut script = Script::default();
        let mut taken = HashSet::new();
        for ((edit, names), id) in edits.iter().zip(&answers).zip(&ids) {
            let Some(new) = New::of(edit) else { continue };
            or_refuse!(read_names(names, new.owner.as_deref(), new.declared));
            or_refuse!(new.take_names(&mut taken));
            let revision = self.create(&mut script, new, MonitorId(get(id, 0)?));
            applied.push(Applied::Monitor(revision));
        }
        self.conn.script(&script).await?;
        for (edit, applied) in edits.iter().zip(&applied) {
            if let (Some(consequence), Applied::Monitor(revision)) = (&edit.consequence, applied) {
                let own = Commit { monitor: revision.id, expect_seq: 0, ..consequence.clone() };
                or_refuse!(self.follow(revision.id, revision.effective_from, Some(&own)).await);
            }
        }
        Ok(Ok(applied))
    }

    fn create(&mut self, script: &mut Script, new: New<'_>, id: MonitorId) -> Revision {
        let New { uuid, owner, declared, first_look } = new;
        let (now, effective_from) = (self.now, self.counts_from());
        let sql = "INSERT INTO monitors (id, uuid, owner, key, slug, revision, effective_from, created_at)
                   VALUES ($1, $2, $3, $4, $5, 1, $6, $7)";
        let key = key_of(owner.as_deref(), declared).map(storable);
        let slug = declared.slug_unique().map(storable);
        let named = owner.as_deref().map(storable);
        let row = params![id.0, bytes_of(uuid), named, key, slug, effective_from.ms(), now.ms()];
        script.push(sql, row);
        let mut state = State::new(now, 1);
        if first_look {
            state.round = first_round(declared, effective_from);
        }
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
        write_revision(self, script, &revision);
        let sql = "INSERT INTO observed (monitor, seq, cells) VALUES ($1, 0, $2)";
        script.push(sql, params![id.0, pack::cells(&Observed::default())]);
        write::states(script, &[(id, state)]);
        revision
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
        or_refuse!(self.names_are_free(Some(id), living.owner.as_deref(), declared).await);
        let key = key_of(living.owner.as_deref(), declared).map(storable);
        let slug = declared.slug_unique().map(storable);
        let mut script = Script::default();
        let revision = self.next_revision(&mut script, id, living, Some(declared.clone()));
        script.push("UPDATE monitors SET key = $2, slug = $3 WHERE id = $1", params![id.0, key, slug]);
        self.conn.script(&script).await?;
        or_refuse!(self.follow(id, revision.effective_from, consequence).await);
        self.tracks.edited(id, revision.revision, revision.effective_from);
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
        self.tracks.deleted(id);
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

    async fn names_are_free(
        &self,
        but: Option<MonitorId>,
        owner: Option<&str>,
        declared: &Declaration,
    ) -> Edited<()> {
        let mut script = Script::default();
        ask_names(&mut script, but, (None, owner), declared);
        let answers = self.conn.script(&script).await?;
        read_names(answers.first().map_or(&[], Vec::as_slice), owner, declared)
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

impl<'a> New<'a> {
    fn of(edit: &'a Edit) -> Option<Self> {
        let EditKind::Create { uuid, owner, declared, first_look } = &edit.kind else { return None };
        let first_look = *first_look && edit.consequence.is_none();
        Some(New { uuid: *uuid, owner: owner.clone(), declared, first_look })
    }

    /// Nobody of the same transaction has its names.
    fn take_names(&self, taken: &mut HashSet<(usize, String, String)>) -> Edited<()> {
        let owner = self.owner.as_deref().unwrap_or_default();
        if !taken.insert((0, String::new(), self.uuid.to_string())) {
            return Ok(Err(Refused::Conflict));
        }
        for (kind, name) in (1..).zip(names_of(self.owner.as_deref(), self.declared)) {
            if let Some(name) = name
                && !taken.insert((kind, owner.to_owned(), name.to_owned()))
            {
                return Ok(Err(Refused::Taken(name.to_owned())));
            }
        }
        Ok(Ok(()))
    }
}

/// Ids that no monitor has had.
const IDS: &str =
    "SELECT nextval(pg_get_serial_sequence('monitors', 'id')) FROM generate_series(1, $1::integer)";

/// Key and slug.
fn names_of<'d>(owner: Option<&str>, declared: &'d Declaration) -> [Option<&'d str>; 2] {
    [key_of(owner, declared), declared.slug_unique()]
}

/// One look for all that must be unique.
fn ask_names(
    script: &mut Script,
    but: Option<MonitorId>,
    (uuid, owner): (Option<Uuid>, Option<&str>),
    declared: &Declaration,
) {
    let sql = "SELECT EXISTS (SELECT 1 FROM monitors WHERE uuid = $1),
               EXISTS (SELECT 1 FROM monitors
                   WHERE coalesce(owner, '') = $2 AND key = $3 AND deleted_at IS NULL AND id <> $5),
               EXISTS (SELECT 1 FROM monitors
                   WHERE coalesce(owner, '') = $2 AND slug = $4 AND deleted_at IS NULL AND id <> $5)";
    let [key, slug] = names_of(owner, declared).map(|name| name.map(storable));
    let named = owner.map(storable).unwrap_or_default();
    script.push(sql, params![uuid.map(bytes_of), named, key, slug, but.map_or(0, |id| id.0)]);
}

/// The answer to [`ask_names`].
fn read_names(rows: &[Row], owner: Option<&str>, declared: &Declaration) -> Edited<()> {
    let row = rows.first().ok_or_else(|| Fault::damaged("names", "no row"))?;
    if get(row, 0)? {
        return Ok(Err(Refused::Conflict));
    }
    for (column, name) in (1..).zip(names_of(owner, declared)) {
        if let Some(name) = name
            && get(row, column)?
        {
            return Ok(Err(Refused::Taken(name.to_owned())));
        }
    }
    Ok(Ok(()))
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
