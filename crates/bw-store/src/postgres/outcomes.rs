//! `Outcomes`: history. A range is read backwards along the key, day after day, and ends with its limit.

use super::conn::{Script, get, params};
use super::error::{Fault, Result};
use super::{Postgres, commit, leases, retain};
use crate::pack;
use bw_domain::id::{EvidenceId, IncidentId, MonitorId};
use bw_domain::job::OutcomeKey;
use bw_domain::monitor::Vantage;
use bw_domain::outcome::Certificate;
use bw_domain::port::store::{Answered, EvidenceRow, Gap, OutcomeQuery, OutcomeRow, Outcomes, TransitionRow};
use bw_domain::schedule::shard_of;
use bw_domain::state::Health;
use bw_domain::time::Instant;
use std::collections::HashSet;
use tokio_postgres::Row;

impl Outcomes for Postgres {
    fn range(&self, query: OutcomeQuery) -> Answered<'_, Vec<OutcomeRow>> {
        self.call(async move {
            let OutcomeQuery { monitor, from, to, verdict, repeats, limit } = query;
            let sql =
                "SELECT monitor, slot, try, vantage, at, revision, result, status, latency, phases, evidence
                       FROM outcomes WHERE monitor = $1 AND slot >= $2 AND slot < $3
                       AND ($4::smallint IS NULL OR result & 3 = $4) AND ($5 OR try = 0)
                       ORDER BY slot DESC, try DESC, vantage DESC LIMIT $6";
            let verdict = verdict.map(|verdict| i16::from(verdict.number()));
            let values = params![monitor.0, from.ms(), to.ms(), verdict, repeats, limit as i64];
            self.conn().await?.query(sql, values).await?.iter().map(outcome).collect()
        })
    }

    fn known(&self, keys: Vec<OutcomeKey>) -> Answered<'_, Vec<bool>> {
        self.call(async move {
            let mut script = Script::default();
            leases::accounted(&mut script);
            let longs = |of: fn(&OutcomeKey) -> i64| keys.iter().map(of).collect::<Vec<i64>>();
            let tries = keys.iter().map(|key| i16::from(key.r#try)).collect();
            let vantages = keys.iter().map(|key| key.vantage.number() as i32).collect();
            let places = [longs(|key| key.monitor.0), longs(|key| key.slot.ms())];
            commit::known(&mut script, places, tries, vantages);
            let answers = self.conn().await?.script(&script).await?;
            let [accounted, stored] = &answers[..] else { return Err(Fault::damaged("keys", "no answer")) };
            let accounted = leases::read_accounted(accounted)?;
            let stored: HashSet<i64> = stored.iter().map(|row| get(row, 0)).collect::<Result<_>>()?;
            let is_known = |(place, key): (i64, &OutcomeKey)| {
                let accounted = accounted.get(usize::from(shard_of(key.monitor)));
                stored.contains(&place) || key.r#try == 0 && accounted.is_some_and(|mark| key.slot <= *mark)
            };
            Ok((1..).zip(&keys).map(is_known).collect())
        })
    }

    fn gaps(&self, monitor: MonitorId, from: Instant, to: Instant) -> Answered<'_, Vec<Gap>> {
        self.call(async move {
            let shard = shard_of(monitor);
            let sql = "SELECT from_at, to_at, code FROM gaps
                       WHERE shard = $1 AND to_at >= $2 AND from_at < $3 ORDER BY to_at";
            let rows = self.conn().await?.query(sql, params![shard as i16, from.ms(), to.ms()]).await?;
            let gap = |row: &Row| {
                let (from, to) = (Instant::from_ms(get(row, 0)?), Instant::from_ms(get(row, 1)?));
                let code = pack::read_code(i64::from(get::<i16>(row, 2)?))?;
                Ok(Gap { shard, from, to, code })
            };
            rows.iter().map(gap).collect()
        })
    }

    fn evidence(&self, id: EvidenceId) -> Answered<'_, Option<EvidenceRow>> {
        self.call(async move {
            let sql = "SELECT id, monitor, vantage, slot, try, incident, at, code, evidence
                       FROM evidence WHERE id = $1";
            self.conn().await?.first(sql, params![id.0]).await?.as_ref().map(evidence).transpose()
        })
    }

    fn evidence_of(
        &self,
        monitor: MonitorId,
        incident: Option<IncidentId>,
        limit: usize,
    ) -> Answered<'_, Vec<EvidenceRow>> {
        self.call(async move {
            let conn = self.conn().await?;
            let all = "SELECT id, monitor, vantage, slot, try, incident, at, code, evidence
                       FROM evidence WHERE monitor = $1 ORDER BY id DESC LIMIT $2";
            let of = "SELECT id, monitor, vantage, slot, try, incident, at, code, evidence
                      FROM evidence WHERE monitor = $1 AND coalesce(incident, 0) = $3 ORDER BY id DESC LIMIT $2";
            let limit = limit as i64;
            let rows = match incident {
                Some(incident) => conn.query(of, params![monitor.0, limit, incident.0]).await?,
                None => conn.query(all, params![monitor.0, limit]).await?,
            };
            rows.iter().map(evidence).collect()
        })
    }

    fn certificate(&self, monitor: MonitorId) -> Answered<'_, Option<Certificate>> {
        self.call(async move {
            let sql = "SELECT certificate FROM certificates WHERE monitor = $1 ORDER BY seen_at DESC LIMIT 1";
            let row = self.conn().await?.first(sql, params![monitor.0]).await?;
            let parse = |row| {
                serde_json::from_str(get(row, 0)?).map_err(|error| Fault::damaged("certificate", error))
            };
            row.as_ref().map(parse).transpose()
        })
    }

    fn transitions(&self, monitor: MonitorId, limit: usize) -> Answered<'_, Vec<TransitionRow>> {
        self.call(async move {
            let sql = "SELECT at, since, from_health, to_health, code, text FROM transitions
                       WHERE monitor = $1 ORDER BY id DESC LIMIT $2";
            let rows = self.conn().await?.query(sql, params![monitor.0, limit as i64]).await?;
            rows.iter().map(transition).collect()
        })
    }

    fn retain(&self, now: Instant) -> Answered<'_, usize> {
        self.call_within(retain::BOUND, async move { retain::retain(self, now).await })
    }
}

