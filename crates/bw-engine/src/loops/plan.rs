//! `plan` hands every slot of its shards to the queue when its instant has come (earlier by the queue's lead), and
//! only then moves the shard's mark. A crash in between hands slots over twice; their key makes that harmless.
//!
//! A slot belongs to the revision in force at its instant, so `plan` never goes further than it has surely read the
//! edits. What it cannot publish in time it writes off as a gap, and says so to the monitors concerned.

use super::calls::Calls;
use super::decide::{Case, Decider, Fate, What};
use super::shards::Shards;
use super::{Next, Parts, Tick, noted};
use crate::catalog::LiveCatalog;
use crate::usecase::Services;
use crate::vitals::LoopName;
use bw_domain::id::MonitorId;
use bw_domain::job::{Job, window};
use bw_domain::limits;
use bw_domain::outcome::Code;
use bw_domain::port::Fut;
use bw_domain::port::queue::Lane;
use bw_domain::port::store::{Gap, StoreError};
use bw_domain::port::wake::Topic;
use bw_domain::schedule::{Agenda, catch_up, shard_of, vantages_at};
use bw_domain::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Edits are read so often: much shorter than the lead that an edit has.
const READ: Duration = Duration::from_millis(500);
/// How well the store's clock is known.
const MARGIN: Duration = Duration::from_millis(500);
/// After an error of the store.
const AGAIN: Duration = Duration::from_millis(200);
/// After the queue took nothing.
const REFUSED: Duration = Duration::from_secs(1);
/// Slots closer together than the timer's grain are handed over together.
const GRAIN: Duration = Duration::from_millis(1);
/// Jobs in one message.
const BATCH: usize = 500;

/// What cannot be published is written off at this pace, so that a long trouble is few rows.
const HELD_UP: Duration = Duration::from_secs(30);
/// How often it is looked what is held.
const LOOK: Duration = Duration::from_millis(100);

/// When it was asked, on the store's clock, and what came of it.
type Read = (Instant, Result<Vec<MonitorId>, StoreError>);

/// The loop.
pub(super) struct Planner {
    services: Services,
    shards: Arc<Shards>,
    decider: Decider,
    agendas: BTreeMap<u16, Page>,
    reading: Calls<Read>,
    /// How far the changes of the catalog are followed.
    followed: u64,
    /// On the clock that never steps.
    read_at: Duration,
    look_at: Duration,
    /// Slots up to here belong to revisions that were surely read.
    sure_until: Instant,
    /// Why slots are late, if they are.
    held_up: Code,
    /// The queue took nothing; it is asked again then, on the clock that never steps.
    refused_until: Duration,
}

/// One shard's agenda.
struct Page {
    epoch: u64,
    agenda: Agenda,
    /// Everything up to here is handed over or written off.
    published: Instant,
    absence: Option<Absence>,
}

/// A time in which nothing could be handed over.
#[derive(Clone, Copy)]
struct Absence {
    since: Instant,
    /// The monitors know.
    told: bool,
}

/// Jobs that are handed over together, and what is true once they are.
#[derive(Default)]
struct Batch {
    jobs: Vec<Job>,
    /// The entries that they came from.
    entries: Vec<(MonitorId, Instant)>,
    marks: Vec<(u16, Instant)>,
}

impl Planner {
    pub fn new(parts: &Parts, shards: Arc<Shards>) -> Self {
        Planner {
            services: parts.services.clone(),
            shards,
            decider: Decider::new(parts),
            agendas: BTreeMap::new(),
            reading: Calls::default(),
            followed: 0,
            read_at: Duration::ZERO,
            look_at: Duration::ZERO,
            sure_until: Instant::ZERO,
            held_up: Code::SELF_MISSED,
            refused_until: Duration::ZERO,
        }
    }

