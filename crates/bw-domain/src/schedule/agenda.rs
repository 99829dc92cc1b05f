//! What is due next, in order. One entry a monitor; entries can be moved and removed.

use crate::id::MonitorId;
use crate::time::Instant;
use std::collections::{BTreeSet, HashMap};

/// Monitors by their next slot.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    order: BTreeSet<(Instant, MonitorId)>,
    due: HashMap<MonitorId, Instant>,
}

impl Agenda {
    /// Sets or moves the entry of a monitor.
    pub fn set(&mut self, id: MonitorId, due: Instant) {
        if let Some(before) = self.due.insert(id, due) {
            self.order.remove(&(before, id));
        }
        self.order.insert((due, id));
    }

    /// Removes the entry of a monitor.
    pub fn remove(&mut self, id: MonitorId) {
        if let Some(before) = self.due.remove(&id) {
            self.order.remove(&(before, id));
        }
    }

    /// Takes the earliest entry that is due at or before `until`.
    pub fn pop(&mut self, until: Instant) -> Option<(Instant, MonitorId)> {
        let first = *self.order.first().filter(|(due, _)| *due <= until)?;
        self.order.pop_first();
        self.due.remove(&first.1);
        Some(first)
    }

    /// When the earliest entry is due.
    pub fn next(&self) -> Option<Instant> {
        self.order.first().map(|(due, _)| *due)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_move_and_leave() {
        let (a, b) = (MonitorId(1), MonitorId(2));
        let at = Instant::from_ms;
        let mut agenda = Agenda::default();
        agenda.set(a, at(10));
        agenda.set(b, at(5));
        agenda.set(a, at(3));
        assert_eq!(agenda.next(), Some(at(3)));
        assert_eq!(agenda.pop(at(2)), None);
        assert_eq!(agenda.pop(at(9)), Some((at(3), a)));
        agenda.remove(b);
        assert!(agenda.is_empty() && agenda.pop(at(99)).is_none());
    }
}
