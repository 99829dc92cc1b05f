//! `Incidents`, and what a commit does to one.

use super::error::{Fault, Result};
use super::{Sqlite, events, ready};
use bw_domain::event::Event;
use bw_domain::id::{IncidentId, MonitorId};
use bw_domain::incident::{Acknowledged, Entry, Incident, IncidentChange};
use bw_domain::limits::TIMELINE_MAX;
use bw_domain::port::store::{Answered, IncidentFilter, IncidentPage, Incidents};
use bw_domain::time::Instant;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::atomic::Ordering::Relaxed;

impl Incidents for Sqlite {
    fn spare(&self) -> Answered<'_, IncidentId> {
        ready(IncidentId(self.spare.fetch_add(1, Relaxed)))
    }

    fn list(&self, filter: IncidentFilter) -> Answered<'_, IncidentPage> {
        self.read(move |conn| list(conn, &filter))
    }

    fn get(&self, id: IncidentId) -> Answered<'_, Option<(Incident, Vec<Entry>)>> {
        self.read(move |conn| {
            let incident = by_id(conn, id)?;
            incident.map(|incident| Ok((incident, timeline(conn, id)?))).transpose()
        })
    }

    fn change(&self, change: IncidentChange, events: Vec<Event>) -> Answered<'_, bool> {
        self.write(1, move |tx| {
            if matches!(change, IncidentChange::Open(..) | IncidentChange::Close { .. }) {
                return Err(Fault::Invalid("incidents open and close with a commit".to_owned()));
            }
            if by_id(tx.conn, change.id())?.is_none() {
                return Ok(false);
            }
            write(tx.conn, &change)?;
            events.iter().try_for_each(|event| events::write(tx.conn, event))?;
            Ok(true)
        })
    }
}

/// Writes a change with its entries.
pub(super) fn write(conn: &Connection, change: &IncidentChange) -> Result<()> {
    match change {
        IncidentChange::Open(incident, _) => open(conn, incident)?,
        IncidentChange::Update { id, cause, not_observed_since, .. } => {
            if let Some(cause) = cause {
                conn.prepare_cached("UPDATE incidents SET cause = ?2 WHERE id = ?1")?
                    .execute(params![id.0, json(cause)])?;
            }
            if let Some(since) = not_observed_since {
                conn.prepare_cached("UPDATE incidents SET not_observed_since = ?2 WHERE id = ?1")?
                    .execute(params![id.0, since.map(Instant::ms)])?;
            }
        }
        IncidentChange::Close { id, at, .. } => {
            let sql = "UPDATE incidents SET closed_at = ?2, not_observed_since = NULL
                       WHERE id = ?1 AND closed_at IS NULL";
            conn.prepare_cached(sql)?.execute(params![id.0, at.ms()])?;
        }
        IncidentChange::Acknowledge { id, acknowledged, .. } => {
            let sql = "UPDATE incidents SET acknowledged_at = ?2, acknowledged_by = ?3 WHERE id = ?1";
            conn.prepare_cached(sql)?.execute(params![id.0, acknowledged.at.ms(), acknowledged.by])?;
        }
    }
    tell(conn, change.id(), change.entries())
}

/// An incident opens with the evidence of the failures that led to it.
fn open(conn: &Connection, incident: &Incident) -> Result<()> {
    let sql = "INSERT INTO incidents (id, monitor, monitor_name, opened_at, first_failure_at, closed_at, cause, scope,
                   acknowledged_at, acknowledged_by, not_observed_since)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    conn.prepare_cached(sql)?.execute(params![
        incident.id.0,
        incident.monitor.0,
        incident.monitor_name,
        incident.opened_at.ms(),
        incident.first_failure_at.ms(),
        incident.closed_at.map(Instant::ms),
        json(&incident.cause),
        json(&incident.scope),
        incident.acknowledged.as_ref().map(|by| by.at.ms()),
        incident.acknowledged.as_ref().map(|by| &by.by),
        incident.not_observed_since.map(Instant::ms),
    ])?;
    let sql = "UPDATE evidence SET incident = ?1 WHERE monitor = ?2 AND incident IS NULL AND at >= ?3";
    let first_failure = incident.first_failure_at.ms();
    conn.prepare_cached(sql)?.execute(params![incident.id.0, incident.monitor.0, first_failure])?;
    Ok(())
}

