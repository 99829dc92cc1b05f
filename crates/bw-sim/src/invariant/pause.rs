//! Pause is silent: nothing is probed for its time, and from the edit on nothing is said.

use crate::journal::Fact;
use crate::past::Past;
use bw_domain::id::MonitorId;
use bw_domain::time::Instant;
use std::collections::BTreeMap;

/// From when each revision counts and whether it is paused, as far as they were stored.
type Terms = BTreeMap<MonitorId, Vec<(Instant, bool)>>;

pub fn holds(past: &Past) -> Result<(), String> {
    let mut terms = Terms::new();
    for line in &past.journal {
        match &line.fact {
            Fact::Edited { revision, .. } => {
                let paused =
                    revision.declared.as_ref().is_some_and(|declared| declared.enabled == Some(false));
                terms.entry(revision.id).or_default().push((revision.effective_from, paused));
            }
            Fact::Committed { commit, .. }
                if is_paused(&terms, commit.monitor, Instant::MAX)
                    && (commit.transition.is_some()
                        || !commit.events.is_empty()
                        || commit.incident.is_some()) =>
            {
                return Err(format!("at {} ms monitor {} spoke while paused", line.at, commit.monitor));
            }
            Fact::Probed { job, .. } => {
                let at = if job.r#try == 0 { job.slot } else { job.start };
                if is_paused(&terms, job.monitor, at) {
                    return Err(format!("at {} ms {:?} was probed, a time of pause", line.at, job.key()));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_paused(terms: &Terms, monitor: MonitorId, at: Instant) -> bool {
    let terms = terms.get(&monitor).map(Vec::as_slice).unwrap_or_default();
    terms.iter().rev().find(|(from, _)| *from <= at).is_some_and(|(_, paused)| *paused)
}
