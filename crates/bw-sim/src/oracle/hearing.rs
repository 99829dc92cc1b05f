//! When anybody could hear, from what is true: processes that lived and were not frozen, on the clock of the store as it
//! was set.

use crate::Ms;
use crate::fault::FaultKind;
use crate::journal::Fact;
use crate::past::Past;
use crate::world::Life;
use bw_domain::limits::{DEAF_MIN, HEARING_EVERY, HEARING_LEASE};
use bw_domain::time::{Duration, Instant};
use bw_testkit::builders::START;
use std::collections::BTreeMap;

/// Stretches of the clock in which somebody could hear, in order and apart.
pub struct Hearing(Vec<(Instant, Instant)>);

/// A pause this short is held against nobody. Among several nodes no pause is known that ends before the lease of whoever
/// died: until then silence waits for the dead, and who comes again is heard; a beat that does not come again is lost.
const SHORT: Duration = DEAF_MIN.saturating_add(HEARING_EVERY).saturating_add(Duration::from_millis(100));

impl Hearing {
    /// Reads it from the journal and the script.
    pub fn of(past: &Past) -> Self {
        let mut heard: Vec<(Instant, Instant)> = Vec::new();
        for (from, to, node) in lives(past) {
            for (from, to) in awake(past, node, from, to) {
                heard.extend(on_the_clock(past, from, to));
            }
        }
        heard.sort_unstable();
        let short = if past.script.nodes > 1 { SHORT.max(HEARING_LEASE) } else { SHORT };
        let mut apart: Vec<(Instant, Instant)> = Vec::new();
        for (from, to) in heard {
            match apart.last_mut() {
                Some((_, end)) if from <= *end + short => *end = to.max(*end),
                _ => apart.push((from, to)),
            }
        }
        Hearing(apart)
    }

    /// For how long between these instants somebody could hear.
    pub fn within(&self, from: Instant, to: Instant) -> Duration {
        self.0.iter().map(|(a, b)| (*b).min(to).since((*a).max(from))).sum()
    }
}

/// Each process with its node, from its beginning to its end.
fn lives(past: &Past) -> Vec<(Ms, Ms, usize)> {
    let mut open: BTreeMap<Life, (Ms, usize)> = BTreeMap::new();
    let mut lives = Vec::new();
    for line in &past.journal {
        match line.fact {
            Fact::Began { node } => drop(open.insert(line.life, (line.at, node))),
            Fact::Ended => lives.extend(open.remove(&line.life).map(|(from, node)| (from, line.at, node))),
            _ => {}
        }
    }
    lives.extend(open.into_values().map(|(from, node)| (from, past.ended, node)));
    lives
}

/// Without the times in which the node was frozen.
fn awake(past: &Past, node: usize, from: Ms, to: Ms) -> Vec<(Ms, Ms)> {
    let frozen = past.script.faults.iter().filter(|fault| fault.kind == FaultKind::Freeze { node });
    frozen.fold(vec![(from, to)], |awake, fault| {
        let parts = |(from, to): (Ms, Ms)| [(from, to.min(fault.from)), (from.max(fault.to), to)];
        awake.into_iter().flat_map(parts).filter(|(from, to)| from < to).collect()
    })
}

/// As the clock showed it: cut where it was set.
fn on_the_clock(past: &Past, from: Ms, to: Ms) -> Vec<(Instant, Instant)> {
    let steps = past.script.faults.iter().filter(|fault| matches!(fault.kind, FaultKind::HostStep { .. }));
    let mut cuts: Vec<Ms> = steps.map(|fault| fault.from).filter(|at| from < *at && *at < to).collect();
    cuts.extend([from, to]);
    cuts.sort_unstable();
    let wall = |at: Ms, step: i64| Instant::from_ms(START.ms() + at as i64 + step);
    let piece = |pair: &[Ms]| {
        let step = past.script.host_step(pair[0]);
        (wall(pair[0], step), wall(pair[1], step))
    };
    cuts.windows(2).map(piece).collect()
}
