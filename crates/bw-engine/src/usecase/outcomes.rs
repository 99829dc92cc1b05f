//! What probes saw, newest first. A slot that nobody planned has no row; where a gap accounts for it, it is shown
//! as what it was: inconclusive, with the gap's cause.

use super::history::{Term, terms};
use super::{Services, UseError};
use bw_domain::id::{EvidenceId, IncidentId, MonitorId};
use bw_domain::job::OutcomeKey;
use bw_domain::limits;
use bw_domain::outcome::{Certificate, Phases, Verdict};
use bw_domain::port::store::{EvidenceRow, Gap, OutcomeQuery, OutcomeRow, TransitionRow};
use bw_domain::schedule::{Grid, vantages_at};
use bw_domain::time::Instant;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// What is asked; everything up to now unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub struct OutcomesQuery {
    /// Slots from here, inclusive.
    pub from: Option<Instant>,
    /// Slots before here, exclusive.
    pub to: Option<Instant>,
    pub verdict: Option<Verdict>,
    pub limit: usize,
}

impl Default for OutcomesQuery {
    fn default() -> Self {
        OutcomesQuery { from: None, to: None, verdict: None, limit: limits::PAGE_DEFAULT }
    }
}

/// One page.
#[derive(Clone, Debug)]
pub struct OutcomePage {
    /// Newest slot first; whole slots.
    pub items: Vec<OutcomeRow>,
    /// `to` of the next page, if there is one.
    pub next: Option<Instant>,
    /// Outcome rows that were read.
    pub rows: usize,
}

