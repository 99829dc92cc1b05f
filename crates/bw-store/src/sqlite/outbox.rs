//! How deliveries come into being, are leased, and are written back.
//!
//! Rows of one chain go out in the order of their events, so a chain is leased as a whole. A lease that ends without a
//! record means that the process died in between: the sink may have the message, and the ledger says so.

use super::deliveries::action_name;
use super::error::{Fault, Result};
use super::{events, incidents};
use crate::evidence::cut_off;
use bw_domain::action::ActionRef;
use bw_domain::delivery::{Attempt, Delivery, DeliveryState};
use bw_domain::event::Event;
use bw_domain::id::{DeliveryId, EventId, IncidentId};
use bw_domain::incident::Entry;
use bw_domain::port::store::{Outgoing, Routed};
use bw_domain::time::Instant;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The columns that [`read`] reads, of `deliveries d` and `events e`.
pub(super) const COLUMNS: &str =
    "d.id, e.id, d.action, d.chain, d.state, d.created_at, d.due, d.attempts, d.reason";
pub(super) const COLUMN_COUNT: usize = 9;

/// Writes the deliveries of an event, once.
pub(super) fn route(conn: &Connection, routed: &Routed) -> Result<()> {
    let sql =
        "UPDATE events SET routed = 1, reasons = ?2 WHERE id = ?1 AND routed = 0 RETURNING seq, document";
    let stored: Option<(i64, String)> = conn
        .prepare_cached(sql)?
        .query_row(params![routed.event.0, routed.reasons.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((seq, document)) = stored else { return Ok(()) };
    let event = events::read(&document)?;
    routed.deliveries.iter().try_for_each(|delivery| insert(conn, seq, &event, delivery))
}

fn insert(conn: &Connection, seq: i64, event: &Event, delivery: &Delivery) -> Result<()> {
    let sql = "INSERT INTO deliveries (id, event, action, action_name, chain, state, created_at, due, attempts, reason,
                   monitor, incident)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (id) DO NOTHING";
    conn.prepare_cached(sql)?.execute(params![
        delivery.id.0,
        seq,
        delivery.action.to_string(),
        action_name(conn, delivery.action, event)?,
        delivery.chain,
        delivery.state.word(),
        delivery.created_at.ms(),
        delivery.due.ms(),
        attempts(&delivery.attempts),
        delivery.reason,
        event.monitor.as_ref().map(|monitor| monitor.id.0),
        event.incident.as_ref().map(|incident| incident.id.0),
    ])?;
    Ok(())
}

/// The oldest waiting row of each chain.
const HEADS: &str = "SELECT chain, due, leased_until FROM deliveries d WHERE state = 'waiting' AND NOT EXISTS (
                         SELECT 1 FROM deliveries older WHERE older.state = 'waiting' AND older.chain = d.chain
                         AND (older.created_at, older.seq) < (d.created_at, d.seq))";

/// When the first chain may be leased.
pub(super) fn next_due(conn: &Connection) -> Result<Option<Instant>> {
    let sql = format!("SELECT min(max(due, ifnull(leased_until, 0))) FROM ({HEADS})");
    let due: Option<i64> = conn.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
    Ok(due.map(Instant::from_ms))
}

