//! Whatever a decision changes it also says, in the same transaction: each transition, each incident that opens or
//! closes.

use crate::journal::Fact;
use crate::past::Past;
use bw_domain::event::EventKind;
use bw_domain::incident::IncidentChange;
use bw_domain::port::store::Commit;

pub fn holds(past: &Past) -> Result<(), String> {
    for line in &past.journal {
        let commit = match &line.fact {
            Fact::Committed { commit, .. } => Some(commit),
            Fact::Edited { commit, .. } => commit.as_ref(),
            _ => None,
        };
        let Some(commit) = commit else { continue };
        let at = |why: String| format!("at {} ms monitor {}: {why}", line.at, commit.monitor);
        says(commit).map_err(at)?;
        for event in &commit.events {
            if past.database.event(event.id) != Some(event) {
                return Err(at(format!("{} was not kept", event.kind)));
            }
        }
    }
    Ok(())
}

fn says(commit: &Commit) -> Result<(), String> {
    let find = |kind: EventKind| commit.events.iter().find(|event| event.kind == kind);
    if let Some(transition) = &commit.transition {
        let change = find(EventKind::MonitorChanged).and_then(|event| event.change.as_ref());
        if change.is_none_or(|change| (change.from, change.to) != (transition.from, transition.to)) {
            return Err(format!("nothing says {} to {}", transition.from.word(), transition.to.word()));
        }
    }
    let (kind, id) = match &commit.incident {
        Some(IncidentChange::Open(incident, _)) => (EventKind::IncidentOpened, incident.id),
        Some(IncidentChange::Close { id, .. }) => (EventKind::IncidentClosed, *id),
        _ => return Ok(()),
    };
    let said = find(kind).and_then(|event| event.incident.as_ref()).is_some_and(|facts| facts.id == id);
    if said { Ok(()) } else { Err(format!("nothing says {kind} of {id}")) }
}
