//! Declarations and actions as rows.

use super::conn::{Conn, Param, Script, get, params, storable};
use super::error::{Fault, Result};
use super::{Postgres, edit::Editing};
use crate::document;
use crate::seal::SealKey;
use bw_domain::action::Action;
use bw_domain::id::{ActionId, MonitorId, Uuid};
use bw_domain::port::store::Revision;
use bw_domain::time::Instant;
use tokio_postgres::Row;

/// Writes a revision as the next change of the feed.
pub(super) fn write_revision(editing: &mut Editing<'_>, script: &mut Script, revision: &Revision) {
    let (key, entropy) = (&editing.store.key, &*editing.store.entropy);
    let declared = revision.declared.as_ref();
    let stored = declared.map(|declared| document::of_declaration(key, revision.id, declared, entropy));
    let (text, sealed) = stored.map_or((None, None), |stored| (Some(stored.text), stored.sealed));
    let sql =
        "INSERT INTO revisions (change, monitor, revision, effective_from, updated_at, declared, sealed)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let (effective_from, updated_at) = (revision.effective_from.ms(), revision.updated_at.ms());
    let row = params![
        editing.next_change(),
        revision.id.0,
        revision.revision as i32,
        effective_from,
        updated_at,
        text,
        sealed
    ];
    script.push(sql, row);
}

/// The revisions that a statement answers, with the columns in the order in which they are read here.
pub(super) async fn read_revisions(
    conn: &Conn,
    key: &SealKey,
    sql: &str,
    params: Vec<Param>,
) -> Result<Vec<Revision>> {
    let rows = conn.query(sql, params).await?;
    let mut revisions: Vec<Revision> = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut revision = read_revision(row, key)?;
        if let Some(before) = revisions.last() {
            revision.share_with(before);
        }
        revisions.push(revision);
    }
    Ok(revisions)
}

fn read_revision(row: &Row, key: &SealKey) -> Result<Revision> {
    let id = MonitorId(get(row, 0)?);
    let (text, sealed): (Option<&str>, Option<&[u8]>) = (get(row, 7)?, get(row, 8)?);
    let uuid: &[u8] = get(row, 1)?;
    Ok(Revision {
        id,
        uuid: uuid_of(uuid)?,
        revision: get::<i32>(row, 2)? as u32,
        effective_from: Instant::from_ms(get(row, 3)?),
        created_at: Instant::from_ms(get(row, 4)?),
        updated_at: Instant::from_ms(get(row, 5)?),
        owner: get::<Option<String>>(row, 6)?.map(Into::into),
        declared: text.map(|text| document::declaration(key, id, text, sealed)).transpose()?,
    })
}

pub(super) fn uuid_of(bytes: &[u8]) -> Result<Uuid> {
    let bytes = bytes.try_into().map_err(|error| Fault::damaged("uuid of a monitor", error))?;
    Ok(Uuid(u128::from_be_bytes(bytes)))
}

/// Writes the document of an action whose id is known.
pub(super) async fn write_action(store: &Postgres, conn: &Conn, action: &Action) -> Result<()> {
    let document::Document { text, sealed } = document::of_action(&store.key, action, &*store.entropy);
    let sql =
        "UPDATE actions SET owner = $2, name = $3, document = $4, sealed = $5, broken = $6 WHERE id = $1";
    let (name, broken) = (storable(&action.name), storable(&action.broken));
    conn.execute(sql, params![action.id.0, action.owner.clone(), name, text, sealed, broken]).await?;
    Ok(())
}

/// All actions, by id.
pub(super) async fn read_actions(conn: &Conn, key: &SealKey) -> Result<Vec<Action>> {
    let sql = "SELECT id, owner, document, sealed, broken FROM actions ORDER BY id";
    let read = |row: &Row| {
        let (text, sealed): (&str, Option<&[u8]>) = (get(row, 2)?, get(row, 3)?);
        let action = document::action(key, ActionId(get(row, 0)?), text, sealed)?;
        Ok(Action { owner: get(row, 1)?, broken: get(row, 4)?, ..action })
    };
    conn.query(sql, params![]).await?.iter().map(read).collect()
}
