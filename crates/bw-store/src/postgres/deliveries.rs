//! `Deliveries`: the ledger, as it is read. How rows come and go is in `outbox`.

use super::conn::{Conn, Script, get, params, storable};
use super::error::Result;
use super::{Postgres, events, outbox};
use bw_domain::action::ActionRef;
use bw_domain::delivery::Delivery;
use bw_domain::event::Event;
use bw_domain::id::IncidentId;
use bw_domain::incident::Entry;
use bw_domain::port::store::{Answered, Deliveries, DeliveryFilter, DeliveryItem, Outgoing, Routed};
use bw_domain::time::Instant;
use tokio_postgres::Row;

impl Deliveries for Postgres {
    fn raise(&self, events: Vec<Event>) -> Answered<'_, ()> {
        self.call(async move {
            let mut script = Script::default();
            events::write(&mut script, events.iter());
            self.conn().await?.script(&script).await.map(drop)
        })
    }

    fn unrouted(&self, limit: usize) -> Answered<'_, Vec<Event>> {
        self.call(async move { events::unrouted(&self.conn().await?, limit).await })
    }

    fn route(&self, routed: Vec<Routed>) -> Answered<'_, ()> {
        self.call(async move {
            let conn = self.begin().await?;
            let answer = outbox::route(&conn, &routed).await;
            conn.end(answer).await
        })
    }

    fn lease(&self, now: Instant, until: Instant, limit: usize) -> Answered<'_, Vec<Outgoing>> {
        self.call(async move {
            let conn = self.begin().await?;
            let answer = outbox::lease(&conn, now, until, limit).await;
            conn.end(answer).await
        })
    }

    fn record(&self, rows: Vec<Delivery>, told: Vec<(IncidentId, Entry)>) -> Answered<'_, ()> {
        self.call(async move {
            let conn = self.begin().await?;
            let answer = outbox::record(&conn, &rows, &told).await;
            conn.end(answer).await
        })
    }

    fn next_due(&self) -> Answered<'_, Option<Instant>> {
        self.call(async move { outbox::next_due(&self.conn().await?).await })
    }

    fn list(&self, filter: DeliveryFilter) -> Answered<'_, Vec<DeliveryItem>> {
        self.call(async move { list(&self.conn().await?, &filter).await })
    }

    fn backlog(&self) -> Answered<'_, (u64, Option<Instant>)> {
        self.call(async move {
            let sql = "SELECT count(*), min(created_at) FROM deliveries WHERE state = 'waiting'";
            let Some(row) = self.conn().await?.first(sql, params![]).await? else { return Ok((0, None)) };
            let oldest: Option<i64> = get(&row, 1)?;
            Ok((get::<i64>(&row, 0)?.unsigned_abs(), oldest.map(Instant::from_ms)))
        })
    }

    fn abandon(&self, action: ActionRef, reason: String) -> Answered<'_, u64> {
        self.call(async move {
            let sql =
                "UPDATE deliveries SET state = 'dead', reason = $2, leased_until = NULL, sending_since = NULL
                       WHERE state = 'waiting' AND action = $1";
            self.conn().await?.execute(sql, params![action.to_string(), storable(&reason)]).await
        })
    }
}

/// Each filter has an index that begins with it and ends with the order of the list; which one counts is the planner's
/// to say, which sees the values.
async fn list(conn: &Conn, filter: &DeliveryFilter) -> Result<Vec<DeliveryItem>> {
    let DeliveryFilter { state, monitor, incident, before, limit } = filter;
    let sql = "SELECT d.id, e.id, d.action, d.chain, d.state, d.created_at, d.due, d.attempts, d.reason,
                   e.document, d.action_name
               FROM deliveries d JOIN events e ON e.seq = d.event
               WHERE ($1::text IS NULL OR d.state = $1) AND ($2::bigint IS NULL OR d.monitor = $2)
               AND ($3::bigint IS NULL OR d.incident = $3) AND (d.created_at, d.id) < ($4, $5)
               ORDER BY d.created_at DESC, d.id DESC LIMIT $6";
    let (at, id) = before.map_or((i64::MAX, vec![]), |(at, id)| (at.ms(), id.0.to_vec()));
    let values = params![
        state.map(|state| state.word()),
        monitor.map(|id| id.0),
        incident.map(|id| id.0),
        at,
        id,
        *limit as i64,
    ];
    conn.query(sql, values).await?.iter().map(item).collect()
}

fn item(row: &Row) -> Result<DeliveryItem> {
    Ok(DeliveryItem {
        delivery: outbox::read(row)?,
        event: events::read(get(row, outbox::COLUMN_COUNT)?)?,
        action_name: get(row, outbox::COLUMN_COUNT + 1)?,
    })
}
