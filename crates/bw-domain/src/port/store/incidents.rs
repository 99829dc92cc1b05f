//! Incidents and their timelines. They open and close in `States::commit`.

use super::Answered;
use crate::event::Event;
use crate::id::{IncidentId, MonitorId};
use crate::incident::{Entry, Incident, IncidentChange};

/// Which incidents; newest first.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct IncidentFilter {
    /// `Some(true)`: open ones only.
    pub open: Option<bool>,
    pub monitor: Option<MonitorId>,
    /// Older than this id.
    pub before: Option<IncidentId>,
    pub limit: usize,
}

/// A page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IncidentPage {
    pub items: Vec<Incident>,
    /// Where the next page begins, if there is one.
    pub next: Option<IncidentId>,
}

/// Incidents.
pub trait Incidents: Send + Sync {
    /// An id for the next incident that opens; one that is not used may come again.
    fn spare(&self) -> Answered<'_, IncidentId>;

    fn list(&self, filter: IncidentFilter) -> Answered<'_, IncidentPage>;

    /// One with its timeline, oldest entry first.
    fn get(&self, id: IncidentId) -> Answered<'_, Option<(Incident, Vec<Entry>)>>;

    /// A change that comes from a person (acknowledge, note) with its events, in one transaction. False: not found.
    fn change(&self, change: IncidentChange, events: Vec<Event>) -> Answered<'_, bool>;
}
