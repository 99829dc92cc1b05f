//! Incidents: ids that are used once, pages, and what people change.

use crate::mutant::Mutant;
use crate::world::Link;
use bw_domain::event::Event;
use bw_domain::id::IncidentId;
use bw_domain::incident::{Entry, Incident, IncidentChange};
use bw_domain::port::store::{Answered, IncidentFilter, IncidentPage, Incidents};

impl Incidents for Link {
    fn spare(&self) -> Answered<'_, IncidentId> {
        self.write(|inner, _| {
            if inner.mutant != Some(Mutant::IncidentIdReused) || inner.database.incident_ids == 0 {
                inner.database.incident_ids += 1;
            }
            IncidentId(inner.database.incident_ids)
        })
    }

    fn list(&self, filter: IncidentFilter) -> Answered<'_, IncidentPage> {
        self.read(move |inner| {
            let newest_first = inner.database.incidents.values().rev().map(|(incident, _)| incident);
            let mut items: Vec<Incident> = newest_first
                .filter(|incident| filter.open.is_none_or(|open| open == incident.closed_at.is_none()))
                .filter(|incident| filter.monitor.is_none_or(|monitor| monitor == incident.monitor))
                .filter(|incident| filter.before.is_none_or(|before| incident.id < before))
                .cloned()
                .collect();
            let more = items.len() > filter.limit;
            items.truncate(filter.limit);
            let next = items.last().map(|incident| incident.id).filter(|_| more);
            IncidentPage { items, next }
        })
    }

    fn get(&self, id: IncidentId) -> Answered<'_, Option<(Incident, Vec<Entry>)>> {
        self.read(move |inner| inner.database.incidents.get(&id).cloned())
    }

    fn change(&self, change: IncidentChange, events: Vec<Event>) -> Answered<'_, bool> {
        self.write(move |inner, _| {
            if !inner.database.change_incident(change) {
                return false;
            }
            for event in events {
                inner.database.add_event(event);
            }
            true
        })
    }
}