    async fn plan(&mut self) -> Next {
        self.read_edits();
        let now = self.services.clock.now();
        let until = (now + self.services.queue.lead()).min(self.sure_until);
        let free = self.may_publish() && now.since(until) <= limits::CATCH_UP;
        if let Err(error) = self.prepare(if free { limits::CATCH_UP } else { HELD_UP }).await {
            tracing::debug!("planning waits for the store: {error}");
            return Next::At(self.services.clock.now() + AGAIN);
        }
        if !free || !self.publish(until).await {
            return Next::At(now + AGAIN);
        }
        self.held_up = Code::SELF_MISSED;
        self.next(until)
    }

    /// Takes in what was read, and begins to read again.
    fn read_edits(&mut self) {
        if let Some((asked_at, answer)) = self.reading.take() {
            match noted(&self.services, answer) {
                Ok(_) => {
                    self.sure_until = asked_at + limits::EDIT_LEAD - MARGIN;
                    self.shards.read_edits(self.sure_until);
                }
                Err(error) => tracing::debug!("edits could not be read: {error}"),
            }
        }
        self.follow();
        let monotonic = self.services.clock.monotonic();
        if self.reading.is_idle() && monotonic >= self.read_at {
            self.read_at = monotonic + READ;
            let services = self.services.clone();
            let offset = services.vitals.clock_offset.load(Relaxed);
            let asked_at = Instant::from_ms(services.clock.now().ms() + offset);
            self.reading.start(async move { (asked_at, services.catalog.refresh(&services.store).await) });
        }
    }

    /// Entries follow the revisions, whoever read them.
    fn follow(&mut self) {
        let catalog = self.services.catalog.clone();
        match catalog.changed_since(&mut self.followed) {
            Some(changed) => {
                for id in changed {
                    let Some(page) = self.agendas.get_mut(&shard_of(id)) else { continue };
                    match catalog.next_slot(id, page.published) {
                        Some((slot, _)) => page.agenda.set(id, slot),
                        None => page.agenda.remove(id),
                    }
                }
            }
            None => self.agendas.iter_mut().for_each(|(shard, page)| fill(&catalog, page, *shard)),
        }
    }

    /// Takes shards over, and writes off what is later than `patience` allows.
    async fn prepare(&mut self, patience: Duration) -> Result<(), StoreError> {
        let monotonic = self.services.clock.monotonic();
        if monotonic >= self.look_at && self.services.catalog.is_filled() {
            self.take_over(monotonic).await?;
            let held = self.shards.all(monotonic);
            self.agendas.retain(|shard, page| held.get(shard).is_some_and(|held| held.epoch == page.epoch));
            for (shard, held) in held {
                // Also one that was not surely ours for a while and has not changed hands.
                if let (false, Some(marks)) = (self.agendas.contains_key(&shard), held.marks) {
                    let page = page(&self.services.catalog, shard, held.epoch, marks.published);
                    self.agendas.insert(shard, page);
                }
            }
            self.look_at = monotonic + LOOK;
        }
        let now = self.services.clock.now();
        let late = self.agendas.iter().filter(|(_, page)| now.since(page.published) > patience);
        let late: Vec<(u16, Instant)> = late.map(|(shard, page)| (*shard, page.published)).collect();
        let (code, mut gaps) = (self.held_up, Vec::new());
        for (shard, published) in late {
            let Some((from, to)) = catch_up(published, now).gap else { continue };
            // A slot that is not known yet must not be passed over as none.
            let to = to.min(self.sure_until);
            if to > from && self.write_off(Gap { shard, from, to, code }).await? {
                gaps.push((from, to));
            }
        }
        if let (Some((from, _)), Some((_, to))) = (gaps.iter().min(), gaps.iter().max_by_key(|(_, to)| to)) {
            let shards = gaps.len();
            tracing::warn!(shards, "the slots from {from} to {to} were not probed: {code}, {}", code.text());
        }
        Ok(())
    }