/// A page of outcomes.
pub async fn outcomes(
    services: &Services,
    id: MonitorId,
    query: OutcomesQuery,
) -> Result<OutcomePage, UseError> {
    let spec = services.catalog.get(id).ok_or(UseError::NotFound)?;
    let limit = query.limit.clamp(1, limits::PAGE_MAX);
    let now = services.clock.now();
    let from = query.from.unwrap_or(Instant::ZERO);
    let to = query.to.unwrap_or(Instant::from_ms(now.ms() + 1));
    let range =
        OutcomeQuery { monitor: id, from, to, verdict: query.verdict, repeats: true, limit: limit + 1 };
    let mut items = services.store.outcomes.range(range).await?;
    let mut rows = items.len();
    if query.verdict.is_none_or(|verdict| verdict == Verdict::Inconclusive) {
        // Below a full page nothing is shown, so nothing is made up there either.
        let low = items.get(limit).map_or(from, |row| row.key.slot).max(spec.created_at);
        let (unseen, read) =
            unseen(services, id, (low, to.min(Instant::from_ms(now.ms() + 1))), limit + 1).await?;
        rows += read;
        items.extend(unseen);
        items.sort_by_key(|row| (Reverse(row.key.slot), Reverse(row.key.r#try), row.key.vantage));
    }
    let next = cut(&mut items, limit);
    Ok(OutcomePage { items, next, rows })
}

/// Cuts to whole slots, so that the next page can begin before the last of them.
fn cut(items: &mut Vec<OutcomeRow>, limit: usize) -> Option<Instant> {
    let beyond = items.get(limit)?.key.slot;
    let whole = items.partition_point(|row| row.key.slot > beyond);
    // One slot alone may fill a page, by its repeats: then it is shown as far as it fits.
    items.truncate(if whole == 0 { limit } else { whole });
    items.last().map(|row| row.key.slot)
}

/// Slots in [low, to) that lie in gaps and have no row, at most `limit`, newest first; and how many rows were read.
async fn unseen(
    services: &Services,
    id: MonitorId,
    (low, to): (Instant, Instant),
    limit: usize,
) -> Result<(Vec<OutcomeRow>, usize), UseError> {
    let mut gaps = services.store.outcomes.gaps(id, low, to).await?;
    let mut found = Vec::new();
    let mut read = 0;
    if gaps.is_empty() {
        return Ok((found, read));
    }
    gaps.sort_by_key(|gap| Reverse(gap.to));
    let terms = terms(services, id).await?;
    for gap in gaps {
        let planned: Vec<OutcomeRow> =
            planned(&terms, gap, (low, to)).take(limit.saturating_sub(found.len())).collect();
        let (Some(newest), Some(oldest)) = (planned.first(), planned.last()) else { continue };
        let query = OutcomeQuery {
            monitor: id,
            from: oldest.key.slot,
            to: Instant::from_ms(newest.key.slot.ms() + 1),
            verdict: None,
            repeats: false,
            // Rows of an earlier grid may lie between them.
            limit: 2 * planned.len(),
        };
        let rows = services.store.outcomes.range(query).await?;
        read += rows.len();
        let seen: BTreeSet<OutcomeKey> = rows.into_iter().map(|row| row.key).collect();
        found.extend(planned.into_iter().filter(|row| !seen.contains(&row.key)));
    }
    Ok((found, read))
}

/// The slots of a gap as rows, newest first.
fn planned(terms: &[Term], gap: Gap, (low, to): (Instant, Instant)) -> impl Iterator<Item = OutcomeRow> {
    terms.iter().rev().filter(|term| term.spec.enabled).flat_map(move |term| {
        // A gap is (from, to], a term [from, to), the question [low, to).
        let first = low.max(term.range.from).max(Instant::from_ms(gap.from.ms() + 1));
        let last = gap.to.ms().min(term.range.to.ms() - 1).min(to.ms() - 1);
        let grid = Grid::of(term.spec.id, term.spec.policy.every);
        let newest = grid.at_or_before(Instant::from_ms(last));
        std::iter::successors(Some(newest), move |slot| {
            Some(grid.at_or_before(Instant::from_ms(slot.ms() - 1)))
        })
        .take_while(move |slot| *slot >= first)
        .flat_map(move |slot| vantages_at(&term.spec, slot).into_iter().map(move |vantage| (slot, vantage)))
        .map(move |(slot, vantage)| OutcomeRow {
            key: OutcomeKey { monitor: term.spec.id, vantage, slot, r#try: 0 },
            revision: term.spec.revision,
            at: slot,
            verdict: Verdict::Inconclusive,
            code: gap.code,
            status: 0,
            latency_us: 0,
            phases: Phases::default(),
            evidence: None,
        })
    })
}

/// One piece of evidence of a monitor.
pub async fn evidence(
    services: &Services,
    monitor: MonitorId,
    id: EvidenceId,
) -> Result<EvidenceRow, UseError> {
    let row = services.store.outcomes.evidence(id).await?;
    row.filter(|row| row.key.monitor == monitor).ok_or(UseError::NotFound)
}

/// The newest pieces of evidence of a monitor, or those of one of its incidents.
pub async fn evidence_of(
    services: &Services,
    monitor: MonitorId,
    incident: Option<IncidentId>,
    limit: usize,
) -> Result<Vec<EvidenceRow>, UseError> {
    Ok(services.store.outcomes.evidence_of(monitor, incident, limit.clamp(1, limits::PAGE_MAX)).await?)
}

/// The certificate that a monitor's target showed last.
pub async fn certificate(services: &Services, id: MonitorId) -> Result<Option<Certificate>, UseError> {
    Ok(services.store.outcomes.certificate(id).await?)
}

/// Changes of health, newest first.
pub async fn transitions(
    services: &Services,
    id: MonitorId,
    limit: usize,
) -> Result<Vec<TransitionRow>, UseError> {
    Ok(services.store.outcomes.transitions(id, limit.clamp(1, limits::PAGE_MAX)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::monitor::Vantage;
    use bw_domain::outcome::Code;

    fn row(slot: i64, r#try: u8) -> OutcomeRow {
        OutcomeRow {
            key: OutcomeKey {
                monitor: MonitorId(1),
                vantage: Vantage::default(),
                slot: Instant::from_ms(slot),
                r#try,
            },
            revision: 1,
            at: Instant::from_ms(slot),
            verdict: Verdict::Pass,
            code: Code::OK,
            status: 200,
            latency_us: 1,
            phases: Phases::default(),
            evidence: None,
        }
    }

    #[test]
    fn pages_end_with_whole_slots() {
        let all = [row(30, 0), row(20, 1), row(20, 0), row(10, 0)];
        for (limit, left, next) in [(4, 4, None), (3, 3, Some(20)), (2, 1, Some(30)), (1, 1, Some(30))] {
            let mut items = all[..all.len().min(limit + 1)].to_vec();
            assert_eq!(cut(&mut items, limit), next.map(Instant::from_ms), "{limit}");
            assert_eq!(items.len(), left, "{limit}");
        }
    }
}
