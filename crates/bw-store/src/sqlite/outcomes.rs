//! `Outcomes`: history. Ranges are answered from rows; sealed blocks will answer for the days that have ended.

use super::error::{Fault, Result};
use super::memory::Head;
use super::periods::{self, period_of};
use super::{Sqlite, commit, retain};
use crate::evidence::bounded;
use crate::pack;
use bw_domain::id::{EvidenceId, IncidentId, MonitorId};
use bw_domain::job::OutcomeKey;
use bw_domain::limits::EVIDENCE_PER_INCIDENT;
use bw_domain::monitor::Vantage;
use bw_domain::outcome::{Certificate, Evidence, Outcome};
use bw_domain::port::store::{Answered, EvidenceRow, Gap, OutcomeQuery, OutcomeRow, Outcomes, TransitionRow};
use bw_domain::schedule::shard_of;
use bw_domain::state::Health;
use bw_domain::time::Instant;
use rusqlite::{Connection, OptionalExtension, Row, params};

impl Outcomes for Sqlite {
    fn range(&self, query: OutcomeQuery) -> Answered<'_, Vec<OutcomeRow>> {
        let head = self.head(query.monitor);
        self.read(move |conn| range(conn, head, &query))
    }

    fn known(&self, keys: Vec<OutcomeKey>) -> Answered<'_, Vec<bool>> {
        let memory = self.memory();
        let remembered: Vec<Option<bool>> = keys
            .iter()
            .map(|key| {
                memory.rows.get(&key.monitor).and_then(|row| commit::remembers(row, &memory.desk, key))
            })
            .collect();
        let heads: Vec<Head> = keys.iter().map(|key| memory.head(key.monitor)).collect();
        drop(memory);
        if let Some(known) = remembered.iter().copied().collect() {
            return super::ready(known);
        }
        self.read(move |conn| {
            let asked = remembered.into_iter().zip(keys.iter().zip(heads));
            asked
                .map(|(known, (key, head))| known.map_or_else(|| periods::contains(conn, head, key), Ok))
                .collect()
        })
    }

    fn gaps(&self, monitor: MonitorId, from: Instant, to: Instant) -> Answered<'_, Vec<Gap>> {
        self.read(move |conn| gaps(conn, shard_of(monitor), from, to))
    }

    fn evidence(&self, id: EvidenceId) -> Answered<'_, Option<EvidenceRow>> {
        self.read(move |conn| {
            let sql = format!("SELECT {EVIDENCE} FROM evidence WHERE id = ?1");
            let row = conn.prepare_cached(&sql)?.query_row([id.0], |row| Ok(read_evidence(row)));
            row.optional()?.transpose()
        })
    }

    fn evidence_of(
        &self,
        monitor: MonitorId,
        incident: Option<IncidentId>,
        limit: usize,
    ) -> Answered<'_, Vec<EvidenceRow>> {
        self.read(move |conn| {
            let of = if incident.is_some() {
                "incident = ?2 AND monitor = ?1"
            } else {
                "monitor = ?1 AND ?2 IS NULL"
            };
            let sql = format!("SELECT {EVIDENCE} FROM evidence WHERE {of} ORDER BY id DESC LIMIT ?3");
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query(params![monitor.0, incident.map(|id| id.0), limit as i64])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read_evidence(row)?);
            }
            Ok(found)
        })
    }

    fn certificate(&self, monitor: MonitorId) -> Answered<'_, Option<Certificate>> {
        self.read(move |conn| {
            let sql = "SELECT certificate FROM certificates WHERE monitor = ?1 ORDER BY seen_at DESC LIMIT 1";
            let text: Option<String> =
                conn.prepare_cached(sql)?.query_row([monitor.0], |row| row.get(0)).optional()?;
            let parse =
                |text: String| serde_json::from_str(&text).map_err(|e| Fault::damaged("certificate", e));
            text.map(parse).transpose()
        })
    }

    fn transitions(&self, monitor: MonitorId, limit: usize) -> Answered<'_, Vec<TransitionRow>> {
        self.read(move |conn| transitions(conn, monitor, limit))
    }

    fn retain(&self, now: Instant) -> Answered<'_, usize> {
        Box::pin(retain::retain(self, now))
    }
}

impl Sqlite {
    /// The newest end of a monitor's chain, read before its transaction begins: the rows are there then.
    fn head(&self, monitor: MonitorId) -> Head {
        self.memory().head(monitor)
    }
}

impl super::memory::Memory {
    fn head(&self, monitor: MonitorId) -> Head {
        self.rows.get(&monitor).map_or_else(Head::default, |row| row.head)
    }
}

