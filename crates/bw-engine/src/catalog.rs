//! The compiled monitors and the declared actions, filled from the store and kept fresh by its change feed. Every
//! loop and every list reads them here. The lock is held for look-ups only, never while something is awaited.
//!
//! A monitor that is edited has several revisions here until nobody asks about slots before the newest one: a slot
//! belongs to the revision in force at its instant. A stored declaration that does not compile (the defaults were
//! changed under it) is kept out and listed as broken.

mod keys;
mod pool;

pub use keys::BeatKey;

use bw_domain::action::Action;
use bw_domain::id::MonitorId;
use bw_domain::limits::SHARDS;
use bw_domain::monitor::{Defaults, Spec, compile, compile_taking};
use bw_domain::port::store::{Changes, Revision, Store, StoreError};
use bw_domain::read::Problem;
use bw_domain::schedule::{Grid, shard_of};
use bw_domain::time::{Duration, Instant};
use keys::BeatKeys;
use pool::Pools;
use smallvec::{SmallVec, smallvec};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What every loop knows of the declarations.
#[derive(Debug)]
pub struct LiveCatalog {
    defaults: Arc<Defaults>,
    inner: RwLock<Inner>,
}

#[derive(Debug)]
struct Inner {
    cursor: u64,
    filled: bool,
    /// By shard, so that planning a shard reads its own monitors only.
    shards: Vec<BTreeMap<MonitorId, Entry>>,
    actions: Arc<Vec<Action>>,
    broken: BTreeMap<MonitorId, Arc<[Problem]>>,
    /// Monitors with more than one revision here.
    edited: BTreeSet<MonitorId>,
    /// The last changes in order, and how many there were in all.
    log: VecDeque<MonitorId>,
    logged: u64,
    pools: Pools,
    /// By which addresses heartbeats are found.
    keys: BeatKeys,
}

/// Changes that are remembered for those who follow; beyond it looking at all is cheaper.
const LOG: usize = 4_096;

/// The revisions of one monitor, oldest first; never empty.
#[derive(Debug)]
struct Entry {
    revisions: SmallVec<[Arc<Spec>; 1]>,
    updated_at: Instant,
}

impl Entry {
    fn newest(&self) -> &Arc<Spec> {
        self.revisions.last().expect("an entry has a revision")
    }

    fn in_force(&self, at: Instant) -> Option<&Arc<Spec>> {
        self.revisions.iter().rev().find(|spec| spec.effective_from <= at)
    }

    /// Each revision with the end of the time in which it counts. A clock that was set back can make a later revision
    /// count from an earlier instant; the later one wins.
    fn spans(&self) -> impl Iterator<Item = (&Arc<Spec>, Instant)> {
        self.revisions.iter().enumerate().map(|(index, spec)| {
            let later = self.revisions[index + 1..].iter().map(|later| later.effective_from);
            (spec, later.min().unwrap_or(Instant::MAX))
        })
    }

    /// Puts a revision where it belongs. False when it is here already.
    fn put(&mut self, spec: Arc<Spec>) -> bool {
        let place = self.revisions.partition_point(|held| held.revision < spec.revision);
        if self.revisions.get(place).is_some_and(|held| held.revision == spec.revision) {
            return false;
        }
        self.revisions.insert(place, spec);
        true
    }
}

impl LiveCatalog {
    /// An empty one; `refresh` fills it.
    pub fn new(defaults: Arc<Defaults>) -> Self {
        let inner = Inner {
            cursor: 0,
            filled: false,
            shards: (0..SHARDS).map(|_| BTreeMap::new()).collect(),
            actions: Arc::default(),
            broken: BTreeMap::new(),
            edited: BTreeSet::new(),
            log: VecDeque::new(),
            logged: 0,
            pools: Pools::default(),
            keys: BeatKeys::default(),
        };
        LiveCatalog { defaults, inner: RwLock::new(inner) }
    }

    /// The newest revision.
    pub fn get(&self, id: MonitorId) -> Option<Arc<Spec>> {
        self.read().entry(id).map(|entry| entry.newest().clone())
    }

    /// Exactly this revision, if it is still here.
    pub fn at(&self, id: MonitorId, revision: u32) -> Option<Arc<Spec>> {
        let inner = self.read();
        inner.entry(id)?.revisions.iter().find(|spec| spec.revision == revision).cloned()
    }

