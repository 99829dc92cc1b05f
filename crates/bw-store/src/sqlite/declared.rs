//! Declarations and actions as rows: the document with its secrets masked, and the secrets sealed beside it, bound to
//! the object that they belong to.

use super::error::{Fault, Result};
use super::tx::Tx;
use crate::seal::SealKey;
use bw_domain::action::Action;
use bw_domain::id::{ActionId, MonitorId, Uuid};
use bw_domain::monitor::Declaration;
use bw_domain::port::store::Revision;
use bw_domain::read::Problem;
use bw_domain::secret::Secret;
use bw_domain::time::Instant;
use rusqlite::{Connection, Row, params};
use serde_json::Value;
use std::collections::BTreeMap;

type Secrets<'a> = Vec<(String, &'a mut Secret)>;

fn seal(tx: &Tx<'_>, row: &str, secrets: Secrets<'_>) -> Option<Vec<u8>> {
    let plain: BTreeMap<String, String> =
        secrets.into_iter().map(|(path, secret)| (path, secret.expose().to_owned())).collect();
    tx.key.seal_map(row, &plain, tx.entropy)
}

fn unseal(key: &SealKey, row: &str, sealed: Option<&[u8]>, secrets: Secrets<'_>) -> Result<()> {
    let mut plain =
        key.open_map(row, sealed).ok_or_else(|| Fault::damaged("secrets", format!("of {row}")))?;
    for (path, secret) in secrets {
        if let Some(text) = plain.remove(&path) {
            *secret = Secret::new(text);
        }
    }
    Ok(())
}

fn parse<T>(
    text: &str,
    row: &str,
    read: impl Fn(&Value) -> std::result::Result<T, Vec<Problem>>,
) -> Result<T> {
    let value = serde_json::from_str(text).map_err(|error| Fault::damaged(row, error))?;
    read(&value).map_err(|problems| {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Fault::damaged(row, told.join("; "))
    })
}

/// Writes a revision as the next change of the feed.
pub(super) fn write_revision(tx: &mut Tx<'_>, revision: &Revision) -> Result<()> {
    let change = next_change(tx)?;
    let mut declared = revision.declared.clone();
    let sealed = declared
        .as_mut()
        .and_then(|declared| seal(tx, &format!("monitor/{}", revision.id), declared.secrets_mut()));
    let sql =
        "INSERT INTO revisions (change, monitor, revision, effective_from, updated_at, declared, sealed)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    tx.conn.prepare_cached(sql)?.execute(params![
        change,
        revision.id.0,
        revision.revision,
        revision.effective_from.ms(),
        revision.updated_at.ms(),
        revision.declared.as_ref().map(|declared| declared.to_json().to_string()),
        sealed,
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
    let mut revisions = Vec::new();
    while let Some(row) = rows.next()? {
        revisions.push(read_revision(row, key)?);
    }
    Ok(revisions)
}

fn read_revision(row: &Row<'_>, key: &SealKey) -> Result<Revision> {
    let id = MonitorId(row.get(0)?);
    let name = format!("monitor/{id}");
    let (document, sealed): (Option<String>, Option<Vec<u8>>) = (row.get(7)?, row.get(8)?);
    let mut declared = document.map(|text| parse(&text, &name, Declaration::from_json)).transpose()?;
    if let Some(declared) = &mut declared {
        unseal(key, &name, sealed.as_deref(), declared.secrets_mut())?;
    }
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
    let sealed = seal(tx, &format!("action/{}", action.id), action.clone().secrets_mut());
    let sql =
        "UPDATE actions SET owner = ?2, name = ?3, document = ?4, sealed = ?5, broken = ?6 WHERE id = ?1";
    let document = action.to_json().to_string();
    let row = params![action.id.0, action.owner, action.name, document, sealed, action.broken];
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
        let name = format!("action/{id}");
        let (document, sealed): (String, Option<Vec<u8>>) = (row.get(2)?, row.get(3)?);
        let mut action = parse(&document, &name, Action::from_json)?;
        unseal(key, &name, sealed.as_deref(), action.secrets_mut())?;
        actions.push(Action { id, owner: row.get(1)?, broken: row.get(4)?, ..action });
    }
    Ok(actions)
}
