//! Pause is silent: nothing is probed for its time, and from the edit on nothing is said.

use crate::journal::Fact;
use crate::past::Past;
use bw_domain::id::MonitorId;
use std::collections::BTreeSet;

pub fn holds(past: &Past) -> Result<(), String> {
    let mut paused: BTreeSet<MonitorId> = BTreeSet::new();
    for line in &past.journal {
        match &line.fact {
            Fact::Edited { revision, .. } => {
                let off = revision.declared.as_ref().is_some_and(|declared| declared.enabled == Some(false));
                if off { paused.insert(revision.id) } else { paused.remove(&revision.id) };
            }
            Fact::Committed { commit, .. } if paused.contains(&commit.monitor) => {
                if commit.transition.is_some() || !commit.events.is_empty() || commit.incident.is_some() {
                    return Err(format!("at {} ms monitor {} spoke while paused", line.at, commit.monitor));
                }
            }
            Fact::Probed { job, .. } => {
                let at = if job.r#try == 0 { job.slot } else { job.start };
                let terms = past.terms(job.monitor);
                let term = terms.iter().rev().find(|term| term.from <= at);
                let off = term.is_some_and(|term| term.spec.as_ref().is_some_and(|spec| !spec.enabled));
                if off {
                    return Err(format!("at {} ms {:?} was probed, a time of pause", line.at, job.key()));
                }
            }
            _ => {}
        }
    }
    Ok(())
}