/// Period by period from the newest, until there is enough.
fn range(conn: &Connection, head: Head, query: &OutcomeQuery) -> Result<Vec<OutcomeRow>> {
    let OutcomeQuery { monitor, from, to, verdict, repeats, limit } = *query;
    let mut found: Vec<OutcomeRow> = Vec::new();
    if to <= from {
        return Ok(found);
    }
    let (first, last) =
        (period_of(from.max(Instant::ZERO))?, period_of(to.clamp(Instant::ZERO, Instant::MAX))?);
    let sql = "SELECT period FROM periods WHERE period BETWEEN ?1 AND ?2 ORDER BY period DESC";
    let mut statement = conn.prepare_cached(sql)?;
    let periods =
        statement.query_map([first, last], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i32>>>()?;
    for period in periods {
        let begin = found.len();
        periods::walk(conn, monitor, head, period, |stored| {
            let row = stored.row;
            let wanted = (from..to).contains(&row.key.slot)
                && verdict.is_none_or(|verdict| row.verdict == verdict)
                && (repeats || row.key.r#try == 0);
            if wanted {
                found.push(row);
            }
            true
        })?;
        let order = |row: &OutcomeRow| (row.key.slot, row.key.r#try, row.key.vantage);
        found[begin..].sort_unstable_by_key(|row| std::cmp::Reverse(order(row)));
        if found.len() >= limit {
            found.truncate(limit);
            break;
        }
    }
    Ok(found)
}

fn gaps(conn: &Connection, shard: u16, from: Instant, to: Instant) -> Result<Vec<Gap>> {
    let sql = "SELECT from_at, to_at, code FROM gaps WHERE shard = ?1 AND to_at >= ?2 AND from_at < ?3 ORDER BY to_at";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![shard, from.ms(), to.ms()])?;
    let mut gaps = Vec::new();
    while let Some(row) = rows.next()? {
        let (from, to) = (Instant::from_ms(row.get(0)?), Instant::from_ms(row.get(1)?));
        gaps.push(Gap { shard, from, to, code: pack::read_code(row.get(2)?)? });
    }
    Ok(gaps)
}

fn transitions(conn: &Connection, monitor: MonitorId, limit: usize) -> Result<Vec<TransitionRow>> {
    let sql = "SELECT at, since, from_health, to_health, code, text FROM transitions
               WHERE monitor = ?1 ORDER BY id DESC LIMIT ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![monitor.0, limit as i64])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(TransitionRow {
            at: Instant::from_ms(row.get(0)?),
            since: Instant::from_ms(row.get(1)?),
            from: health(row.get(2)?)?,
            to: health(row.get(3)?)?,
            code: pack::read_code(row.get(4)?)?,
            text: row.get(5)?,
        });
    }
    Ok(found)
}

fn health(word: String) -> Result<Health> {
    Health::parse(&word).ok_or_else(|| Fault::damaged("health", word))
}

const EVIDENCE: &str = "id, monitor, vantage, slot, try, incident, at, code, evidence";

fn read_evidence(row: &Row<'_>) -> Result<EvidenceRow> {
    let evidence: String = row.get(8)?;
    Ok(EvidenceRow {
        id: EvidenceId(row.get(0)?),
        key: OutcomeKey {
            monitor: MonitorId(row.get(1)?),
            vantage: Vantage::from_number(row.get(2)?),
            slot: Instant::from_ms(row.get(3)?),
            r#try: row.get(4)?,
        },
        incident: row.get::<_, Option<i64>>(5)?.map(IncidentId),
        at: Instant::from_ms(row.get(6)?),
        code: pack::read_code(row.get(7)?)?,
        evidence: serde_json::from_str(&evidence).map_err(|error| Fault::damaged("evidence", error))?,
    })
}

/// Keeps a piece of evidence. An incident (or a monitor without one) that has its share keeps its first and its newest.
pub(super) fn write_evidence(
    conn: &Connection,
    incident: Option<IncidentId>,
    outcome: &Outcome,
    evidence: &Evidence,
) -> Result<EvidenceId> {
    let key = outcome.job.key();
    let (monitor, incident) = (key.monitor.0, incident.map(|id| id.0));
    let sql = "INSERT INTO evidence (monitor, vantage, slot, try, incident, at, code, evidence)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    conn.prepare_cached(sql)?.execute(params![
        monitor,
        key.vantage.number(),
        key.slot.ms(),
        key.r#try,
        incident,
        outcome.at.ms(),
        outcome.code.number(),
        bounded(evidence),
    ])?;
    let id = EvidenceId(conn.last_insert_rowid());
    let sql = "DELETE FROM evidence WHERE id =
                   (SELECT id FROM evidence WHERE monitor = ?1 AND incident IS ?2 ORDER BY id LIMIT 1 OFFSET 1)
               AND (SELECT count(*) FROM evidence WHERE monitor = ?1 AND incident IS ?2) > ?3";
    conn.prepare_cached(sql)?.execute(params![monitor, incident, EVIDENCE_PER_INCIDENT as i64])?;
    Ok(id)
}
