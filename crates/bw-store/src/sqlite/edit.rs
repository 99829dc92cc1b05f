//! One edit of a declaration or action, with the consequence that was decided for it.

use super::catalog::actions_changed;
use super::declared::{write_action, write_revision};
use super::error::{Fault, Result};
use super::memory::Row;
use super::tracks::Kept;
use super::tx::Tx;
use super::{append, commit, periods};
use crate::editing::{self, first_round, key_of, settled};
use bw_domain::action::Action;
use bw_domain::beat::Track;
use bw_domain::id::{ActionId, MonitorId, Uuid};
use bw_domain::monitor::Declaration;
use bw_domain::port::store::{Answer, Applied, Commit, Edit, EditKind, Refused, Revision};
use bw_domain::state::State;
use bw_domain::time::{Duration, Instant};
use rusqlite::{OptionalExtension, params};
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

/// Writes one edit.
pub(super) fn apply(tx: &mut Tx<'_>, edit: &Edit) -> Edited<Applied> {
    let consequence = edit.consequence.as_ref();
    match &edit.kind {
        EditKind::Create { uuid, owner, declared, first_look } => {
            let new = New { uuid: *uuid, owner: owner.clone(), declared, first_look: *first_look };
            create(tx, new, consequence)
        }
        EditKind::Replace { id, expect_revision, declared } => {
            replace(tx, *id, *expect_revision, declared, consequence)
        }
        EditKind::Delete { id, expect_revision } => delete(tx, *id, *expect_revision, consequence),
        EditKind::PutAction(action) => put_action(tx, action),
        EditKind::DeleteAction(id) => delete_action(tx, *id),
    }
}

struct New<'a> {
    uuid: Uuid,
    owner: Option<Arc<str>>,
    declared: &'a Declaration,
    first_look: bool,
}

fn create(tx: &mut Tx<'_>, new: New<'_>, consequence: Option<&Commit>) -> Edited<Applied> {
    let New { uuid, owner, declared, first_look } = new;
    let sql = "SELECT 1 FROM monitors WHERE uuid = ?1";
    if tx.conn.prepare_cached(sql)?.exists([uuid.0.to_be_bytes()])? {
        return Ok(Err(Refused::Conflict));
    }
    or_refuse!(names_are_free(tx, None, owner.as_deref(), declared));
    let (now, effective_from) = (tx.now, counts_from(tx));
    let sql = "INSERT INTO monitors (uuid, owner, key, slug, revision, effective_from, created_at)
               VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)";
    let key = key_of(owner.as_deref(), declared);
    let slug = declared.slug_unique();
    let row = params![uuid.0.to_be_bytes(), owner, key, slug, effective_from.ms(), now.ms()];
    tx.conn.prepare_cached(sql)?.execute(row)?;
    let id = MonitorId(tx.conn.last_insert_rowid());
    let declared = Some(declared.clone());
    let revision =
        Revision { id, uuid, revision: 1, effective_from, created_at: now, updated_at: now, owner, declared };
    write_revision(tx, &revision)?;
    let mut row = Box::new(Row::new(now));
    if first_look && consequence.is_none() {
        let round = revision.declared.as_ref().and_then(|declared| first_round(declared, effective_from));
        let state = State { round, ..row.state() };
        commit::write_state(tx, id, &state)?;
        row.set_state(state);
    }
    tx.stage(id, row);
    let own = consequence.map(|commit| Commit { monitor: id, expect_seq: 0, ..commit.clone() });
    or_refuse!(follow(tx, id, effective_from, own.as_ref()));
    Ok(Ok(Applied::Monitor(revision)))
}

/// What a monitor has that is not deleted.
struct Living {
    uuid: Uuid,
    owner: Option<Arc<str>>,
    revision: u32,
    effective_from: Instant,
    created_at: Instant,
}

fn living(tx: &Tx<'_>, id: MonitorId, expect_revision: Option<u32>) -> Edited<Living> {
    let sql = "SELECT uuid, owner, revision, effective_from, created_at FROM monitors
               WHERE id = ?1 AND deleted_at IS NULL";
    let found = tx.conn.prepare_cached(sql)?.query_row([id.0], |row| {
        Ok(Living {
            uuid: Uuid(u128::from_be_bytes(row.get(0)?)),
            owner: row.get::<_, Option<String>>(1)?.map(Into::into),
            revision: row.get(2)?,
            effective_from: Instant::from_ms(row.get(3)?),
            created_at: Instant::from_ms(row.get(4)?),
        })
    });
    let Some(living) = found.optional()? else { return Ok(Err(Refused::NotFound)) };
    match expect_revision.filter(|revision| *revision != living.revision) {
        Some(_) => Ok(Err(Refused::Stale(living.revision))),
        None => Ok(Ok(living)),
    }
}

fn replace(
    tx: &mut Tx<'_>,
    id: MonitorId,
    expect_revision: Option<u32>,
    declared: &Declaration,
    consequence: Option<&Commit>,
) -> Edited<Applied> {
    let living = or_refuse!(living(tx, id, expect_revision));
    or_refuse!(names_are_free(tx, Some(id), living.owner.as_deref(), declared));
    let key = key_of(living.owner.as_deref(), declared).map(str::to_owned);
    let slug = declared.slug_unique().map(str::to_owned);
    let revision = next_revision(tx, id, living, Some(declared.clone()))?;
    let sql = "UPDATE monitors SET key = ?2, slug = ?3 WHERE id = ?1";
    tx.conn.prepare_cached(sql)?.execute(params![id.0, key, slug])?;
    or_refuse!(follow(tx, id, revision.effective_from, consequence));
    if let Some(mut track) = tx.track(id).map(Kept::track) {
        track.edited(revision.revision, revision.effective_from);
        append::write_track(tx, id, &track)?;
    }
    Ok(Ok(Applied::Monitor(revision)))
}

