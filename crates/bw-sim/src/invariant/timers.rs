//! A timer that is due is served at once when nothing is wrong, whatever was wrong before.

use crate::Ms;
use crate::journal::Fact;
use crate::past::Past;
use bw_domain::id::MonitorId;
use bw_domain::time::Instant;
use bw_testkit::builders::START;
use std::collections::BTreeMap;

/// After a fault so long is granted to come right again.
const LEAD: Ms = 6_000;
/// From when it is due.
const SERVED: Ms = 3_000;

pub fn holds(past: &Past) -> Result<(), String> {
    let calm = past.script.calm(LEAD);
    // When each is due, and since when that is known.
    let mut timers: BTreeMap<MonitorId, (Instant, Ms)> = BTreeMap::new();
    for line in &past.journal {
        let (monitor, state) = match &line.fact {
            Fact::Committed { commit, .. } => (commit.monitor, commit.state.as_ref()),
            Fact::Edited { revision, commit, .. } => {
                if revision.declared.is_none() {
                    timers.remove(&revision.id);
                }
                (revision.id, commit.as_ref().and_then(|commit| commit.state.as_ref()))
            }
            _ => continue,
        };
        if let Some(timer) = timers.get(&monitor) {
            served(past, &calm, *timer, line.at).map_err(|why| format!("monitor {monitor}: {why}"))?;
        }
        match state.map(|state| state.timer()) {
            Some(Some(due)) => drop(timers.insert(monitor, (due, line.at))),
            Some(None) => drop(timers.remove(&monitor)),
            None => {}
        }
    }
    Ok(())
}

/// Whether something was done in time about a monitor whose timer was due.
fn served(past: &Past, calm: &[(Ms, Ms)], (due, known): (Instant, Ms), at: Ms) -> Result<(), String> {
    for (from, to) in calm {
        let due = due.ms() - START.ms() - past.script.host_step(*from);
        let latest = due.max(known as i64).max(*from as i64) + SERVED as i64;
        if latest < at as i64 && latest < *to as i64 {
            return Err(format!("a timer was due at {due} ms and served at {at} ms"));
        }
    }
    Ok(())
}
