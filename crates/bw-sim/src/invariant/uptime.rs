//! Up, down, unknown and paused time are what the outcomes say, or of a heartbeat its changes, piece by piece, and sum up to the wall time.

use crate::past::{Past, Term};
use bw_domain::id::MonitorId;
use bw_domain::outcome::Verdict;
use bw_domain::state::Health;
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
        let is_heartbeat =
            past.terms(id).iter().any(|t| t.spec.as_ref().is_some_and(|s| s.beats().is_some()));
        let slowly = if is_heartbeat { reported(past, id, wall) } else { slowly(past, id, wall) };
        if slowly != uptime {
            return Err(format!("monitor {id}: {uptime:?} answered, {slowly:?} counted"));
        }
    }
    Ok(())
}

/// A heartbeat is what was said of it last; while nobody could hear, nothing is known.
fn reported(past: &Past, monitor: MonitorId, wall: Range) -> Uptime {
    let terms = past.terms(monitor);
    let mut said: Vec<(Instant, Health)> = Vec::new();
    for change in past.database.transitions.get(&monitor).into_iter().flatten() {
        let before = said.last().map_or(change.since, |(at, _)| *at);
        said.push((change.since.max(before), change.to));
    }
    let deaf = &past.database.deaf;
    let mut edges: BTreeSet<Instant> = [wall.from, wall.to].into();
    edges.extend(said.iter().map(|(at, _)| *at));
    edges.extend(deaf.iter().flat_map(|deaf| [deaf.from, deaf.to]));
    edges.extend(terms.iter().map(|term| term.from));
    let edges: Vec<Instant> =
        edges.into_iter().filter(|edge| wall.from <= *edge && *edge <= wall.to).collect();
    let mut uptime = Uptime::default();
    for pair in edges.windows(2) {
        let (at, ms) = (pair[0], pair[1].since(pair[0]).as_millis() as u64);
        let health = said.iter().rev().find(|(since, _)| *since <= at).map(|(_, health)| *health);
        let is_deaf = deaf.iter().any(|deaf| deaf.from <= at && at < deaf.to);
        let part = match health.filter(|_| !is_deaf) {
            _ if is_paused(&terms, at) => &mut uptime.paused_ms,
            Some(Health::Up) => &mut uptime.up_ms,
            Some(Health::Down) => &mut uptime.down_ms,
            _ => &mut uptime.unknown_ms,
        };
        *part += ms;
    }
    uptime
}

fn is_paused(terms: &[Term], at: Instant) -> bool {
    let term = terms.iter().rev().find(|term| term.from <= at);
    term.is_some_and(|term| term.spec.as_ref().is_some_and(|spec| !spec.enabled))
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
    if is_paused(terms, at) {
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
        revision.map_or(Duration::ZERO, |revision| past.spec(revision).policy.every)
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
