//! The simulated world: true time, what happens when, who is alive, and everything outside of the loops. One lock
//! around all of it; nothing here waits.

mod agenda;
mod call;
mod life;
mod ready;

pub use agenda::{Deed, Entry, Order, Ties};
pub use call::{Fate, Link, Slot, Trip};
pub use life::{Life, Lives};
pub use ready::{Ready, TaskId};

use crate::Ms;
use crate::chance::Chance;
use crate::fault::Mood;
use crate::journal::{Fact, Line, Told};
use crate::mutant::Mutant;
use crate::port::prober::Probes;
use crate::port::queue::Jobs;
use crate::port::store::Database;
use crate::port::wake::Bells;
use crate::script::Script;
use agenda::Agenda;
use bw_domain::time::Instant;
use bw_testkit::builders::START;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

/// The world behind its lock.
pub struct World {
    inner: Mutex<Inner>,
    pub ready: Arc<Ready>,
}

/// All that there is.
pub struct Inner {
    pub now: Ms,
    pub chance: Chance,
    pub agenda: Agenda,
    pub script: Arc<Script>,
    pub mood: Mood,
    pub mutant: Option<Mutant>,
    pub lives: Lives,
    pub database: Database,
    /// By node, or one for all when they share a broker.
    pub queues: BTreeMap<usize, Jobs>,
    pub probes: BTreeMap<Life, Probes>,
    pub bells: BTreeMap<Life, Bells>,
    pub journal: Vec<Line>,
    /// The task that is polled, and what each task last read from its clock.
    pub current: TaskId,
    heard: BTreeMap<TaskId, VecDeque<Instant>>,
    told: BTreeMap<TaskId, Told>,
    hasher: DefaultHasher,
}

/// What a decision was made from beside the rows.
#[derive(Clone, Debug)]
pub struct Basis {
    pub heard: Vec<Instant>,
    pub told: Told,
}

/// So many readings of the clock are remembered for each task: a decision uses one of the last.
const HEARD: usize = 16;

impl World {
    /// The beginning of a script.
    pub fn new(script: Arc<Script>, mutant: Option<Mutant>) -> Arc<Self> {
        let inner = Inner {
            now: 0,
            chance: Chance::new(script.seed, 1),
            agenda: Agenda::new(Chance::new(script.seed, 2)),
            mood: Mood::default(),
            mutant,
            lives: Lives::new(script.nodes),
            database: Database::new(START, script.nodes > 1),
            queues: BTreeMap::new(),
            probes: BTreeMap::new(),
            bells: BTreeMap::new(),
            journal: Vec::new(),
            current: TaskId::default(),
            heard: BTreeMap::new(),
            told: BTreeMap::new(),
            // Its keys are fixed: the same seed has the same hash in every process.
            hasher: DefaultHasher::new(),
            script,
        };
        Arc::new(World { inner: Mutex::new(inner), ready: Arc::default() })
    }

    /// The world for a moment.
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("one thread, and it does not panic here")
    }
}

impl Inner {
    /// The store's clock.
    pub fn store_wall(&self) -> Instant {
        Instant::from_ms(START.ms() + self.now as i64 + self.mood.host_step)
    }

    /// The clock of the node that lives this life.
    pub fn wall(&self, life: Life) -> Instant {
        let offset = self.mood.offsets[self.lives.node(life)].at(self.now);
        Instant::from_ms(self.store_wall().ms() + offset)
    }

    /// A task reads its clock.
    pub fn hear(&mut self, life: Life) -> Instant {
        let wall = self.wall(life);
        let heard = self.heard.entry(self.current).or_default();
        if heard.back() != Some(&wall) {
            heard.push_back(wall);
            if heard.len() > HEARD {
                heard.pop_front();
            }
        }
        wall
    }

    /// What the polled task last read from its clock, newest last.
    pub fn heard(&self) -> Vec<Instant> {
        self.heard.get(&self.current).map(|heard| heard.iter().copied().collect()).unwrap_or_default()
    }

    /// What a task is told about hearing.
    pub fn told(&mut self, task: TaskId) -> &mut Told {
        self.told.entry(task).or_default()
    }

    /// What the polled task knows beside the rows.
    pub fn basis(&self) -> Basis {
        Basis { heard: self.heard(), told: self.told.get(&self.current).cloned().unwrap_or_default() }
    }

    /// A task is no more.
    pub fn forget(&mut self, task: TaskId) {
        self.told.remove(&task);
        self.heard.remove(&task);
    }

    /// A process does something after so long, if it still lives.
    pub fn later(&mut self, life: Life, after: Ms, deed: impl FnOnce(&mut Inner) + Send + 'static) {
        let at = self.now + after;
        self.agenda.add(at, Entry::Deed(Ties::Bound(life), Box::new(deed)));
    }

    /// Writes into the journal.
    pub fn note(&mut self, life: Life, fact: Fact) {
        self.trace(std::mem::discriminant(&fact));
        self.journal.push(Line { at: self.now, wall: self.store_wall(), life, fact });
    }

    /// Everything that happens goes into one hash: two runs of a seed are the same when it is.
    pub fn trace(&mut self, what: impl Hash) {
        (self.now, what).hash(&mut self.hasher);
    }

    /// The hash so far.
    pub fn hash(&self) -> u64 {
        self.hasher.finish()
    }

    /// The queue that a life uses.
    pub fn queue(&mut self, life: Life) -> &mut Jobs {
        let shared = self.script.nodes > 1;
        let key = if shared { 0 } else { self.lives.node(life) };
        self.queues.entry(key).or_default()
    }
}
