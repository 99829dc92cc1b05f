//! `Incidents`, and what a commit does to one.

use super::conn::{Conn, Script, get, params, storable};
use super::error::{Fault, Result};
use super::{Postgres, events};
use bw_domain::event::Event;
use bw_domain::id::{IncidentId, MonitorId};
use bw_domain::incident::{Acknowledged, Entry, Incident, IncidentChange};
use bw_domain::limits::TIMELINE_MAX;
use bw_domain::port::store::{Answered, IncidentFilter, IncidentPage, Incidents};
use bw_domain::time::Instant;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;

impl Incidents for Postgres {
    fn spare(&self) -> Answered<'_, IncidentId> {
        self.call(async move {
            let row = self.conn().await?.first("SELECT nextval('incident_ids')", params![]).await?;
            let row = row.ok_or_else(|| Fault::damaged("incident", "no id"))?;
            Ok(IncidentId(get(&row, 0)?))
        })
    }

    fn list(&self, filter: IncidentFilter) -> Answered<'_, IncidentPage> {
        self.call(async move { list(&self.conn().await?, &filter).await })
    }

    fn get(&self, id: IncidentId) -> Answered<'_, Option<(Incident, Vec<Entry>)>> {
        self.call(async move {
            let mut script = Script::default();
            script.push(BY_ID, params![id.0]);
            // Entries that come in between belong to what was read before them, or after it: none is torn.
            let sql = "SELECT at, kind, text FROM timeline WHERE incident = $1 ORDER BY at, id";
            script.push(sql, params![id.0]);
            let answers = self.conn().await?.script(&script).await?;
            let [incident, entries] = &answers[..] else {
                return Err(Fault::damaged("incident", "no answer"));
            };
            let Some(incident) = incident.first().map(read).transpose()? else { return Ok(None) };
            Ok(Some((incident, entries.iter().map(entry).collect::<Result<_>>()?)))
        })
    }

    fn change(&self, change: IncidentChange, events: Vec<Event>) -> Answered<'_, bool> {
        self.call(async move {
            if matches!(change, IncidentChange::Open(..) | IncidentChange::Close { .. }) {
                return Err(Fault::Invalid("incidents open and close with a commit".to_owned()));
            }
            let conn = self.begin().await?;
            let answer = async {
                let sql = "SELECT 1 FROM incidents WHERE id = $1 FOR UPDATE";
                if conn.first(sql, params![change.id().0]).await?.is_none() {
                    return Ok(false);
                }
                let mut script = Script::default();
                write(&mut script, &change, 0);
                let entries: Vec<_> = change.entries().iter().map(|entry| (change.id(), entry)).collect();
                tell(&mut script, &entries);
                events::write(&mut script, events.iter());
                conn.script(&script).await?;
                Ok(true)
            };
            let answer = answer.await;
            conn.end(answer).await
        })
    }
}

/// Writes a change without its entries. An incident opens with the evidence of the failures that led to it: none that
/// is as new as `newer`.
pub(super) fn write(script: &mut Script, change: &IncidentChange, newer: i64) {
    match change {
        IncidentChange::Open(incident, _) => open(script, incident, newer),
        IncidentChange::Update { id, cause, not_observed_since, .. } => {
            if let Some(cause) = cause {
                let sql = "UPDATE incidents SET cause = $2 WHERE id = $1";
                script.push(sql, params![id.0, json(cause)]);
            }
            if let Some(since) = not_observed_since {
                let sql = "UPDATE incidents SET not_observed_since = $2 WHERE id = $1";
                script.push(sql, params![id.0, since.map(Instant::ms)]);
            }
        }
        IncidentChange::Close { id, at, .. } => {
            let sql = "UPDATE incidents SET closed_at = $2, not_observed_since = NULL
                       WHERE id = $1 AND closed_at IS NULL";
            script.push(sql, params![id.0, at.ms()]);
        }
        IncidentChange::Acknowledge { id, acknowledged, .. } => {
            let sql = "UPDATE incidents SET acknowledged_at = $2, acknowledged_by = $3 WHERE id = $1";
            script.push(sql, params![id.0, acknowledged.at.ms(), storable(&acknowledged.by)]);
        }
    }
}

fn open(script: &mut Script, incident: &Incident, newer: i64) {
    let sql = "INSERT INTO incidents (id, monitor, monitor_name, opened_at, first_failure_at, closed_at, cause, scope,
                   acknowledged_at, acknowledged_by, not_observed_since)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let acknowledged = incident.acknowledged.as_ref();
    let row = params![
        incident.id.0,
        incident.monitor.0,
        storable(&incident.monitor_name),
        incident.opened_at.ms(),
        incident.first_failure_at.ms(),
        incident.closed_at.map(Instant::ms),
        json(&incident.cause),
        json(&incident.scope),
        acknowledged.map(|by| by.at.ms()),
        acknowledged.map(|by| storable(&by.by)),
        incident.not_observed_since.map(Instant::ms),
    ];
    script.push(sql, row);
    let sql = "UPDATE evidence SET incident = $1
               WHERE monitor = $2 AND coalesce(incident, 0) = 0 AND at >= $3 AND id < $4";
    let first_failure = incident.first_failure_at.ms();
    script.push(sql, params![incident.id.0, incident.monitor.0, first_failure, newer]);
}