/// The rows in memory go; what is left to read of the monitor is its history.
fn delete(
    tx: &mut Tx<'_>,
    id: MonitorId,
    expect_revision: Option<u32>,
    consequence: Option<&Commit>,
) -> Edited<Applied> {
    let living = or_refuse!(living(tx, id, expect_revision));
    or_refuse!(follow(tx, id, tx.now, consequence));
    let revision = next_revision(tx, id, living, None)?;
    let sql = "UPDATE monitors SET deleted_at = ?2 WHERE id = ?1";
    tx.conn.prepare_cached(sql)?.execute(params![id.0, tx.now.ms()])?;
    if let Some(track) = tx.track(id).map(Kept::track) {
        append::write_track(tx, id, &Track { due: None, ..track })?;
    }
    let head = tx.row(id).map(|row| row.head).filter(|head| head.id != 0);
    if let Some(head) = head {
        periods::store_head(tx.conn, id, head)?;
    }
    tx.conn.prepare_cached("DELETE FROM observed WHERE monitor = ?1")?.execute([id.0])?;
    tx.conn.prepare_cached("DELETE FROM state WHERE monitor = ?1")?.execute([id.0])?;
    tx.staged.rows.insert(id, None);
    Ok(Ok(Applied::Monitor(revision)))
}

fn counts_from(tx: &Tx<'_>) -> Instant {
    let published = tx.staged.desk.shards.iter().map(|shard| shard.published).max();
    editing::counts_from(tx.now, published.unwrap_or_default())
}

/// A revision never counts from before the one that it replaces.
fn next_revision(
    tx: &mut Tx<'_>,
    id: MonitorId,
    living: Living,
    declared: Option<Declaration>,
) -> Result<Revision> {
    let Living { uuid, owner, revision, effective_from, created_at } = living;
    let effective_from = counts_from(tx).max(effective_from + Duration::from_millis(1));
    let revision = revision + 1;
    let sql = "UPDATE monitors SET revision = ?2, effective_from = ?3 WHERE id = ?1";
    tx.conn.prepare_cached(sql)?.execute(params![id.0, revision, effective_from.ms()])?;
    let next =
        Revision { id, uuid, revision, effective_from, created_at, updated_at: tx.now, owner, declared };
    write_revision(tx, &next)?;
    Ok(next)
}

/// Commits the decision that goes with an edit.
fn follow(
    tx: &mut Tx<'_>,
    id: MonitorId,
    effective_from: Instant,
    consequence: Option<&Commit>,
) -> Edited<()> {
    let Some(consequence) = consequence else { return Ok(Ok(())) };
    if consequence.monitor != id {
        return Err(Fault::Invalid(format!("the consequence of an edit of {id} is about another monitor")));
    }
    match commit::commit(tx, &settled(consequence, effective_from))? {
        Answer::Committed => Ok(Ok(())),
        Answer::Conflict | Answer::Duplicate => Ok(Err(Refused::Conflict)),
        Answer::Gone => Ok(Err(Refused::NotFound)),
    }
}

fn names_are_free(
    tx: &Tx<'_>,
    but: Option<MonitorId>,
    owner: Option<&str>,
    declared: &Declaration,
) -> Edited<()> {
    let sqls = [
        "SELECT 1 FROM monitors
         WHERE ifnull(owner, '') = ?1 AND key = ?2 AND deleted_at IS NULL AND id IS NOT ?3",
        "SELECT 1 FROM monitors
         WHERE ifnull(owner, '') = ?1 AND slug = ?2 AND deleted_at IS NULL AND id IS NOT ?3",
    ];
    for (sql, name) in sqls.into_iter().zip([key_of(owner, declared), declared.slug_unique()]) {
        let Some(name) = name else { continue };
        let taken = params![owner.unwrap_or_default(), name, but.map(|id| id.0)];
        if tx.conn.prepare_cached(sql)?.exists(taken)? {
            return Ok(Err(Refused::Taken(name.to_owned())));
        }
    }
    Ok(Ok(()))
}

fn put_action(tx: &mut Tx<'_>, action: &Action) -> Edited<Applied> {
    let sql = "SELECT id FROM actions WHERE ifnull(owner, '') = ?1 AND name = ?2";
    let owner = action.owner.as_deref().unwrap_or_default();
    let named: Option<i64> =
        tx.conn.prepare_cached(sql)?.query_row(params![owner, action.name], |row| row.get(0)).optional()?;
    let id = match (action.id.0, named) {
        (0, Some(named)) => named,
        (0, None) => {
            let sql = "INSERT INTO actions (owner, name, document, broken) VALUES (?1, ?2, '', '')";
            tx.conn.prepare_cached(sql)?.execute(params![action.owner, action.name])?;
            tx.conn.last_insert_rowid()
        }
        (id, Some(named)) if named != id => return Ok(Err(Refused::Taken(action.name.clone()))),
        (id, _) => id,
    };
    let sql = "SELECT 1 FROM actions WHERE id = ?1";
    if !tx.conn.prepare_cached(sql)?.exists([id])? {
        return Ok(Err(Refused::NotFound));
    }
    write_action(tx, &Action { id: ActionId(id), ..action.clone() })?;
    actions_changed(tx)?;
    Ok(Ok(Applied::Action(ActionId(id))))
}

fn delete_action(tx: &mut Tx<'_>, id: ActionId) -> Edited<Applied> {
    if tx.conn.prepare_cached("DELETE FROM actions WHERE id = ?1")?.execute([id.0])? == 0 {
        return Ok(Err(Refused::NotFound));
    }
    actions_changed(tx)?;
    Ok(Ok(Applied::Action(id)))
}
