//! `Catalog`: the feed of changes is the order in which revisions were written; one number on the desk says whether
//! there is anything new, so a poll that finds nothing costs nothing.

use super::declared::{REVISION, next_change, read_actions, read_revisions};
use super::error::Result;
use super::tx::Tx;
use super::{Sqlite, edit, ready};
use crate::editing;
use crate::seal::SealKey;
use bw_domain::id::{ActionId, MonitorId};
use bw_domain::port::store::{Answered, Applied, Catalog, Changes, Edit, Refused, Revision};
use bw_domain::time::Instant;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

impl Catalog for Sqlite {
    fn changes(&self, after: u64) -> Answered<'_, Changes> {
        if after > 0 && after == self.memory().desk.last_change as u64 {
            return ready(Changes { cursor: after, ..Changes::default() });
        }
        let (key, now) = (self.key.clone(), self.clock.now());
        self.read(move |conn| changes(conn, &key, after, now))
    }

    fn apply(&self, edits: Vec<Edit>) -> Answered<'_, std::result::Result<Vec<Applied>, Refused>> {
        self.write(edits.len(), move |tx| all_or_nothing(tx, &edits))
    }

    fn revisions(&self, id: MonitorId) -> Answered<'_, Vec<Revision>> {
        let key = self.key.clone();
        self.read(move |conn| {
            let sql = format!(
                "SELECT {REVISION} FROM revisions r JOIN monitors m ON m.id = r.monitor
                 WHERE r.monitor = ?1 ORDER BY r.revision"
            );
            read_revisions(conn, &key, &sql, [id.0])
        })
    }

    fn mark_action(&self, id: ActionId, broken: String) -> Answered<'_, ()> {
        self.write(1, move |tx| {
            let sql = "UPDATE actions SET broken = ?2 WHERE id = ?1 AND broken <> ?2";
            if tx.conn.prepare_cached(sql)?.execute(params![id.0, broken])? > 0 {
                actions_changed(tx)?;
            }
            Ok(())
        })
    }

    fn applied_file(&self, owner: Arc<str>) -> Answered<'_, Option<[u8; 32]>> {
        self.read(move |conn| {
            let sql = "SELECT hash FROM applied_files WHERE owner = ?1";
            Ok(conn.prepare_cached(sql)?.query_row([&*owner], |row| row.get(0)).optional()?)
        })
    }

    fn remember_file(&self, owner: Arc<str>, hash: [u8; 32]) -> Answered<'_, ()> {
        self.write(1, move |tx| {
            let sql = "INSERT INTO applied_files (owner, hash) VALUES (?1, ?2)
                       ON CONFLICT (owner) DO UPDATE SET hash = excluded.hash";
            tx.conn.prepare_cached(sql)?.execute(params![&*owner, hash])?;
            Ok(())
        })
    }
}

fn changes(conn: &Connection, key: &SealKey, after: u64, now: Instant) -> Result<Changes> {
    let sql = "SELECT last_change, actions_change FROM installation";
    let (last, actions): (i64, i64) =
        conn.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    // From the beginning only what still counts: the present revision, and the one before until that begins.
    let wanted = match after {
        0 => {
            "m.deleted_at IS NULL AND (r.revision = m.revision
                  OR r.revision = m.revision - 1 AND m.effective_from > ?2) AND r.change > ?1"
        }
        _ => "r.change > ?1 AND ?2 IS NOT NULL",
    };
    let sql = format!(
        "SELECT {REVISION} FROM revisions r JOIN monitors m ON m.id = r.monitor WHERE {wanted} ORDER BY r.change"
    );
    let after = after as i64;
    let revisions = read_revisions(conn, key, &sql, params![after, now.ms()])?;
    let actions = (after == 0 || actions > after).then(|| read_actions(conn, key)).transpose()?;
    Ok(Changes { cursor: last as u64, revisions, actions })
}

/// A refusal undoes the edits before it, and none of the transaction around them.
fn all_or_nothing(tx: &mut Tx<'_>, edits: &[Edit]) -> Result<std::result::Result<Vec<Applied>, Refused>> {
    let staged = tx.staged.clone();
    tx.conn.execute_batch("SAVEPOINT edits")?;
    let mut applied = Vec::with_capacity(edits.len());
    for index in editing::order(edits) {
        match edit::apply(tx, &edits[index])? {
            Ok(one) => applied.push((index, one)),
            Err(refused) => {
                tx.staged = staged;
                tx.conn.execute_batch("ROLLBACK TO edits; RELEASE edits")?;
                tx.journal.days.forget();
                return Ok(Err(refused));
            }
        }
    }
    tx.conn.execute_batch("RELEASE edits")?;
    applied.sort_by_key(|(index, _)| *index);
    Ok(Ok(applied.into_iter().map(|(_, one)| one).collect()))
}

/// Tells the feed that actions are others than before.
pub(super) fn actions_changed(tx: &mut Tx<'_>) -> Result<()> {
    let change = next_change(tx)?;
    tx.conn.prepare_cached("UPDATE installation SET actions_change = ?1")?.execute([change])?;
    Ok(())
}
