//! Declarations and actions as rows: the document with its secrets masked, and the secrets sealed beside it, bound to
//! the object that they belong to.

use super::error::Result;
use super::tx::Tx;
use crate::document;
use crate::seal::SealKey;
use bw_domain::action::Action;
use bw_domain::id::{ActionId, MonitorId, Uuid};
use bw_domain::port::store::Revision;
use bw_domain::time::Instant;
use rusqlite::{Connection, Row, params};

/// Writes a revision as the next change of the feed.
pub(super) fn write_revision(tx: &mut Tx<'_>, revision: &Revision) -> Result<()> {
    let change = next_change(tx)?;
    let declared = revision.declared.as_ref();
    let stored = declared.map(|declared| document::of_declaration(tx.key, revision.id, declared, tx.entropy));
    let sql =
        "INSERT INTO revisions (change, monitor, revision, effective_from, updated_at, declared, sealed)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    tx.conn.prepare_cached(sql)?.execute(params![
        change,
        revision.id.0,
        revision.revision,
        revision.effective_from.ms(),
        revision.updated_at.ms(),
        stored.as_ref().map(|stored| &stored.text),
        stored.as_ref().and_then(|stored| stored.sealed.as_ref()),
    ])?;
    Ok(())
}

/// The next number of the feed; what has it is part of this transaction.
pub(super) fn next_change(tx: &mut Tx<'_>) -> Result<i64> {
    tx.staged.desk.last_change += 1;
    let change = tx.staged.desk.last_change;
    tx.conn.prepare_cached("UPDATE installation SET last_change = ?1")?.execute([change])?;
    Ok(change)
}

/// The columns that [`read_revisions`] reads, of `revisions r` and `monitors m`.
pub(super) const REVISION: &str = "r.monitor, m.uuid, r.revision, r.effective_from, m.created_at, r.updated_at, m.owner, r.declared, r.sealed";

/// The revisions that a statement over [`REVISION`] answers.
pub(super) fn read_revisions(
    conn: &Connection,
    key: &SealKey,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<Revision>> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut revisions: Vec<Revision> = Vec::new();
    while let Some(row) = rows.next()? {
        let mut revision = read_revision(row, key)?;
        if let Some(before) = revisions.last() {
            revision.share_with(before);
        }
        revisions.push(revision);
    }
    Ok(revisions)
}

fn read_revision(row: &Row<'_>, key: &SealKey) -> Result<Revision> {
    let id = MonitorId(row.get(0)?);
    let (text, sealed): (Option<String>, Option<Vec<u8>>) = (row.get(7)?, row.get(8)?);
    let declared = text.map(|text| document::declaration(key, id, &text, sealed.as_deref())).transpose()?;
    Ok(Revision {
        id,
        uuid: Uuid(u128::from_be_bytes(row.get(1)?)),
        revision: row.get(2)?,
        effective_from: Instant::from_ms(row.get(3)?),
        created_at: Instant::from_ms(row.get(4)?),
        updated_at: Instant::from_ms(row.get(5)?),
        owner: row.get::<_, Option<String>>(6)?.map(Into::into),
        declared,
    })
}

/// Writes the document of an action whose id is known.
pub(super) fn write_action(tx: &Tx<'_>, action: &Action) -> Result<()> {
    let document::Document { text, sealed } = document::of_action(tx.key, action, tx.entropy);
    let sql =
        "UPDATE actions SET owner = ?2, name = ?3, document = ?4, sealed = ?5, broken = ?6 WHERE id = ?1";
    let row = params![action.id.0, action.owner, action.name, text, sealed, action.broken];
    tx.conn.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// All actions, by id.
pub(super) fn read_actions(conn: &Connection, key: &SealKey) -> Result<Vec<Action>> {
    let sql = "SELECT id, owner, document, sealed, broken FROM actions ORDER BY id";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut actions = Vec::new();
    while let Some(row) = rows.next()? {
        let id = ActionId(row.get(0)?);
        let (text, sealed): (String, Option<Vec<u8>>) = (row.get(2)?, row.get(3)?);
        let action = document::action(key, id, &text, sealed.as_deref())?;
        actions.push(Action { owner: row.get(1)?, broken: row.get(4)?, ..action });
    }
    Ok(actions)
}
