//! What will happen, in order of time; what falls on the same instant happens in an order that the seed chooses.

use super::{Inner, Life};
use crate::Ms;
use crate::chance::Chance;
use std::collections::BTreeMap;

/// Something that is done to the world.
pub type Deed = Box<dyn FnOnce(&mut Inner) + Send>;

/// Something that only the simulation itself can do, because it owns the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// A node's process begins.
    Start(usize),
    /// A process has had its time to stop.
    Kill(Life),
    /// Faults begin or end.
    Faults,
    /// The process of this node dies now at the latest, if it was to.
    Crash(usize),
    /// Somebody asks for this.
    Grant(usize),
    /// The client of a job sends one of its beats, for the so many-th time.
    Beat(usize, usize, u32),
    /// It waits no longer for the answer.
    HangUp(usize, usize, u32),
}

/// How an entry belongs to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ties {
    /// It is nothing without its process.
    Bound(Life),
    /// It is on its way to the disk: when its process dies a prefix of these still happens.
    Disk(Life),
    /// It is on the wire: when its process dies each of these may still happen.
    Wire(Life),
}

/// What an entry is.
pub enum Entry {
    Deed(Ties, Deed),
    Order(Order),
}

/// The future of the world.
pub struct Agenda {
    entries: BTreeMap<(Ms, u64), Entry>,
    count: u64,
    chance: Chance,
}

impl Agenda {
    /// An empty one.
    pub fn new(chance: Chance) -> Self {
        Agenda { entries: BTreeMap::new(), count: 0, chance }
    }

    /// Adds an entry.
    pub fn add(&mut self, at: Ms, entry: Entry) {
        self.count += 1;
        // The high bits shuffle what falls on one instant; the low ones keep keys distinct.
        let order = self.chance.bits() << 40 | self.count;
        self.entries.insert((at, order), entry);
    }

    /// Adds something that only the simulation can do.
    pub fn order(&mut self, at: Ms, order: Order) {
        self.add(at, Entry::Order(order));
    }

    /// Takes the first entry that is due by then.
    pub fn pop(&mut self, by: Ms) -> Option<(Ms, Entry)> {
        let key = *self.entries.first_key_value().filter(|((at, _), _)| *at <= by)?.0;
        self.entries.remove(&key).map(|entry| (key.0, entry))
    }

    /// A process has died: removes what was bound to it, and answers what may still happen of what it began, the
    /// disk's in order.
    pub fn cut(&mut self, life: Life) -> (Vec<Deed>, Vec<Deed>) {
        let mine = |entry: &Entry| matches!(entry, Entry::Deed(Ties::Bound(l) | Ties::Disk(l) | Ties::Wire(l), _) if *l == life);
        let keys: Vec<(Ms, u64)> =
            self.entries.iter().filter(|(_, entry)| mine(entry)).map(|(key, _)| *key).collect();
        let (mut disk, mut wire) = (Vec::new(), Vec::new());
        for key in keys {
            match self.entries.remove(&key) {
                Some(Entry::Deed(Ties::Disk(_), deed)) => disk.push(deed),
                Some(Entry::Deed(Ties::Wire(_), deed)) => wire.push(deed),
                _ => {}
            }
        }
        (disk, wire)
    }
}
