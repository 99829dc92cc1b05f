//! History: rows of outcomes, gaps, evidence and transitions.

use crate::world::{Inner, Link};
use bw_domain::id::{EvidenceId, IncidentId, MonitorId};
use bw_domain::job::OutcomeKey;
use bw_domain::outcome::{Certificate, Outcome};
use bw_domain::port::store::{Answered, EvidenceRow, Gap, OutcomeQuery, OutcomeRow, Outcomes, TransitionRow};
use bw_domain::schedule::shard_of;
use bw_domain::time::Instant;

impl Outcomes for Link {
    fn range(&self, query: OutcomeQuery) -> Answered<'_, Vec<OutcomeRow>> {
        self.read(move |inner| {
            let stored = inner.database.outcomes.values().flatten();
            let mut rows: Vec<OutcomeRow> = stored
                .filter(|outcome| outcome.job.monitor == query.monitor)
                .filter(|outcome| (query.from..query.to).contains(&outcome.job.slot))
                .filter(|outcome| query.repeats || outcome.job.r#try == 0)
                .filter(|outcome| query.verdict.is_none_or(|verdict| verdict == outcome.verdict))
                .map(row)
                .collect();
            rows.sort_by_key(|row| std::cmp::Reverse((row.key.slot, row.key.r#try, row.key.vantage)));
            rows.truncate(query.limit);
            rows
        })
    }

    fn known(&self, keys: Vec<OutcomeKey>) -> Answered<'_, Vec<bool>> {
        self.read(move |inner| keys.iter().map(|key| known(inner, key)).collect())
    }

    fn gaps(&self, monitor: MonitorId, from: Instant, to: Instant) -> Answered<'_, Vec<Gap>> {
        self.read(move |inner| {
            let shard = shard_of(monitor);
            let touches = |gap: &&Gap| gap.shard == shard && gap.to > from && gap.from < to;
            inner.database.gaps.iter().filter(touches).copied().collect()
        })
    }

    fn evidence(&self, id: EvidenceId) -> Answered<'_, Option<EvidenceRow>> {
        self.read(move |inner| inner.database.evidence.iter().find(|row| row.id == id).cloned())
    }

    fn evidence_of(
        &self,
        monitor: MonitorId,
        incident: Option<IncidentId>,
        limit: usize,
    ) -> Answered<'_, Vec<EvidenceRow>> {
        self.read(move |inner| {
            let newest_first = inner.database.evidence.iter().rev();
            newest_first
                .filter(|row| {
                    row.key.monitor == monitor && incident.is_none_or(|id| row.incident == Some(id))
                })
                .take(limit)
                .cloned()
                .collect()
        })
    }

    /// The simulated targets present none.
    fn certificate(&self, _: MonitorId) -> Answered<'_, Option<Certificate>> {
        self.read(|_| None)
    }

    fn transitions(&self, monitor: MonitorId, limit: usize) -> Answered<'_, Vec<TransitionRow>> {
        self.read(move |inner| {
            let rows = inner.database.transitions.get(&monitor).into_iter().flatten();
            rows.rev().take(limit).cloned().collect()
        })
    }

    /// No simulation lasts as long as the shortest retention.
    fn retain(&self, _: Instant) -> Answered<'_, usize> {
        self.write(|_, _| 0)
    }
}

fn row(outcome: &Outcome) -> OutcomeRow {
    OutcomeRow {
        key: outcome.job.key(),
        revision: outcome.job.revision,
        at: outcome.at,
        verdict: outcome.verdict,
        code: outcome.code,
        status: outcome.status,
        latency_us: outcome.latency_us,
        phases: outcome.phases,
        evidence: None,
    }
}

fn known(inner: &Inner, key: &OutcomeKey) -> bool {
    let shard = shard_of(key.monitor);
    let in_gap = |gap: &Gap| gap.shard == shard && gap.from < key.slot && key.slot <= gap.to;
    inner.database.outcomes.contains_key(key) || (key.r#try == 0 && inner.database.gaps.iter().any(in_gap))
}
