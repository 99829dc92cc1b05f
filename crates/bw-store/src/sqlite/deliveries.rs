//! `Deliveries`: the ledger, as it is read. How rows come and go is in `outbox`.

use super::error::Result;
use super::{Sqlite, events, outbox};
use bw_domain::action::ActionRef;
use bw_domain::delivery::Delivery;
use bw_domain::event::Event;
use bw_domain::id::IncidentId;
use bw_domain::incident::Entry;
use bw_domain::port::store::{Answered, Deliveries, DeliveryFilter, DeliveryItem, Outgoing, Routed};
use bw_domain::time::Instant;
use rusqlite::{Connection, OptionalExtension, params};

impl Deliveries for Sqlite {
    fn raise(&self, events: Vec<Event>) -> Answered<'_, ()> {
        self.write(events.len(), move |tx| events.iter().try_for_each(|event| events::write(tx.conn, event)))
    }

    fn unrouted(&self, limit: usize) -> Answered<'_, Vec<Event>> {
        self.read(move |conn| events::unrouted(conn, limit))
    }

    fn route(&self, routed: Vec<Routed>) -> Answered<'_, ()> {
        self.write(routed.len(), move |tx| {
            routed.iter().try_for_each(|routed| outbox::route(tx.conn, routed))
        })
    }

    fn lease(&self, now: Instant, until: Instant, limit: usize) -> Answered<'_, Vec<Outgoing>> {
        self.write(limit, move |tx| outbox::lease(tx.conn, now, until, limit))
    }

    fn record(&self, rows: Vec<Delivery>, told: Vec<(IncidentId, Entry)>) -> Answered<'_, ()> {
        self.write(rows.len(), move |tx| outbox::record(tx.conn, &rows, &told))
    }

    fn next_due(&self) -> Answered<'_, Option<Instant>> {
        self.read(outbox::next_due)
    }

    fn list(&self, filter: DeliveryFilter) -> Answered<'_, Vec<DeliveryItem>> {
        self.read(move |conn| list(conn, &filter))
    }

    fn backlog(&self) -> Answered<'_, (u64, Option<Instant>)> {
        self.read(|conn| {
            let sql = "SELECT count(*), min(created_at) FROM deliveries WHERE state = 'waiting'";
            let backlog = |row: &rusqlite::Row<'_>| {
                let oldest: Option<i64> = row.get(1)?;
                Ok((row.get::<_, i64>(0)?.unsigned_abs(), oldest.map(Instant::from_ms)))
            };
            Ok(conn.prepare_cached(sql)?.query_row([], backlog)?)
        })
    }

    fn abandon(&self, action: ActionRef, reason: String) -> Answered<'_, u64> {
        self.write(1, move |tx| {
            let sql =
                "UPDATE deliveries SET state = 'dead', reason = ?2, leased_until = NULL, sending_since = NULL
                       WHERE state = 'waiting' AND action = ?1";
            Ok(tx.conn.prepare_cached(sql)?.execute(params![action.to_string(), reason])? as u64)
        })
    }
}

/// Each filter has an index that begins with it and ends with the order of the list.
fn list(conn: &Connection, filter: &DeliveryFilter) -> Result<Vec<DeliveryItem>> {
    let DeliveryFilter { state, monitor, incident, before, limit } = filter;
    let condition = |column: &str, number: u8, given: bool| match given {
        true => format!("d.{column} = ?{number}"),
        false => format!("?{number} IS NULL"),
    };
    let sql = format!(
        "SELECT {}, e.document, d.action_name FROM deliveries d JOIN events e ON e.seq = d.event
         WHERE {} AND {} AND {} AND (d.created_at, d.id) < (?4, ?5)
         ORDER BY d.created_at DESC, d.id DESC LIMIT ?6",
        outbox::COLUMNS,
        condition("state", 1, state.is_some()),
        condition("monitor", 2, monitor.is_some()),
        condition("incident", 3, incident.is_some()),
    );
    let (at, id) = before.map_or((i64::MAX, [0; 16]), |(at, id)| (at.ms(), id.0));
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![
        state.map(|state| state.word()),
        monitor.map(|id| id.0),
        incident.map(|id| id.0),
        at,
        id,
        *limit as i64,
    ])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let document: String = row.get(outbox::COLUMN_COUNT)?;
        items.push(DeliveryItem {
            delivery: outbox::read(row)?,
            event: events::read(&document)?,
            action_name: row.get(outbox::COLUMN_COUNT + 1)?,
        });
    }
    Ok(items)
}

/// What people call an action: kept with the delivery, because it outlives the action.
pub(super) fn action_name(conn: &Connection, action: ActionRef, event: &Event) -> Result<String> {
    let name = match action {
        ActionRef::Declared(id) => {
            let sql = "SELECT name FROM actions WHERE id = ?1";
            conn.prepare_cached(sql)?.query_row([id.0], |row| row.get(0)).optional()?
        }
        ActionRef::MonitorWebhook(_) => {
            event.monitor.as_ref().map(|monitor| format!("webhook of {}", monitor.name))
        }
        ActionRef::HeartbeatService => None,
    };
    Ok(name.unwrap_or_else(|| action.to_string()))
}
