//! How deliveries come into being, are leased, and are written back.
//!
//! Rows of one chain go out in the order of their events, so a chain is leased as a whole, and nodes choose one after
//! the other. A lease that ends without a record means that the process died in between: the sink may have the message,
//! and the ledger says so. Nobody can tell a process that died from one that is slow, so its leases end with their time.

use super::conn::{Conn, Script, get, params, storable};
use super::error::{Fault, Result};
use super::lock::Lock;
use super::{events, incidents};
use crate::evidence::cut_off;
use bw_domain::action::ActionRef;
use bw_domain::delivery::{Attempt, Delivery, DeliveryState};
use bw_domain::event::Event;
use bw_domain::id::{DeliveryId, EventId, IncidentId};
use bw_domain::incident::Entry;
use bw_domain::port::store::{Outgoing, Routed};
use bw_domain::time::Instant;
use std::collections::HashMap;
use tokio_postgres::Row;

/// How many columns [`read`] reads, from the first.
pub(super) const COLUMN_COUNT: usize = 9;

/// Writes the deliveries of events, each once.
pub(super) async fn route(conn: &Conn, routed: &[Routed]) -> Result<()> {
    let mark =
        "UPDATE events SET routed = true, reasons = $2 WHERE id = $1 AND NOT routed RETURNING seq, document";
    let mut script = Script::default();
    // In one order, so that two nodes that route the same events do not wait for each other in a circle.
    let mut order: Vec<&Routed> = routed.iter().collect();
    order.sort_by_key(|routed| routed.event);
    for routed in &order {
        script.push(mark, params![routed.event.0.to_vec(), routed.reasons.to_string()]);
    }
    let marked = conn.script(&script).await?;
    let mut script = Script::default();
    let names = action_names(conn, routed).await?;
    let mut fresh: Vec<(&Routed, i64, Event)> = Vec::new();
    for (routed, rows) in order.into_iter().zip(&marked) {
        let Some(row) = rows.first() else { continue };
        fresh.push((routed, get(row, 0)?, events::read(get(row, 1)?)?));
    }
    // As their events were written.
    fresh.sort_by_key(|(_, seq, _)| *seq);
    for (routed, seq, event) in &fresh {
        for delivery in &routed.deliveries {
            insert(&mut script, *seq, (event, &names), delivery);
        }
    }
    conn.script(&script).await.map(drop)
}

fn insert(
    script: &mut Script,
    seq: i64,
    (event, names): (&Event, &HashMap<i64, String>),
    delivery: &Delivery,
) {
    let sql = "INSERT INTO deliveries (id, event, action, action_name, chain, state, created_at, due, attempts, reason,
                   monitor, incident)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING";
    let row = params![
        delivery.id.0.to_vec(),
        seq,
        delivery.action.to_string(),
        storable(&action_name(names, delivery.action, event)),
        storable(&delivery.chain),
        delivery.state.word(),
        delivery.created_at.ms(),
        delivery.due.ms(),
        attempts(&delivery.attempts),
        storable(&delivery.reason),
        event.monitor.as_ref().map(|monitor| monitor.id.0),
        event.incident.as_ref().map(|incident| incident.id.0),
    ];
    script.push(sql, row);
}

/// What people call an action: kept with the delivery, because it outlives the action.
fn action_name(names: &HashMap<i64, String>, action: ActionRef, event: &Event) -> String {
    let name = match action {
        ActionRef::Declared(id) => names.get(&id.0).cloned(),
        ActionRef::MonitorWebhook(_) => {
            event.monitor.as_ref().map(|monitor| format!("webhook of {}", monitor.name))
        }
        ActionRef::HeartbeatService => None,
    };
    name.unwrap_or_else(|| action.to_string())
}

async fn action_names(conn: &Conn, routed: &[Routed]) -> Result<HashMap<i64, String>> {
    let declared = |delivery: &Delivery| match delivery.action {
        ActionRef::Declared(id) => Some(id.0),
        ActionRef::MonitorWebhook(_) | ActionRef::HeartbeatService => None,
    };
    let ids: Vec<i64> = routed.iter().flat_map(|routed| &routed.deliveries).filter_map(declared).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = conn.query("SELECT id, name FROM actions WHERE id = ANY($1)", params![ids]).await?;
    rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect()
}

/// When the first chain may be leased.
pub(super) async fn next_due(conn: &Conn) -> Result<Option<Instant>> {
    let sql = "SELECT min(greatest(head.due, coalesce(head.leased_until, 0)))
               FROM (SELECT DISTINCT ON (chain) due, leased_until FROM deliveries
                     WHERE state = 'waiting' ORDER BY chain, created_at, seq) head";
    let row = conn.first(sql, params![]).await?;
    let due = row.map(|row| get::<Option<i64>>(&row, 0)).transpose()?;
    Ok(due.flatten().map(Instant::from_ms))
}

