//! `Catalog`: the feed of changes is the order in which revisions were written, by one transaction at a time. Whoever
//! reads it waits for the edit that is under way, so that no number it has passed can still appear.

use super::conn::{Conn, Script, get, params, storable};
use super::declared::{read_actions, read_revisions};
use super::edit::Editing;
use super::error::{Fault, Result};
use super::lock::{Lock, SHARE};
use super::{CALL, Postgres, leases};
use crate::editing;
use bw_domain::id::{ActionId, MonitorId};
use bw_domain::port::store::{Answered, Applied, Catalog, Changes, Edit, EditKind, Refused, Revision};
use bw_domain::time::Duration;
use std::sync::Arc;

/// What one edit may cost beyond the bound of a call: files of many thousand monitors are one transaction.
const EDIT: Duration = Duration::from_millis(20);

/// New monitors that are under way at once.
const CREATES: usize = 500;

impl Catalog for Postgres {
    fn changes(&self, after: u64) -> Answered<'_, Changes> {
        self.call(async move {
            let conn = self.conn().await?;
            if let Some(measured) = self.measured.as_ref().filter(|measured| measured.is_due()) {
                leases::measure(&conn, measured).await?;
            }
            let answer = changes(self, &conn, after as i64).await;
            conn.end(answer).await
        })
    }

    fn apply(&self, edits: Vec<Edit>) -> Answered<'_, std::result::Result<Vec<Applied>, Refused>> {
        let bound = CALL + EDIT * u32::try_from(edits.len()).unwrap_or(u32::MAX);
        self.call_within(bound, async move { all_or_nothing(self, &edits).await })
    }

    fn revisions(&self, id: MonitorId) -> Answered<'_, Vec<Revision>> {
        self.call(async move {
            let sql =
                "SELECT r.monitor, m.uuid, r.revision, r.effective_from, m.created_at, r.updated_at, m.owner,
                           r.declared, r.sealed
                       FROM revisions r JOIN monitors m ON m.id = r.monitor
                       WHERE r.monitor = $1 ORDER BY r.revision";
            read_revisions(&self.conn().await?, &self.key, sql, params![id.0]).await
        })
    }

    fn mark_action(&self, id: ActionId, broken: String) -> Answered<'_, ()> {
        self.call(async move {
            let conn = self.begin().await?;
            let answer = async {
                let mut editing = Editing::begin(self, &conn).await?;
                let sql = "UPDATE actions SET broken = $2 WHERE id = $1 AND broken <> $2";
                if conn.execute(sql, params![id.0, storable(&broken)]).await? > 0 {
                    editing.actions_changed();
                    editing.close().await?;
                }
                Ok(())
            };
            let answer = answer.await;
            conn.end(answer).await
        })
    }

    fn applied_file(&self, owner: Arc<str>) -> Answered<'_, Option<[u8; 32]>> {
        self.call(async move {
            let sql = "SELECT hash FROM applied_files WHERE owner = $1";
            let row = self.conn().await?.first(sql, params![storable(&owner)]).await?;
            let hash = |row| {
                let hash: &[u8] = get(row, 0)?;
                hash.try_into().map_err(|error| Fault::damaged("hash of a file", error))
            };
            row.as_ref().map(hash).transpose()
        })
    }

    fn remember_file(&self, owner: Arc<str>, hash: [u8; 32]) -> Answered<'_, ()> {
        self.call(async move {
            let sql = "INSERT INTO applied_files (owner, hash) VALUES ($1, $2)
                       ON CONFLICT (owner) DO UPDATE SET hash = excluded.hash";
            let conn = self.conn().await?;
            conn.execute(sql, params![storable(&owner), hash.to_vec()]).await.map(drop)
        })
    }
}

async fn changes(store: &Postgres, conn: &Conn, after: i64) -> Result<Changes> {
    let mut script = Script::default();
    script.push(SHARE, Lock::Edits.params());
    script.push("SELECT last_change, actions_change FROM installation", params![]);
    let answers = conn.begin_with(&script).await?;
    let row = answers.last().and_then(|rows| rows.first());
    let row = row.ok_or_else(|| Fault::damaged("installation", "its row is not there"))?;
    let (last, actions): (i64, i64) = (get(row, 0)?, get(row, 1)?);
    if after > 0 && after == last {
        return Ok(Changes { cursor: after as u64, ..Changes::default() });
    }
    let revisions = match after {
        // From the beginning only what still counts: the present revision, and the one before until that begins.
        0 => {
            let sql =
                "SELECT r.monitor, m.uuid, r.revision, r.effective_from, m.created_at, r.updated_at, m.owner,
                           r.declared, r.sealed
                       FROM revisions r JOIN monitors m ON m.id = r.monitor
                       WHERE m.deleted_at IS NULL AND (r.revision = m.revision
                           OR r.revision = m.revision - 1 AND m.effective_from > $1) ORDER BY r.change";
            read_revisions(conn, &store.key, sql, params![store.clock.now().ms()]).await?
        }
        _ => {
            let sql =
                "SELECT r.monitor, m.uuid, r.revision, r.effective_from, m.created_at, r.updated_at, m.owner,
                           r.declared, r.sealed
                       FROM revisions r JOIN monitors m ON m.id = r.monitor
                       WHERE r.change > $1 ORDER BY r.change";
            read_revisions(conn, &store.key, sql, params![after]).await?
        }
    };
    let wanted = after == 0 || actions > after;
    let actions = if wanted { Some(read_actions(conn, &store.key).await?) } else { None };
    Ok(Changes { cursor: last as u64, revisions, actions })
}

/// A refusal undoes the edits before it.
async fn all_or_nothing(
    store: &Postgres,
    edits: &[Edit],
) -> Result<std::result::Result<Vec<Applied>, Refused>> {
    store.make_room(edits.iter().filter_map(|edit| edit.consequence.as_ref())).await?;
    let conn = store.begin().await?;
    let answer = apply(store, &conn, edits).await;
    if let Ok(Err(refused)) = answer {
        conn.rollback().await?;
        return Ok(Err(refused));
    }
    conn.end(answer).await
}

async fn apply(
    store: &Postgres,
    conn: &Conn,
    edits: &[Edit],
) -> Result<std::result::Result<Vec<Applied>, Refused>> {
    let mut editing = Editing::begin(store, conn).await?;
    let mut applied = Vec::with_capacity(edits.len());
    let order = editing::order(edits);
    // New monitors that follow each other are made together.
    let creates = |index: &usize| matches!(edits[*index].kind, EditKind::Create { .. });
    for run in order.chunk_by(|a, b| creates(a) && creates(b)).flat_map(|run| run.chunks(CREATES)) {
        let refused = if creates(&run[0]) {
            let new: Vec<&Edit> = run.iter().map(|index| &edits[*index]).collect();
            editing.create_all(&new).await?.map(|all| applied.extend(run.iter().copied().zip(all)))
        } else {
            editing.apply(&edits[run[0]]).await?.map(|one| applied.push((run[0], one)))
        };
        if let Err(refused) = refused {
            return Ok(Err(refused));
        }
    }
    editing.close().await?;
    applied.sort_by_key(|(index, _)| *index);
    Ok(Ok(applied.into_iter().map(|(_, one)| one).collect()))
}