    /// The revision to which a slot at this instant belongs.
    pub fn in_force(&self, id: MonitorId, at: Instant) -> Option<Arc<Spec>> {
        self.read().entry(id)?.in_force(at).cloned()
    }

    /// The first slot after an instant, over all revisions, with the revision that it belongs to.
    pub fn next_slot(&self, id: MonitorId, after: Instant) -> Option<(Instant, Arc<Spec>)> {
        let looked_at = |spec: &Spec| spec.enabled && spec.probe().is_some();
        self.read().entry(id)?.spans().filter(|(spec, _)| looked_at(spec)).find_map(|(spec, end)| {
            let before = spec.effective_from - Duration::from_millis(1);
            let slot = Grid::of(id, spec.policy.every).after(after.max(before));
            (slot < end).then(|| (slot, spec.clone()))
        })
    }

    /// The newest revision of every monitor, by id.
    pub fn all(&self) -> Vec<Arc<Spec>> {
        let inner = self.read();
        let entries = inner.shards.iter().flat_map(BTreeMap::iter);
        let mut all: Vec<_> = entries.map(|(id, entry)| (*id, entry.newest().clone())).collect();
        drop(inner);
        all.sort_unstable_by_key(|(id, _)| *id);
        all.into_iter().map(|(_, spec)| spec).collect()
    }

    /// The monitors of one shard.
    pub fn shard(&self, shard: u16) -> Vec<MonitorId> {
        self.read().shards[usize::from(shard)].keys().copied().collect()
    }

    /// The heartbeats with this key; several where they share a slug.
    pub fn heartbeats(&self, key: &BeatKey<'_>) -> SmallVec<[Arc<Spec>; 1]> {
        let inner = self.read();
        let found = inner.keys.find(key);
        let specs = found.iter().filter_map(|id| inner.entry(*id)).map(|entry| entry.newest());
        // Where keys are digests two may meet.
        specs.filter(|spec| key.is_of(spec)).cloned().collect()
    }

    /// How many monitors there are.
    pub fn len(&self) -> usize {
        self.read().shards.iter().map(BTreeMap::len).sum()
    }

    /// True without monitors.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The declared actions.
    pub fn actions(&self) -> Arc<Vec<Action>> {
        self.read().actions.clone()
    }

    /// How far the feed of changes was read: grows with every edit.
    pub fn cursor(&self) -> u64 {
        self.read().cursor
    }

    /// True once it has been filled: before that, what is missing here says nothing.
    pub fn is_filled(&self) -> bool {
        self.read().filled
    }

    /// When a monitor was last edited.
    pub fn updated_at(&self, id: MonitorId) -> Option<Instant> {
        self.read().entry(id).map(|entry| entry.updated_at)
    }

    /// Stored monitors that do not compile, with why.
    pub fn broken(&self) -> Vec<(MonitorId, Arc<[Problem]>)> {
        self.read().broken.iter().map(|(id, problems)| (*id, problems.clone())).collect()
    }

    /// Reads what has changed since the last time. Answers the monitors that did.
    pub async fn refresh(&self, store: &Store) -> Result<Vec<MonitorId>, StoreError> {
        let after = self.cursor();
        let changes = store.catalog.changes(after).await?;
        Ok(self.apply(changes))
    }

    /// The monitors that have changed since `followed`, which moves to now. `None`: too many to remember, look at all.
    pub fn changed_since(&self, followed: &mut u64) -> Option<Vec<MonitorId>> {
        let inner = self.read();
        let behind = inner.logged - std::mem::replace(followed, inner.logged);
        let from = inner.log.len().checked_sub(usize::try_from(behind).unwrap_or(usize::MAX))?;
        Some(inner.log.range(from..).copied().collect())
    }

    /// Reads older revisions of the monitors of a shard from the store, where those here do not reach back to
    /// `after`: what was planned before a restart belongs to the revision of its time.
    pub async fn reach_back(&self, store: &Store, shard: u16, after: Instant) -> Result<(), StoreError> {
        let short: Vec<MonitorId> = {
            let inner = self.read();
            let entries = inner.shards[usize::from(shard)].iter();
            let oldest = entries.map(|(id, entry)| (*id, &entry.revisions[0]));
            oldest
                .filter(|(_, spec)| spec.revision > 1 && spec.effective_from > after)
                .map(|(id, _)| id)
                .collect()
        };
        for id in short {
            let revisions = store.catalog.revisions(id).await?;
            self.write().add_history(id, &revisions, after, &self.defaults);
        }
        Ok(())
    }