    async fn take_over(&mut self, monotonic: Duration) -> Result<(), StoreError> {
        let fresh = self.shards.fresh(monotonic);
        if fresh.is_empty() {
            return Ok(());
        }
        let services = self.services.clone();
        let ids = fresh.iter().map(|(shard, _)| *shard).collect();
        let marks = noted(&services, services.store.accounts.watermarks(ids).await)?;
        for (shard, epoch) in fresh {
            let Some(marks) = marks.iter().find(|marks| marks.shard == shard) else { continue };
            let back = services.catalog.reach_back(&services.store, shard, marks.accounted).await;
            noted(&services, back)?;
            self.shards.taken_over(epoch, *marks);
        }
        Ok(())
    }

    /// Nobody looked in the time of the gap, and looking now would answer another question. Monitors first: a crash
    /// before the gap is stored finds the same gap again. False: there were no slots in it.
    async fn write_off(&mut self, gap: Gap) -> Result<bool, StoreError> {
        let Gap { shard, from, to, .. } = gap;
        let Some(page) = self.agendas.get_mut(&shard) else { return Ok(false) };
        if page.agenda.next().is_none_or(|slot| slot > to) {
            page.published = to;
            self.shards.change(shard, page.epoch, |marks| marks.publish(to, false));
            return Ok(false);
        }
        let mut absence = page.absence.unwrap_or(Absence { since: from, told: false });
        if !absence.told {
            absence.told = self.tell_away(shard, absence.since).await?;
        }
        let Some(page) = self.agendas.get_mut(&shard) else { return Ok(false) };
        page.published = to;
        page.absence = Some(absence);
        fill(&self.services.catalog, page, shard);
        self.shards.change(shard, page.epoch, |marks| marks.write_off(gap));
        Ok(true)
    }

    /// Monitors that nobody looked at for too long. True when that concerned any.
    async fn tell_away(&mut self, shard: u16, since: Instant) -> Result<bool, StoreError> {
        let catalog = self.services.catalog.clone();
        let absent = self.services.clock.now().since(since);
        let stale = |id: &MonitorId| catalog.get(*id).is_some_and(|spec| absent > spec.stale_after());
        let away: Vec<MonitorId> = catalog.shard(shard).into_iter().filter(stale).collect();
        for batch in away.chunks(limits::COMMIT_BATCH) {
            let case = |id: &MonitorId| Case { monitor: *id, what: What::Away(since) };
            let mut cases: Vec<Case> = batch.iter().map(case).collect();
            // Where rows keep moving somebody is looking again.
            for _ in 0..3 {
                let mut fates = self.decider.decide(&cases).await?.into_iter();
                cases.retain(|_| fates.next() == Some(Fate::Again));
            }
        }
        Ok(!away.is_empty())
    }

    /// Not with a wrong clock, and not into a queue that is too deep. `watch` says so.
    fn may_publish(&mut self) -> bool {
        let vitals = &self.services.vitals;
        let offset = vitals.clock_offset.load(Relaxed).unsigned_abs();
        let deep = vitals.queue_planned.load(Relaxed) >= limits::QUEUE_JOBS as u64;
        if deep {
            self.held_up = Code::SELF_OVERLOADED;
        }
        let refused = self.services.clock.monotonic() < self.refused_until;
        offset <= limits::CLOCK_OFFSET.as_millis() as u64 && !deep && !refused
    }

    /// Hands over every slot up to `until`. False when the queue did not take them all.
    async fn publish(&mut self, until: Instant) -> bool {
        let shards: Vec<u16> = self.agendas.keys().copied().collect();
        let mut batch = Batch::default();
        for shard in shards {
            loop {
                let done = self.fill_batch(shard, until, &mut batch);
                if batch.jobs.len() >= BATCH && !self.hand_over(std::mem::take(&mut batch)).await {
                    return false;
                }
                if done {
                    break;
                }
            }
        }
        self.hand_over(batch).await
    }

