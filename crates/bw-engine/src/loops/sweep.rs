//! `sweep` does what time demands: timers that are due, and slots that came to nothing.
//!
//! `accounted` never passes a slot without an outcome. A slot whose window is over and that no outcome answers gets
//! one of ours, *inconclusive: lost*, through the same decision as any other; one that this process still runs is
//! waited for.

use super::decide::{Case, Decider, Fate, What};
use super::shards::{Shard, Shards};
use super::{Next, Parts, Tick, noted};
use crate::inbox::Inbox;
use crate::usecase::Services;
use crate::vitals::LoopName;
use bw_domain::beat::Deaf;
use bw_domain::id::MonitorId;
use bw_domain::job::{Job, OutcomeKey, window};
use bw_domain::limits::{self, HEARING_EVERY};
use bw_domain::outcome::{Code, Outcome};
use bw_domain::port::Fut;
use bw_domain::port::store::StoreError;
use bw_domain::port::wake::Topic;
use bw_domain::schedule::vantages_at;
use bw_domain::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often each shard is accounted for: slots are asked about together, not one by one.
const ROUND: Duration = Duration::from_secs(5);
/// Younger slots are likely to be under way: asking about them would be in vain.
const SETTLED: Duration = Duration::from_secs(10);
/// How often it is looked what is held.
const FOLLOW: Duration = Duration::from_millis(500);
/// So long without an answer, and leases of hearing may have run out because nobody could renew them.
const STORE_GONE: Duration = limits::HEARING_LEASE.saturating_sub(Duration::from_secs(2));
/// Within this everybody who hears has said how far it is, once the store is back.
const SAID: Duration = Duration::from_secs(2);
/// After an error of the store.
const AGAIN: Duration = Duration::from_millis(500);
/// Slots of one shard that are looked at in one go.
const SLOTS: usize = 4_096;

/// The loop.
pub(super) struct Sweeper {
    services: Services,
    inbox: Arc<Inbox>,
    shards: Arc<Shards>,
    decider: Decider,
    /// When each shard is looked at next, on the clock that never steps.
    look_at: BTreeMap<u16, Duration>,
    /// When it is looked again what is held.
    follow_at: Duration,
    /// When it was last known how far beats are in, unless nobody hears; and from when on silence is judged by it.
    heard_at: Option<Duration>,
    judge_from: Duration,
}

/// A slot that has no outcome as far as the rows of observations say.
struct Missing {
    job: Job,
    /// From then on no outcome can come in order.
    lost_at: Instant,
}

/// How far a shard came.
struct Accounted {
    to: Instant,
    /// There were slots on the way.
    slots: bool,
    /// More can be done at once.
    more: bool,
}

impl Sweeper {
    pub fn new(parts: &Parts, shards: Arc<Shards>) -> Self {
        Sweeper {
            services: parts.services.clone(),
            inbox: parts.inbox.clone(),
            shards,
            decider: Decider::new(parts),
            look_at: BTreeMap::new(),
            follow_at: Duration::ZERO,
            heard_at: Some(parts.services.clock.monotonic()),
            judge_from: Duration::ZERO,
        }
    }

    async fn sweep(&mut self) -> Next {
        let (due, silent, accounted) = (self.timers().await, self.silence().await, self.account().await);
        let now = self.services.clock.now();
        let soon = [due, silent, accounted].into_iter().map(|next| {
            next.unwrap_or_else(|error| {
                tracing::debug!("sweeping waits for the store: {error}");
                Next::At(now + AGAIN)
            })
        });
        soon.fold(Next::At(now + ROUND), |first, next| match (first, next) {
            (Next::At(a), Next::At(b)) => Next::At(a.min(b)),
            _ => Next::Now,
        })
    }

    /// Timers that are due.
    async fn timers(&mut self) -> Result<Next, StoreError> {
        let services = self.services.clone();
        let (store, now) = (&services.store, services.clock.now());
        // Monitors that do not compile keep their timers; they must not hide those of others.
        let limit = limits::COMMIT_BATCH + services.catalog.broken().len();
        let due = noted(&services, store.timers.due(now, limit).await)?;
        let full = due.len() >= limit;
        let cases: Vec<Case> = due
            .into_iter()
            .filter(|timer| services.catalog.get(timer.monitor).is_some())
            .map(|timer| Case { monitor: timer.monitor, what: What::Timer })
            .collect();
        if !cases.is_empty() {
            let fates = self.decider.decide(&cases).await?;
            if full && fates.contains(&Fate::Done) {
                return Ok(Next::Now);
            }
            if fates.contains(&Fate::Again) {
                return Ok(Next::At(services.clock.now() + Duration::from_millis(100)));
            }
        }
        let next = noted(&services, store.timers.next().await)?;
        // One that stays due waits for its monitor to be known here.
        let soonest = services.clock.now() + Duration::from_millis(if cases.is_empty() { 250 } else { 0 });
        Ok(Next::At(next.map_or(Instant::MAX, |at| if at <= now { soonest } else { at })))
    }

