//! Up, down, unknown and paused time are what the outcomes say, piece by piece, and sum up to the wall time.

use crate::past::{Past, Term};
use bw_domain::id::MonitorId;
use bw_domain::outcome::Verdict;
use bw_domain::time::{Duration, Instant};
use bw_domain::uptime::{Range, Uptime};
use std::collections::{BTreeMap, BTreeSet};

/// The verdicts of one slot, and how long it speaks.
struct Slot {
    every: Duration,
    passes: u32,
    fails: u32,
}

pub fn holds(past: &Past) -> Result<(), String> {
    for measured in &past.measured {
        let id = measured.monitor;
        let (wall, uptime) = measured.report.clone().map_err(|why| format!("monitor {id}: {why}"))?;
        if uptime.wall_ms() != wall.ms() {
            return Err(format!("monitor {id}: {uptime:?} are not the {} ms of its wall", wall.ms()));
        }
        let slowly = slowly(past, id, wall);
        if slowly != uptime {
            return Err(format!("monitor {id}: {uptime:?} answered, {slowly:?} counted"));
        }
    }
    Ok(())
}

/// Between two neighbouring edges nothing changes: each such piece belongs to one part.
fn slowly(past: &Past, monitor: MonitorId, wall: Range) -> Uptime {
    let (slots, terms) = (slots(past, monitor), past.terms(monitor));
    let mut edges: BTreeSet<Instant> = [wall.from, wall.to].into();
    edges.extend(slots.iter().flat_map(|(slot, said)| [*slot, *slot + said.every]));
    edges.extend(terms.iter().map(|term| term.from));
    let edges: Vec<Instant> =
        edges.into_iter().filter(|edge| wall.from <= *edge && *edge <= wall.to).collect();
    let mut uptime = Uptime::default();
    for pair in edges.windows(2) {
        let ms = pair[1].since(pair[0]).as_millis() as u64;
        *part(&mut uptime, &slots, &terms, pair[0]) += ms;
    }
    uptime
}

fn part<'u>(
    uptime: &'u mut Uptime,
    slots: &BTreeMap<Instant, Slot>,
    terms: &[Term],
    at: Instant,
) -> &'u mut u64 {
    let term = terms.iter().rev().find(|term| term.from <= at);
    if term.is_some_and(|term| term.spec.as_ref().is_some_and(|spec| !spec.enabled)) {
        return &mut uptime.paused_ms;
    }
    let said = slots.range(..=at).next_back().filter(|(slot, said)| at < **slot + said.every);
    match said.map(|(_, said)| (said.passes, said.fails)) {
        Some((passes, fails)) if fails > passes => &mut uptime.down_ms,
        Some((passes, _)) if passes > 0 => &mut uptime.up_ms,
        _ => &mut uptime.unknown_ms,
    }
}

fn slots(past: &Past, monitor: MonitorId) -> BTreeMap<Instant, Slot> {
    let revisions = past.database.revisions.get(&monitor).map(Vec::as_slice).unwrap_or_default();
    let every = |number: u32| {
        let revision =
            revisions.iter().find(|revision| revision.revision == number && revision.declared.is_some());
        revision.map_or(Duration::ZERO, |revision| past.spec(revision).every)
    };
    let mut slots: BTreeMap<Instant, Slot> = BTreeMap::new();
    for outcome in past.database.outcomes.values().flatten() {
        if outcome.job.monitor != monitor || outcome.job.r#try != 0 {
            continue;
        }
        let new = || Slot { every: every(outcome.job.revision), passes: 0, fails: 0 };
        let slot = slots.entry(outcome.job.slot).or_insert_with(new);
        match outcome.verdict {
            Verdict::Pass => slot.passes += 1,
            Verdict::Fail => slot.fails += 1,
            Verdict::Inconclusive => {}
        }
    }
    slots
}