    /// Takes slots of a shard into the batch. True when none is left.
    fn fill_batch(&mut self, shard: u16, until: Instant, batch: &mut Batch) -> bool {
        let catalog = &self.services.catalog;
        let Some(page) = self.agendas.get_mut(&shard) else { return true };
        while batch.jobs.len() < BATCH {
            let Some((slot, id)) = page.agenda.pop(until) else {
                if until > page.published {
                    batch.marks.push((shard, until));
                }
                return true;
            };
            if let Some(spec) = catalog.in_force(id, slot).filter(|spec| spec.enabled) {
                let not_after = window(slot, spec.policy.every, spec.policy.timeout).not_after;
                let (monitor, revision) = (id, spec.revision);
                let vantages = vantages_at(&spec, slot).into_iter();
                let job =
                    |vantage| Job { monitor, revision, vantage, slot, r#try: 0, start: slot, not_after };
                batch.jobs.extend(vantages.map(job));
            }
            batch.entries.push((id, slot));
            if let Some((next, _)) = catalog.next_slot(id, slot) {
                page.agenda.set(id, next);
            }
        }
        // Slots at the same instant as the next entry may be in the batch; the mark stays before it.
        if let Some(next) = page.agenda.next() {
            let mark = until.min(next - Duration::from_millis(1));
            if mark > page.published {
                batch.marks.push((shard, mark));
            }
        }
        false
    }

    /// False: nothing of the batch was handed over, and its entries are due again.
    async fn hand_over(&mut self, batch: Batch) -> bool {
        let Batch { jobs, entries, marks } = batch;
        let slots: BTreeSet<u16> = entries.iter().map(|(id, _)| shard_of(*id)).collect();
        if !jobs.is_empty() {
            if let Err(error) = self.services.queue.publish(Lane::Planned, jobs).await {
                tracing::debug!("slots could not be handed to the queue: {error}");
                self.held_up = Code::SELF_OVERLOADED;
                self.refused_until = self.services.clock.monotonic() + REFUSED;
                // The earliest entry of a monitor is set last and stands.
                for (id, slot) in entries.into_iter().rev() {
                    if let Some(page) = self.agendas.get_mut(&shard_of(id)) {
                        page.agenda.set(id, slot);
                    }
                }
                return false;
            }
            self.services.wake.notify(Topic::Jobs);
        }
        for (shard, mark) in marks {
            let Some(page) = self.agendas.get_mut(&shard) else { continue };
            page.published = page.published.max(mark);
            page.absence = None;
            self.shards.change(shard, page.epoch, |marks| marks.publish(mark, slots.contains(&shard)));
        }
        true
    }

    fn next(&self, until: Instant) -> Next {
        let now = self.services.clock.now();
        let lead = self.services.queue.lead();
        let due = self.agendas.values().filter_map(|page| page.agenda.next()).min();
        // With a lead, what becomes due within half of it goes together: still early, and half as often looked at.
        let step = GRAIN.max(lead / 2);
        let due = due.map_or(now + READ, |slot| (slot - lead).max(now + step));
        // Held back by what was read of the edits, not by the clock.
        let soonest = if until < now + lead { now + GRAIN * 10 } else { now };
        let wait = self.read_at.saturating_sub(self.services.clock.monotonic());
        Next::At(due.max(soonest).min(now + wait.max(GRAIN)))
    }
}

/// The agenda of a shard that was published up to here.
fn page(catalog: &LiveCatalog, shard: u16, epoch: u64, published: Instant) -> Page {
    let mut page = Page { epoch, agenda: Agenda::default(), published, absence: None };
    fill(catalog, &mut page, shard);
    page
}

/// Every monitor of the shard at its first slot that is not handed over.
fn fill(catalog: &LiveCatalog, page: &mut Page, shard: u16) {
    page.agenda = Agenda::default();
    for id in catalog.shard(shard) {
        if let Some((slot, _)) = catalog.next_slot(id, page.published) {
            page.agenda.set(id, slot);
        }
    }
}

impl Tick for Planner {
    fn name(&self) -> LoopName {
        LoopName::Plan
    }

    fn topics(&self) -> &[Topic] {
        &[Topic::Catalog]
    }

    fn tick(&mut self) -> Fut<'_, Next> {
        Box::pin(self.plan())
    }

    fn progress(&mut self) -> Fut<'_, ()> {
        Box::pin(self.reading.any())
    }
}