    /// Heartbeats that want a decision: their beats did not come, or nobody has decided yet about one that did. Only as
    /// far as all beats are in; what lies between then and now is looked at a moment later.
    async fn silence(&mut self) -> Result<Next, StoreError> {
        let services = self.services.clone();
        let beats = &services.store.beats;
        let now = services.clock.now();
        let until = noted(&services, beats.heard_until().await)?;
        let Some(until) = self.settled_hearing(until, services.clock.monotonic()) else {
            return Ok(Next::At(now + HEARING_EVERY));
        };
        // What was heard before the clock was set back lies in the future; no deadline has passed there.
        let until = until.min(now);
        let limit = limits::COMMIT_BATCH + services.catalog.broken().len();
        let due = noted(&services, beats.due(until, limit).await)?;
        let full = due.len() >= limit;
        if !due.is_empty() {
            let deaf: Arc<[Deaf]> = noted(&services, beats.deaf().await)?.into();
            let known = due.into_iter().filter(|timer| services.catalog.get(timer.monitor).is_some());
            let what = || What::Heard { until, deaf: deaf.clone() };
            let cases: Vec<Case> = known.map(|timer| Case { monitor: timer.monitor, what: what() }).collect();
            let fates = self.decider.decide(&cases).await?;
            if full && fates.contains(&Fate::Done) {
                return Ok(Next::Now);
            }
        }
        let next = noted(&services, beats.next().await)?;
        let soonest = now + HEARING_EVERY / 5;
        // A beat, a start or an edit may bring a deadline that is nearer than a second; nobody tells us of it.
        let latest = now + HEARING_EVERY * 2;
        Ok(Next::At(next.map_or(latest, |at| at.clamp(soonest, latest))))
    }

    /// Nothing for a while after the store was not there: leases have run out meanwhile, and who comes back first must not
    /// speak for those who have not said yet how far they are.
    fn settled_hearing(&mut self, until: Option<Instant>, monotonic: Duration) -> Option<Instant> {
        let before = std::mem::replace(&mut self.heard_at, until.map(|_| monotonic));
        if before.is_none_or(|before| monotonic.saturating_sub(before) > STORE_GONE) {
            self.judge_from = monotonic + SAID;
        }
        until.filter(|_| monotonic >= self.judge_from)
    }

    /// The shard whose turn it is; one a tick, so that no timer waits for all of them.
    async fn account(&mut self) -> Result<Next, StoreError> {
        let monotonic = self.services.clock.monotonic();
        if monotonic >= self.follow_at {
            self.follow(monotonic);
            self.follow_at = monotonic + FOLLOW;
        }
        if let Some((shard, _)) = self.first_look().filter(|(_, at)| *at <= monotonic) {
            let mut more = false;
            if let Some(Shard { epoch, marks: Some(marks) }) = self.shards.get(shard, monotonic) {
                let until = self.settled().min(marks.accountable());
                let Accounted { to, slots, more: left } =
                    self.account_shard(shard, marks.accounted, until).await?;
                self.shards.change(shard, epoch, |marks| marks.account(to, slots));
                more = left;
            }
            self.look_at.insert(shard, if more { monotonic } else { monotonic + ROUND });
        }
        let next = self.first_look().map_or(self.follow_at, |(_, at)| at.min(self.follow_at));
        Ok(Next::At(self.services.clock.now() + next.saturating_sub(self.services.clock.monotonic())))
    }

    /// Which shards are held now. The first looks at new ones are spread over a round.
    fn follow(&mut self, monotonic: Duration) {
        let held = self.shards.all(monotonic);
        self.look_at.retain(|shard, _| held.contains_key(shard));
        for shard in held.keys() {
            let spread = ROUND * u32::from(*shard) / u32::from(limits::SHARDS);
            self.look_at.entry(*shard).or_insert(monotonic + spread);
        }
    }

    fn first_look(&self) -> Option<(u16, Duration)> {
        self.look_at.iter().map(|(shard, at)| (*shard, *at)).min_by_key(|(_, at)| *at)
    }

    /// Slots up to here are known, and have probably been answered. Marks that were taken over may lie beyond.
    fn settled(&self) -> Instant {
        (self.services.clock.now() - SETTLED).min(self.shards.known_until())
    }

