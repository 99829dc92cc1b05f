//! Events as rows: the document whole, and whether it was routed. An id is written once.

use super::error::{Fault, Result};
use bw_domain::event::Event;
use rusqlite::{Connection, params};

/// Writes an event unless it is known.
pub(super) fn write(conn: &Connection, event: &Event) -> Result<()> {
    let document = serde_json::to_string(event).expect("an event is JSON");
    let sql = "INSERT INTO events (id, at, document) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING";
    conn.prepare_cached(sql)?.execute(params![event.id.0, event.at.ms(), document])?;
    Ok(())
}

/// The document of a row.
pub(super) fn read(document: &str) -> Result<Event> {
    serde_json::from_str(document).map_err(|error| Fault::damaged("document of an event", error))
}

/// Events that no route has seen, oldest first.
pub(super) fn unrouted(conn: &Connection, limit: usize) -> Result<Vec<Event>> {
    let sql = "SELECT document FROM events WHERE routed = 0 ORDER BY seq LIMIT ?1";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([limit as i64])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(read(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(events)
}