/// Adds entries, in their order. A timeline that is full keeps its first entry and its newest ones.
pub(super) fn tell(script: &mut Script, entries: &[(IncidentId, &Entry)]) {
    if entries.is_empty() {
        return;
    }
    let ids: Vec<i64> = entries.iter().map(|(id, _)| id.0).collect();
    let sql = "INSERT INTO timeline (incident, at, kind, text)
               SELECT t.incident, t.at, t.kind, t.text
               FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[])
                   WITH ORDINALITY t(incident, at, kind, text, n) ORDER BY t.n";
    let values = params![
        ids.clone(),
        entries.iter().map(|(_, entry)| entry.at.ms()).collect::<Vec<i64>>(),
        entries.iter().map(|(_, entry)| json(&entry.kind)).collect::<Vec<String>>(),
        entries.iter().map(|(_, entry)| storable(&entry.text)).collect::<Vec<String>>(),
    ];
    script.push(sql, values);
    let mut told = ids;
    told.sort_unstable();
    told.dedup();
    let sql = "DELETE FROM timeline WHERE id IN (
                   SELECT ranked.id FROM unnest($1::bigint[]) g(incident)
                   CROSS JOIN LATERAL (
                       SELECT x.id, row_number() OVER (ORDER BY x.id) AS first,
                           row_number() OVER (ORDER BY x.id DESC) AS last
                       FROM timeline x WHERE x.incident = g.incident
                   ) ranked WHERE ranked.first > 1 AND ranked.last >= $2)";
    script.push(sql, params![told, TIMELINE_MAX as i64]);
}

const BY_ID: &str = "SELECT id, monitor, monitor_name, opened_at, first_failure_at, closed_at, cause, scope,
    acknowledged_at, acknowledged_by, not_observed_since FROM incidents WHERE id = $1";

fn read(row: &Row) -> Result<Incident> {
    let instant = |index: usize| Ok::<_, Fault>(get::<Option<i64>>(row, index)?.map(Instant::from_ms));
    let by: Option<String> = get(row, 9)?;
    Ok(Incident {
        id: IncidentId(get(row, 0)?),
        monitor: MonitorId(get(row, 1)?),
        monitor_name: get(row, 2)?,
        opened_at: Instant::from_ms(get(row, 3)?),
        first_failure_at: Instant::from_ms(get(row, 4)?),
        closed_at: instant(5)?,
        cause: parse(get(row, 6)?)?,
        scope: parse(get(row, 7)?)?,
        acknowledged: instant(8)?.zip(by).map(|(at, by)| Acknowledged { at, by }),
        not_observed_since: instant(10)?,
    })
}

/// Open ones are few and have an index of their own; the others are read in the order of an index.
async fn list(conn: &Conn, filter: &IncidentFilter) -> Result<IncidentPage> {
    let all = "SELECT id, monitor, monitor_name, opened_at, first_failure_at, closed_at, cause, scope,
                   acknowledged_at, acknowledged_by, not_observed_since FROM incidents
               WHERE ($1::boolean IS NULL OR $1 = (closed_at IS NULL)) AND id < $2 ORDER BY id DESC LIMIT $3";
    let open = "SELECT id, monitor, monitor_name, opened_at, first_failure_at, closed_at, cause, scope,
                   acknowledged_at, acknowledged_by, not_observed_since FROM incidents
               WHERE $1 AND closed_at IS NULL AND id < $2 ORDER BY id DESC LIMIT $3";
    let of = "SELECT id, monitor, monitor_name, opened_at, first_failure_at, closed_at, cause, scope,
                   acknowledged_at, acknowledged_by, not_observed_since FROM incidents
               WHERE ($1::boolean IS NULL OR $1 = (closed_at IS NULL)) AND id < $2 AND monitor = $4
               ORDER BY id DESC LIMIT $3";
    let before = filter.before.map_or(i64::MAX, |id| id.0);
    let wanted = filter.limit as i64 + 1;
    let rows = match (filter.monitor, filter.open) {
        (Some(monitor), _) => conn.query(of, params![filter.open, before, wanted, monitor.0]).await?,
        (None, Some(true)) => conn.query(open, params![true, before, wanted]).await?,
        (None, _) => conn.query(all, params![filter.open, before, wanted]).await?,
    };
    let mut items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let more = items.len() > filter.limit;
    items.truncate(filter.limit);
    let next = items.last().filter(|_| more).map(|incident| incident.id);
    Ok(IncidentPage { items, next })
}

fn entry(row: &Row) -> Result<Entry> {
    Ok(Entry::new(Instant::from_ms(get(row, 0)?), parse(get(row, 1)?)?, get::<String>(row, 2)?))
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data is JSON")
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Fault::damaged("row of an incident", error))
}
