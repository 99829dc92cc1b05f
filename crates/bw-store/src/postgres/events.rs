//! Events as rows: the document whole, and whether it was routed. An id is written once.

use super::conn::{Conn, Script, get, params};
use super::error::{Fault, Result};
use bw_domain::event::Event;

/// Writes events unless they are known, in their order.
pub(super) fn write<'e>(script: &mut Script, events: impl Iterator<Item = &'e Event>) {
    let (mut ids, mut instants, mut documents) = (Vec::new(), Vec::new(), Vec::new());
    for event in events {
        ids.push(event.id.0.to_vec());
        instants.push(event.at.ms());
        documents.push(serde_json::to_string(event).expect("an event is JSON"));
    }
    if ids.is_empty() {
        return;
    }
    let sql = "INSERT INTO events (id, at, document)
               SELECT e.id, e.at, e.document
               FROM unnest($1::bytea[], $2::bigint[], $3::text[]) WITH ORDINALITY e(id, at, document, n)
               ORDER BY e.n ON CONFLICT (id) DO NOTHING";
    script.push(sql, params![ids, instants, documents]);
}

/// The document of a row.
pub(super) fn read(document: &str) -> Result<Event> {
    serde_json::from_str(document).map_err(|error| Fault::damaged("document of an event", error))
}

/// Events that no route has seen, oldest first.
pub(super) async fn unrouted(conn: &Conn, limit: usize) -> Result<Vec<Event>> {
    let sql = "SELECT document FROM events WHERE NOT routed ORDER BY seq LIMIT $1";
    let rows = conn.query(sql, params![limit as i64]).await?;
    rows.iter().map(|row| read(get(row, 0)?)).collect()
}
