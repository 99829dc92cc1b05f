//! Every slot up to the mark of its shard has exactly one outcome or lies in a gap, and no outcome answers a slot that
//! there never was.

use crate::journal::Fact;
use crate::past::{Past, Term};
use bw_domain::id::MonitorId;
use bw_domain::job::OutcomeKey;
use bw_domain::limits::CLOCK_OFFSET;
use bw_domain::outcome::{Code, Outcome};
use bw_domain::port::store::Watermark;
use bw_domain::schedule::{Grid, shard_of, vantages_at};
use bw_domain::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};

pub fn holds(past: &Past) -> Result<(), String> {
    let (marks, early) = (marks(past), looked_at_early(past));
    for monitor in past.monitors() {
        let Some(mark) = marks.get(&monitor) else { continue };
        let expected = expected(monitor, &past.terms(monitor), *mark);
        every_slot(past, &expected)?;
        let rows = past.database.outcomes.iter().filter(|(key, _)| key.monitor == monitor);
        no_other(rows.filter(|(key, _)| key.slot <= *mark && !early.contains(key)), &expected)?;
    }
    Ok(())
}

/// A node whose clock is suddenly ahead looks at slots of the future until its lease tells it so, and an edit may come
/// before them. They count nothing: their revision is an earlier one.
fn looked_at_early(past: &Past) -> BTreeSet<OutcomeKey> {
    let lines = past.journal.iter().filter_map(|line| match &line.fact {
        Fact::Probed { job, .. } if line.wall + CLOCK_OFFSET < job.slot => Some(job.key()),
        _ => None,
    });
    lines.collect()
}

/// Up to where each monitor must be accounted for: its shard's mark, at its deletion when it was deleted. Afterwards
/// nothing can be written about it.
fn marks(past: &Past) -> BTreeMap<MonitorId, Instant> {
    let mut shards: BTreeMap<u16, Instant> = BTreeMap::new();
    let mut marks = BTreeMap::new();
    for line in &past.journal {
        match &line.fact {
            Fact::Moved { shard, which: Watermark::Accounted, to, .. } => {
                shards.insert(*shard, *to);
            }
            Fact::Edited { revision, .. } if revision.declared.is_none() => {
                let mark = shards.get(&shard_of(revision.id)).copied();
                marks.insert(revision.id, mark.unwrap_or(Instant::ZERO));
            }
            _ => {}
        }
    }
    for monitor in past.database.rows.keys() {
        marks.insert(*monitor, shards.get(&shard_of(*monitor)).copied().unwrap_or(Instant::ZERO));
    }
    marks
}

/// Every slot of the grid in its term, at each vantage that looks at it.
fn expected(monitor: MonitorId, terms: &[Term], mark: Instant) -> BTreeSet<OutcomeKey> {
    let moment = Duration::from_millis(1);
    let mut keys = BTreeSet::new();
    for term in terms {
        let Some(spec) = term.spec.as_ref().filter(|spec| spec.enabled) else { continue };
        let last = (term.to - moment).min(mark);
        for slot in Grid::of(monitor, spec.policy.every).within(term.from - moment, last) {
            let key = |vantage| OutcomeKey { monitor, vantage, slot, r#try: 0 };
            keys.extend(vantages_at(spec, slot).into_iter().map(key));
        }
    }
    keys
}

fn every_slot(past: &Past, expected: &BTreeSet<OutcomeKey>) -> Result<(), String> {
    for key in expected {
        let count = past.database.outcomes.get(key).map_or(0, Vec::len);
        let gaps = past.database.gaps.iter().filter(|gap| gap.shard == shard_of(key.monitor));
        let in_gap = gaps.into_iter().any(|gap| gap.from < key.slot && key.slot <= gap.to);
        if count == 0 && !in_gap {
            return Err(format!("{key:?} has no outcome and lies in no gap"));
        }
        if count > 1 {
            return Err(format!("{key:?} has {count} outcomes"));
        }
    }
    Ok(())
}

fn no_other<'r>(
    rows: impl Iterator<Item = (&'r OutcomeKey, &'r Vec<Outcome>)>,
    expected: &BTreeSet<OutcomeKey>,
) -> Result<(), String> {
    for (key, outcomes) in rows {
        if outcomes.len() > 1 {
            return Err(format!("{key:?} has {} outcomes", outcomes.len()));
        }
        // A job that was planned before an edit was known ends as edited.
        let edited = outcomes.iter().all(|outcome| outcome.code == Code::SELF_EDITED);
        if key.r#try == 0 && !expected.contains(key) && !edited {
            return Err(format!("{key:?} is no slot of its monitor"));
        }
    }
    Ok(())
}
