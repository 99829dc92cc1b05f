//! Which shards this process holds and how far each is: the memory that `lease`, `plan` and `sweep` share. `lease`
//! says what is held and writes the marks down, `plan` moves `published`, `sweep` moves `accounted`.
//!
//! A mark is written only after what it speaks of was done: losing what is here costs repetition, never a slot.

use bw_domain::port::store::{Gap, Held, Watermark, Watermarks};
use bw_domain::time::{Duration, Instant};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

/// The shards of this process.
#[derive(Debug, Default)]
pub(super) struct Shards {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    held: BTreeMap<u16, Shard>,
    /// Until then, on the clock that never steps, what is held is surely ours.
    sure_until: Duration,
    /// Slots up to here belong to revisions that were surely read.
    read_until: Instant,
}

/// One shard that is held.
#[derive(Clone, Debug)]
pub(super) struct Shard {
    pub epoch: u64,
    /// `None` until `plan` has taken the shard over.
    pub marks: Option<Marks>,
}

/// How far a shard is.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    /// Every slot up to here was handed to the queue, or lies in one of `gaps` or of the stored gaps.
    pub published: Instant,
    pub accounted: Instant,
    /// Gaps that are not stored yet, oldest first: a gap is written when everything before it is accounted for.
    pub gaps: VecDeque<Gap>,
    /// What the store knows.
    stored: Both,
    /// The marks when they last passed a slot. What is beyond is no news.
    news: Both,
}

#[derive(Clone, Copy, Debug)]
struct Both {
    published: Instant,
    accounted: Instant,
}

/// A mark without news is written nevertheless after so long, for it also says until when somebody was there; and
/// so is a gap that goes on.
const NO_NEWS: Duration = Duration::from_secs(30);

impl Marks {
    /// As they were read.
    pub fn read(marks: Watermarks) -> Self {
        let Watermarks { published, accounted, .. } = marks;
        let both = Both { published, accounted };
        Marks { published, accounted, gaps: VecDeque::new(), stored: both, news: both }
    }

    /// Up to here slots can be accounted for one by one.
    pub fn accountable(&self) -> Instant {
        self.gaps.front().map_or(self.published, |gap| gap.from)
    }

    /// The gap whose turn it is to be written: everything before it is accounted for, and it does not grow.
    fn ripe(&self) -> Option<Gap> {
        let closed = |gap: &&Gap| self.published > gap.to || gap.to.since(gap.from) >= NO_NEWS;
        self.gaps.front().filter(|gap| gap.from <= self.accounted).filter(closed).copied()
    }

    /// What the store does not know yet. `published` is never written past a gap that is not stored, and never stays
    /// behind `accounted`.
    fn moved(&self) -> impl Iterator<Item = (Watermark, Instant)> {
        let is_news = |now: Instant, stored: Instant, news: Instant| {
            now > stored && (news > stored || now.since(stored) >= NO_NEWS)
        };
        let accounted = is_news(self.accounted, self.stored.accounted, self.news.accounted);
        let published = is_news(self.accountable(), self.stored.published, self.news.published)
            || (accounted && self.accounted > self.stored.published);
        let published = published.then(|| (Watermark::Published, self.accountable()));
        published.into_iter().chain(accounted.then_some((Watermark::Accounted, self.accounted)))
    }

    /// Everything up to here is handed over; `slots` tells whether that was anything.
    pub fn publish(&mut self, to: Instant, slots: bool) {
        self.published = self.published.max(to);
        if slots {
            self.news.published = self.published;
        }
    }

    /// Everything up to here is accounted for.
    pub fn account(&mut self, to: Instant, slots: bool) {
        self.accounted = self.accounted.max(to);
        if slots {
            self.news.accounted = self.accounted;
        }
    }

    /// Everything in the gap is written off; planning goes on behind it.
    pub fn write_off(&mut self, gap: Gap) {
        self.published = self.published.max(gap.to);
        match self.gaps.back_mut().filter(|last| last.to == gap.from && last.code == gap.code) {
            Some(last) => last.to = gap.to,
            None => self.gaps.push_back(gap),
        }
    }
}

impl Shards {
    /// Takes over what the store says is held. A shard that stays with its epoch keeps its marks.
    pub fn hold(&self, held: &[Held], sure_until: Duration) {
        let mut inner = self.lock();
        inner.sure_until = sure_until;
        let before = std::mem::take(&mut inner.held);
        inner.held = held
            .iter()
            .map(|held| {
                let kept = before.get(&held.shard).filter(|shard| shard.epoch == held.epoch).cloned();
                (held.shard, kept.unwrap_or(Shard { epoch: held.epoch, marks: None }))
            })
            .collect();
    }