/// Adds entries. A timeline that is full keeps its first entry and its newest ones.
pub(super) fn tell(conn: &Connection, id: IncidentId, entries: &[Entry]) -> Result<()> {
    for entry in entries {
        let sql = "INSERT INTO timeline (incident, at, kind, text) VALUES (?1, ?2, ?3, ?4)";
        let row = params![id.0, entry.at.ms(), json(&entry.kind), entry.text];
        conn.prepare_cached(sql)?.execute(row)?;
        let sql = "DELETE FROM timeline WHERE id =
                       (SELECT id FROM timeline WHERE incident = ?1 ORDER BY id LIMIT 1 OFFSET 1)
                   AND (SELECT count(*) FROM timeline WHERE incident = ?1) > ?2";
        conn.prepare_cached(sql)?.execute(params![id.0, TIMELINE_MAX as i64])?;
    }
    Ok(())
}

const COLUMNS: &str = "id, monitor, monitor_name, opened_at, first_failure_at, closed_at, cause, scope, \
                       acknowledged_at, acknowledged_by, not_observed_since";

fn read(row: &Row<'_>) -> Result<Incident> {
    let instant = |index: usize| Ok::<_, Fault>(row.get::<_, Option<i64>>(index)?.map(Instant::from_ms));
    let by: Option<String> = row.get(9)?;
    Ok(Incident {
        id: IncidentId(row.get(0)?),
        monitor: MonitorId(row.get(1)?),
        monitor_name: row.get(2)?,
        opened_at: Instant::from_ms(row.get(3)?),
        first_failure_at: Instant::from_ms(row.get(4)?),
        closed_at: instant(5)?,
        cause: parse(row.get(6)?)?,
        scope: parse(row.get(7)?)?,
        acknowledged: instant(8)?.zip(by).map(|(at, by)| Acknowledged { at, by }),
        not_observed_since: instant(10)?,
    })
}

fn by_id(conn: &Connection, id: IncidentId) -> Result<Option<Incident>> {
    let sql = format!("SELECT {COLUMNS} FROM incidents WHERE id = ?1");
    conn.prepare_cached(&sql)?.query_row([id.0], |row| Ok(read(row))).optional()?.transpose()
}

fn list(conn: &Connection, filter: &IncidentFilter) -> Result<IncidentPage> {
    // Open ones are few and have an index of their own; the others are read in the order of an index.
    let open = match filter.open {
        Some(true) => "AND closed_at IS NULL",
        Some(false) => "AND closed_at IS NOT NULL",
        None => "",
    };
    let monitor = if filter.monitor.is_some() { "monitor = ?1" } else { "?1 IS NULL" };
    let sql = format!(
        "SELECT {COLUMNS} FROM incidents WHERE {monitor} AND id < ?2 {open} ORDER BY id DESC LIMIT ?3"
    );
    let before = filter.before.map_or(i64::MAX, |id| id.0);
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows =
        statement.query(params![filter.monitor.map(|id| id.0), before, filter.limit as i64 + 1])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(read(row)?);
    }
    let more = items.len() > filter.limit;
    items.truncate(filter.limit);
    let next = items.last().filter(|_| more).map(|incident| incident.id);
    Ok(IncidentPage { items, next })
}

fn timeline(conn: &Connection, id: IncidentId) -> Result<Vec<Entry>> {
    let sql = "SELECT at, kind, text FROM timeline WHERE incident = ?1 ORDER BY at, id";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([id.0])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(Entry::new(
            Instant::from_ms(row.get(0)?),
            parse(row.get(1)?)?,
            row.get::<_, String>(2)?,
        ));
    }
    Ok(entries)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data is JSON")
}

fn parse<T: DeserializeOwned>(text: String) -> Result<T> {
    serde_json::from_str(&text).map_err(|error| Fault::damaged("row of an incident", error))
}