fn outcome(row: &Row) -> Result<OutcomeRow> {
    let (verdict, code) = pack::read_result(i64::from(get::<i16>(row, 6)?))?;
    Ok(OutcomeRow {
        key: key(row, [0, 3, 1, 2])?,
        revision: get::<i32>(row, 5)? as u32,
        at: Instant::from_ms(get(row, 4)?),
        verdict,
        code,
        status: get::<i32>(row, 7)? as u16,
        latency_us: get::<i64>(row, 8)? as u32,
        phases: pack::read_phases(get::<Option<&[u8]>>(row, 9)?.unwrap_or_default())?,
        evidence: get::<Option<i64>>(row, 10)?.map(EvidenceId),
    })
}

/// A key from its columns: monitor, vantage, slot, try.
fn key(row: &Row, [monitor, vantage, slot, r#try]: [usize; 4]) -> Result<OutcomeKey> {
    Ok(OutcomeKey {
        monitor: MonitorId(get(row, monitor)?),
        vantage: Vantage::from_number(get::<i32>(row, vantage)? as u32),
        slot: Instant::from_ms(get(row, slot)?),
        r#try: get::<i16>(row, r#try)? as u8,
    })
}

fn evidence(row: &Row) -> Result<EvidenceRow> {
    Ok(EvidenceRow {
        id: EvidenceId(get(row, 0)?),
        key: key(row, [1, 2, 3, 4])?,
        incident: get::<Option<i64>>(row, 5)?.map(IncidentId),
        at: Instant::from_ms(get(row, 6)?),
        code: pack::read_code(i64::from(get::<i16>(row, 7)?))?,
        evidence: serde_json::from_str(get(row, 8)?).map_err(|error| Fault::damaged("evidence", error))?,
    })
}

fn transition(row: &Row) -> Result<TransitionRow> {
    Ok(TransitionRow {
        at: Instant::from_ms(get(row, 0)?),
        since: Instant::from_ms(get(row, 1)?),
        from: health(get(row, 2)?)?,
        to: health(get(row, 3)?)?,
        code: pack::read_code(i64::from(get::<i16>(row, 4)?))?,
        text: get(row, 5)?,
    })
}

fn health(word: &str) -> Result<Health> {
    Health::parse(word).ok_or_else(|| Fault::damaged("health", word))
}