    /// Accounts for the slots of a shard in (after, until].
    async fn account_shard(
        &mut self,
        shard: u16,
        after: Instant,
        until: Instant,
    ) -> Result<Accounted, StoreError> {
        let (found, until, more) = self.slots(shard, after, until);
        let slots = !found.is_empty();
        let missing = self.unanswered(found).await?;
        let now = self.services.clock.now();
        let (over, open): (Vec<Missing>, Vec<Missing>) = missing
            .into_iter()
            .partition(|missing| missing.lost_at <= now && !self.inbox.expects(&missing.job.key()));
        let left = self.lose(over).await?;
        let waiting = open.iter().map(|missing| missing.job.slot).chain(left).min();
        Ok(match waiting {
            Some(slot) => Accounted { to: until.min(slot - Duration::from_millis(1)), slots, more: false },
            None => Accounted { to: until, slots, more },
        })
    }

    /// The planned slots of a shard in order of monitors, cut to a bounded span of time.
    fn slots(&self, shard: u16, after: Instant, until: Instant) -> (Vec<Missing>, Instant, bool) {
        let catalog = &self.services.catalog;
        let mut found: Vec<Missing> = Vec::new();
        let mut bound = until;
        for id in catalog.shard(shard) {
            let mut at = after;
            while let Some((slot, spec)) = catalog.next_slot(id, at).filter(|(slot, _)| *slot <= bound) {
                let window = window(slot, spec.policy.every, spec.policy.timeout);
                let jobs = vantages_at(&spec, slot).into_iter().map(|vantage| Job {
                    monitor: id,
                    revision: spec.revision,
                    vantage,
                    slot,
                    r#try: 0,
                    start: slot,
                    not_after: window.not_after,
                });
                found.extend(jobs.map(|job| Missing { job, lost_at: window.lost_at }));
                at = slot;
            }
            if found.len() > SLOTS {
                // Half of the time holds about half of the slots.
                bound = Instant::from_ms(after.ms() + (bound.ms() - after.ms()) / 2);
                found.retain(|missing| missing.job.slot <= bound);
            }
        }
        (found, bound, bound < until)
    }

    /// Those without an outcome. The rows of observations know the last slots; only older ones are asked of history.
    async fn unanswered(&self, slots: Vec<Missing>) -> Result<Vec<Missing>, StoreError> {
        if slots.is_empty() {
            return Ok(slots);
        }
        let services = &self.services;
        let ids: BTreeSet<MonitorId> = slots.iter().map(|missing| missing.job.monitor).collect();
        let loaded = noted(services, services.store.states.load(ids.iter().copied().collect()).await)?;
        let rows: BTreeMap<MonitorId, _> = ids.into_iter().zip(loaded).collect();
        let mut missing = Vec::new();
        let mut unsure: Vec<(OutcomeKey, Missing)> = Vec::new();
        for slot in slots {
            let key = slot.job.key();
            // Nothing can be written about a monitor that is gone.
            let Some(Some(row)) = rows.get(&key.monitor) else { continue };
            match row.observed.has(&key) {
                Some(true) => {}
                Some(false) | None => unsure.push((key, slot)),
            }
        }
        if !unsure.is_empty() {
            let keys = unsure.iter().map(|(key, _)| *key).collect();
            let known = noted(services, services.store.outcomes.known(keys).await)?;
            missing
                .extend(unsure.into_iter().zip(known).filter(|(_, known)| !known).map(|((_, slot), _)| slot));
        }
        Ok(missing)
    }

    /// Slots that came to nothing get an outcome that says so. Answers those for which that did not work yet.
    async fn lose(&mut self, over: Vec<Missing>) -> Result<Vec<Instant>, StoreError> {
        let mut left = Vec::new();
        let mut rest = over;
        while !rest.is_empty() {
            let mut seen = BTreeSet::new();
            let turn =
                |missing: &Missing| seen.len() < limits::COMMIT_BATCH && seen.insert(missing.job.monitor);
            let (batch, later): (Vec<Missing>, Vec<Missing>) = rest.into_iter().partition(turn);
            rest = later;
            let cases: Vec<Case> = batch.iter().map(lost).collect();
            let fates = self.decider.decide(&cases).await?;
            let again = batch.iter().zip(fates).filter(|(_, fate)| *fate == Fate::Again);
            left.extend(again.map(|(missing, _)| missing.job.slot));
        }
        Ok(left)
    }
}

fn lost(missing: &Missing) -> Case {
    let job = missing.job;
    let outcome = Outcome::ours(job, job.slot, Code::SELF_LOST, Code::SELF_LOST.text());
    Case { monitor: job.monitor, what: What::Outcome(outcome) }
}

impl Tick for Sweeper {
    fn name(&self) -> LoopName {
        LoopName::Sweep
    }

    fn topics(&self) -> &[Topic] {
        &[Topic::Timers]
    }

    fn tick(&mut self) -> Fut<'_, Next> {
        Box::pin(self.sweep())
    }
}