/// Leases the chains that have been due longest.
pub(super) fn lease(conn: &Connection, now: Instant, until: Instant, limit: usize) -> Result<Vec<Outgoing>> {
    let sql = format!(
        "SELECT chain FROM ({HEADS}) WHERE due <= ?1 AND ifnull(leased_until, 0) <= ?1 ORDER BY due LIMIT ?2"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let chains = statement.query_map(params![now.ms(), limit as i64], |row| row.get(0))?;
    let chains = chains.collect::<rusqlite::Result<Vec<String>>>()?;
    chains.iter().map(|chain| lease_chain(conn, chain, now, until)).collect()
}

fn lease_chain(conn: &Connection, chain: &str, now: Instant, until: Instant) -> Result<Outgoing> {
    note_unknown(conn, chain)?;
    let sql = "UPDATE deliveries SET leased_until = ?2 WHERE chain = ?1 AND state = 'waiting'";
    conn.prepare_cached(sql)?.execute(params![chain, until.ms()])?;
    let sql = "UPDATE deliveries SET sending_since = ?2 WHERE seq =
               (SELECT seq FROM deliveries WHERE chain = ?1 AND state = 'waiting' ORDER BY created_at, seq LIMIT 1)";
    conn.prepare_cached(sql)?.execute(params![chain, now.ms()])?;
    let sql = format!(
        "SELECT {COLUMNS}, e.document FROM deliveries d JOIN events e ON e.seq = d.event
         WHERE d.chain = ?1 AND d.state = 'waiting' ORDER BY d.created_at, d.seq"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([chain])?;
    let mut outgoing = Outgoing { chain: Vec::new() };
    while let Some(row) = rows.next()? {
        let document: String = row.get(COLUMN_COUNT)?;
        outgoing.chain.push((read(row)?, events::read(&document)?));
    }
    Ok(outgoing)
}

/// An attempt that was begun and never recorded ends as unknown.
fn note_unknown(conn: &Connection, chain: &str) -> Result<()> {
    let sql = "SELECT seq, attempts, sending_since FROM deliveries
               WHERE chain = ?1 AND state = 'waiting' AND sending_since IS NOT NULL";
    let mut statement = conn.prepare_cached(sql)?;
    let begun = statement.query_map([chain], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    for (seq, stored, since) in begun.collect::<rusqlite::Result<Vec<(i64, String, i64)>>>()? {
        let mut made = read_attempts(&stored)?;
        made.push(cut_off(Instant::from_ms(since)));
        let sql = "UPDATE deliveries SET attempts = ?2, sending_since = NULL WHERE seq = ?1";
        conn.prepare_cached(sql)?.execute(params![seq, attempts(&made)])?;
    }
    Ok(())
}

/// Writes rows back and frees their chains.
pub(super) fn record(conn: &Connection, rows: &[Delivery], told: &[(IncidentId, Entry)]) -> Result<()> {
    for row in rows {
        let sql =
            "UPDATE deliveries SET state = ?2, due = ?3, attempts = ?4, reason = ?5, leased_until = NULL,
                       sending_since = NULL WHERE id = ?1";
        let values = params![row.id.0, row.state.word(), row.due.ms(), attempts(&row.attempts), row.reason];
        conn.prepare_cached(sql)?.execute(values)?;
        let sql = "UPDATE deliveries SET leased_until = NULL, sending_since = NULL
                   WHERE chain = ?1 AND state = 'waiting'";
        conn.prepare_cached(sql)?.execute([&row.chain])?;
    }
    told.iter()
        .try_for_each(|(incident, entry)| incidents::tell(conn, *incident, std::slice::from_ref(entry)))
}

/// A row of the ledger.
pub(super) fn read(row: &Row<'_>) -> Result<Delivery> {
    let (action, state, stored): (String, String, String) = (row.get(2)?, row.get(4)?, row.get(7)?);
    Ok(Delivery {
        id: DeliveryId(row.get(0)?),
        event: EventId(row.get(1)?),
        action: ActionRef::parse(&action).ok_or_else(|| Fault::damaged("action of a delivery", action))?,
        chain: row.get(3)?,
        state: DeliveryState::parse(&state).ok_or_else(|| Fault::damaged("state of a delivery", state))?,
        created_at: Instant::from_ms(row.get(5)?),
        due: Instant::from_ms(row.get(6)?),
        attempts: read_attempts(&stored)?,
        reason: row.get(8)?,
    })
}

fn attempts(attempts: &[Attempt]) -> String {
    serde_json::to_string(attempts).expect("attempts are JSON")
}

fn read_attempts(text: &str) -> Result<Vec<Attempt>> {
    serde_json::from_str(text).map_err(|error| Fault::damaged("attempts of a delivery", error))
}