/// Leases the chains that have been due longest.
pub(super) async fn lease(conn: &Conn, now: Instant, until: Instant, limit: usize) -> Result<Vec<Outgoing>> {
    Lock::Sends.take(conn).await?;
    let sql = "SELECT head.chain
               FROM (SELECT DISTINCT ON (chain) chain, due, leased_until FROM deliveries
                     WHERE state = 'waiting' ORDER BY chain, created_at, seq) head
               WHERE head.due <= $1 AND coalesce(head.leased_until, 0) <= $1 ORDER BY head.due, head.chain LIMIT $2";
    let rows = conn.query(sql, params![now.ms(), limit as i64]).await?;
    let chains = rows.iter().map(|row| get(row, 0)).collect::<Result<Vec<String>>>()?;
    if chains.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT d.id, e.id, d.action, d.chain, d.state, d.created_at, d.due, d.attempts, d.reason,
                   e.document, d.seq, d.sending_since
               FROM deliveries d JOIN events e ON e.seq = d.event
               WHERE d.chain = ANY($1) AND d.state = 'waiting' ORDER BY d.created_at, d.seq FOR UPDATE OF d";
    let rows = conn.query(sql, params![chains.clone()]).await?;
    let mut outgoing: Vec<Outgoing> = chains.iter().map(|_| Outgoing { chain: Vec::new() }).collect();
    let place: HashMap<&str, usize> =
        chains.iter().enumerate().map(|(place, chain)| (chain.as_str(), place)).collect();
    let mut script = Script::default();
    for row in &rows {
        let mut delivery = read(row)?;
        let (seq, begun): (i64, Option<i64>) = (get(row, 10)?, get(row, 11)?);
        delivery.attempts.extend(begun.map(|begun| cut_off(Instant::from_ms(begun))));
        let chain = place.get(delivery.chain.as_str()).map(|place| &mut outgoing[*place].chain);
        let Some(chain) = chain else { continue };
        let begins = chain.is_empty().then_some(now.ms());
        let sql = "UPDATE deliveries SET leased_until = $2, sending_since = $3, attempts = $4 WHERE seq = $1";
        script.push(sql, params![seq, until.ms(), begins, attempts(&delivery.attempts)]);
        chain.push((delivery, events::read(get(row, COLUMN_COUNT)?)?));
    }
    conn.script(&script).await?;
    outgoing.retain(|outgoing| !outgoing.chain.is_empty());
    Ok(outgoing)
}

/// Writes rows back and frees their chains.
pub(super) async fn record(conn: &Conn, rows: &[Delivery], told: &[(IncidentId, Entry)]) -> Result<()> {
    let mut script = Script::default();
    for row in rows {
        let sql =
            "UPDATE deliveries SET state = $2, due = $3, attempts = $4, reason = $5, leased_until = NULL,
                       sending_since = NULL WHERE id = $1";
        let values = params![
            row.id.0.to_vec(),
            row.state.word(),
            row.due.ms(),
            attempts(&row.attempts),
            storable(&row.reason)
        ];
        script.push(sql, values);
    }
    let mut chains: Vec<String> = rows.iter().map(|row| storable(&row.chain)).collect();
    chains.sort_unstable();
    chains.dedup();
    let sql = "UPDATE deliveries SET leased_until = NULL, sending_since = NULL
               WHERE chain = ANY($1) AND state = 'waiting'";
    script.push(sql, params![chains]);
    let told: Vec<(IncidentId, &Entry)> = told.iter().map(|(incident, entry)| (*incident, entry)).collect();
    incidents::tell(&mut script, &told);
    conn.script(&script).await.map(drop)
}

/// A row of the ledger.
pub(super) fn read(row: &Row) -> Result<Delivery> {
    let (action, state): (&str, &str) = (get(row, 2)?, get(row, 4)?);
    Ok(Delivery {
        id: DeliveryId(id_of(get(row, 0)?)?),
        event: EventId(id_of(get(row, 1)?)?),
        action: ActionRef::parse(action).ok_or_else(|| Fault::damaged("action of a delivery", action))?,
        chain: get(row, 3)?,
        state: DeliveryState::parse(state).ok_or_else(|| Fault::damaged("state of a delivery", state))?,
        created_at: Instant::from_ms(get(row, 5)?),
        due: Instant::from_ms(get(row, 6)?),
        attempts: serde_json::from_str(get(row, 7)?)
            .map_err(|error| Fault::damaged("attempts of a delivery", error))?,
        reason: get(row, 8)?,
    })
}

fn id_of(bytes: &[u8]) -> Result<[u8; 16]> {
    bytes.try_into().map_err(|error| Fault::damaged("id of a delivery", error))
}

fn attempts(attempts: &[Attempt]) -> String {
    serde_json::to_string(attempts).expect("attempts are JSON")
}