    /// Drops revisions whose time ended before this: nobody asks about slots so old.
    pub fn forget(&self, before: Instant) {
        self.write().forget(before);
    }

    /// Two refreshes may overlap: what a later one brought is not undone by an earlier one.
    fn apply(&self, changes: Changes) -> Vec<MonitorId> {
        let mut inner = self.write();
        if inner.filled && inner.cursor >= changes.cursor {
            return Vec::new();
        }
        inner.cursor = changes.cursor;
        inner.filled = true;
        if let Some(actions) = changes.actions {
            inner.actions = Arc::new(actions);
        }
        let changed: BTreeSet<MonitorId> = changes
            .revisions
            .into_iter()
            .filter_map(|revision| inner.take(revision, &self.defaults))
            .collect();
        inner.note(&changed);
        changed.into_iter().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().expect("no one panics while holding the catalog")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().expect("no one panics while holding the catalog")
    }
}

impl Inner {
    fn entry(&self, id: MonitorId) -> Option<&Entry> {
        self.shards[usize::from(shard_of(id))].get(&id)
    }

    /// Takes one revision in. Answers the monitor when that changed something.
    fn take(&mut self, revision: Revision, defaults: &Defaults) -> Option<MonitorId> {
        let id = revision.id;
        let was_broken = self.broken.remove(&id).is_some();
        if let Some(before) = self.entry(id).map(|entry| entry.newest().clone()) {
            self.keys.remove(&before);
        }
        let known = self.take_in(revision, defaults, was_broken);
        if let Some(spec) = self.entry(id).map(|entry| entry.newest().clone()) {
            self.keys.add(&spec);
        }
        known
    }

    fn take_in(&mut self, revision: Revision, defaults: &Defaults, was_broken: bool) -> Option<MonitorId> {
        let (id, updated_at) = (revision.id, revision.updated_at);
        if revision.declared.is_none() {
            self.edited.remove(&id);
            let was_here = self.shards[usize::from(shard_of(id))].remove(&id).is_some();
            return (was_here || was_broken).then_some(id);
        }
        let spec = match compile_taking(revision, defaults) {
            Ok(spec) => self.pools.share(spec),
            Err(problems) => {
                tracing::error!(monitor = %id, "a stored monitor no longer compiles: {}", sentence(&problems));
                self.broken.insert(id, problems.into());
                self.edited.remove(&id);
                self.shards[usize::from(shard_of(id))].remove(&id);
                return Some(id);
            }
        };
        let entries = &mut self.shards[usize::from(shard_of(id))];
        let Some(entry) = entries.get_mut(&id) else {
            entries.insert(id, Entry { revisions: smallvec![spec], updated_at });
            return Some(id);
        };
        if !entry.put(spec) {
            return None;
        }
        entry.updated_at = entry.updated_at.max(updated_at);
        self.edited.insert(id);
        Some(id)
    }

    fn note(&mut self, changed: &BTreeSet<MonitorId>) {
        self.logged += changed.len() as u64;
        self.log.extend(changed);
        let over = self.log.len().saturating_sub(LOG);
        self.log.drain(..over);
    }

    fn add_history(&mut self, id: MonitorId, stored: &[Revision], after: Instant, defaults: &Defaults) {
        let counts_after =
            |index: usize| stored.get(index + 1).is_none_or(|next| next.effective_from > after);
        let wanted = stored.iter().enumerate().filter(|(index, _)| counts_after(*index)).map(|(_, one)| one);
        // One that no longer compiles had its slots planned by a process that is gone; nothing can be said of them.
        let compiled: Vec<_> = wanted.filter_map(|revision| compile(revision, defaults).ok()).collect();
        for spec in compiled {
            let spec = self.pools.share(spec);
            let Some(entry) = self.shards[usize::from(shard_of(id))].get_mut(&id) else { return };
            if spec.revision < entry.newest().revision && entry.put(spec) {
                self.edited.insert(id);
            }
        }
    }

    fn forget(&mut self, before: Instant) {
        let shards = &mut self.shards;
        self.edited.retain(|id| {
            let Some(entry) = shards[usize::from(shard_of(*id))].get_mut(id) else { return false };
            while entry.revisions.len() > 1 && entry.revisions[1].effective_from <= before {
                entry.revisions.remove(0);
            }
            entry.revisions.len() > 1
        });
    }
}

fn sentence(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
