//! At most one incident of a monitor is open; an id is used once; what is open is what the state says.

use crate::journal::{Fact, Line};
use crate::past::Past;
use bw_domain::id::{IncidentId, MonitorId};
use bw_domain::incident::IncidentChange;
use bw_domain::port::store::Commit;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
struct Seen {
    used: BTreeSet<IncidentId>,
    open: BTreeMap<MonitorId, IncidentId>,
}

pub fn holds(past: &Past) -> Result<(), String> {
    let mut seen = Seen::default();
    for line in &past.journal {
        let commit = match &line.fact {
            Fact::Committed { commit, .. } => Some(commit),
            Fact::Edited { commit, .. } => commit.as_ref(),
            _ => None,
        };
        if let Some(commit) = commit {
            seen.take(line, commit)?;
        }
    }
    let stored = &past.database.incidents;
    let open = stored.values().filter(|(incident, _)| incident.closed_at.is_none());
    let open: BTreeMap<MonitorId, IncidentId> =
        open.map(|(incident, _)| (incident.monitor, incident.id)).collect();
    if open != seen.open || stored.len() != seen.used.len() {
        return Err(format!("{open:?} of {} are open, and {:?} should be", stored.len(), seen.open));
    }
    for (monitor, row) in &past.database.rows {
        if row.state.incident.as_ref() != open.get(monitor) {
            return Err(format!(
                "monitor {monitor} has {:?} open and believes {:?}",
                open.get(monitor),
                row.state.incident
            ));
        }
    }
    Ok(())
}

impl Seen {
    fn take(&mut self, line: &Line, commit: &Commit) -> Result<(), String> {
        let monitor = commit.monitor;
        let wrong = |why: String| Err(format!("at {} ms monitor {monitor}: {why}", line.at));
        match &commit.incident {
            Some(IncidentChange::Open(incident, _)) => {
                if let Some(open) = self.open.insert(monitor, incident.id) {
                    return wrong(format!("{} opened while {open} is open", incident.id));
                }
                if !self.used.insert(incident.id) {
                    return wrong(format!("the id {} is used again", incident.id));
                }
            }
            Some(IncidentChange::Close { id, .. }) if self.open.remove(&monitor) != Some(*id) => {
                return wrong(format!("{id} closed, which was not open"));
            }
            _ => {}
        }
        Ok(())
    }
}