    /// The edits that concern slots up to here were read.
    pub fn read_edits(&self, until: Instant) {
        self.lock().read_until = until;
    }

    /// Up to here every slot is known: what lies beyond may not be passed over as if there were none.
    pub fn known_until(&self) -> Instant {
        self.lock().read_until
    }

    /// They stay ours for another while, although it could not be written down.
    pub fn prolong(&self, sure_until: Duration) {
        self.lock().sure_until = sure_until;
    }

    /// Everything that is surely held.
    pub fn all(&self, monotonic: Duration) -> BTreeMap<u16, Shard> {
        let inner = self.lock();
        if monotonic < inner.sure_until { inner.held.clone() } else { BTreeMap::new() }
    }

    /// One shard, if it is surely held.
    pub fn get(&self, shard: u16, monotonic: Duration) -> Option<Shard> {
        let inner = self.lock();
        inner.held.get(&shard).filter(|_| monotonic < inner.sure_until).cloned()
    }

    /// The shards that `plan` has not taken over.
    pub fn fresh(&self, monotonic: Duration) -> Vec<(u16, u64)> {
        let inner = self.lock();
        if monotonic >= inner.sure_until {
            return Vec::new();
        }
        inner
            .held
            .iter()
            .filter(|(_, shard)| shard.marks.is_none())
            .map(|(id, shard)| (*id, shard.epoch))
            .collect()
    }

    /// Changes the marks of a shard, if it is still held with this epoch and was taken over.
    pub fn change(&self, shard: u16, epoch: u64, change: impl FnOnce(&mut Marks)) {
        let mut inner = self.lock();
        let held = inner.held.get_mut(&shard).filter(|held| held.epoch == epoch);
        if let Some(marks) = held.and_then(|held| held.marks.as_mut()) {
            change(marks);
        }
    }

    /// `plan` has taken a shard over.
    pub fn taken_over(&self, epoch: u64, marks: Watermarks) {
        if let Some(shard) = self.lock().held.get_mut(&marks.shard).filter(|held| held.epoch == epoch) {
            shard.marks = Some(Marks::read(marks));
        }
    }

    /// The shard is somebody else's.
    pub fn lose(&self, shard: u16, epoch: u64) {
        let mut inner = self.lock();
        if inner.held.get(&shard).is_some_and(|held| held.epoch == epoch) {
            inner.held.remove(&shard);
        }
    }

    /// The marks that the store does not know yet.
    pub fn moves(&self) -> Vec<(u16, u64, Watermark, Instant)> {
        let inner = self.lock();
        let taken =
            inner.held.iter().filter_map(|(id, shard)| Some((*id, shard.epoch, shard.marks.as_ref()?)));
        taken
            .flat_map(|(id, epoch, marks)| marks.moved().map(move |(which, to)| (id, epoch, which, to)))
            .collect()
    }

    /// The gaps whose turn it is to be written.
    pub fn ripe(&self) -> Vec<(u64, Gap)> {
        let inner = self.lock();
        inner.held.values().filter_map(|shard| Some((shard.epoch, shard.marks.as_ref()?.ripe()?))).collect()
    }

    /// A mark is written.
    pub fn written(&self, shard: u16, epoch: u64, which: Watermark, to: Instant) {
        self.change(shard, epoch, |marks| match which {
            Watermark::Published => marks.stored.published = marks.stored.published.max(to),
            Watermark::Accounted => marks.stored.accounted = marks.stored.accounted.max(to),
        });
    }

    /// A gap is written, and both marks with it.
    pub fn gap_written(&self, epoch: u64, gap: Gap) {
        self.change(gap.shard, epoch, |marks| {
            // It may have grown meanwhile: what is left of it comes next.
            match marks.gaps.front_mut().filter(|first| first.to > gap.to) {
                Some(first) => first.from = gap.to,
                None => drop(marks.gaps.pop_front()),
            }
            marks.accounted = marks.accounted.max(gap.to);
            marks.stored.accounted = marks.stored.accounted.max(gap.to);
            marks.stored.published = marks.stored.published.max(gap.to);
        });
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no one panics while holding the shards")
    }
}
