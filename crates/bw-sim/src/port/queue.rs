//! The queue: in process, dying with its node, or a broker that several nodes share. At least once, in any order,
//! bounded, with leases.

use crate::journal::Fact;
use crate::mutant::Mutant;
use crate::world::{Fate, Inner, Life, Link, Slot, Trip};
use bw_domain::job::Job;
use bw_domain::limits;
use bw_domain::port::Fut;
use bw_domain::port::queue::{Depth, Lane, Lease, Leased, Queue, QueueError};
use bw_domain::schedule::shard_of;
use bw_domain::time::Duration;
use std::collections::BTreeMap;

use crate::Ms;

/// What waits and what is leased.
#[derive(Default)]
pub struct Jobs {
    waiting: Vec<Waiting>,
    leased: BTreeMap<u64, Held>,
    count: u64,
    /// Those who wait for a first job.
    receivers: Vec<Receiver>,
}

struct Waiting {
    lane: Lane,
    job: Job,
    since: Ms,
}

struct Held {
    lane: Lane,
    job: Job,
    until: Ms,
}

struct Receiver {
    life: Life,
    max: usize,
    slot: Slot<Vec<Leased>>,
}

const LEASE: Ms = limits::JOB_LEASE.as_millis() as Ms;

impl Jobs {
    /// How many jobs wait or are leased.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.leased.len()
    }

    fn add(&mut self, lane: Lane, job: Job, since: Ms) {
        self.waiting.push(Waiting { lane, job, since });
    }

    /// Leases that have ended are void.
    fn expire(&mut self, now: Ms) {
        let over: Vec<u64> =
            self.leased.iter().filter(|(_, held)| held.until <= now).map(|(id, _)| *id).collect();
        for id in over {
            if let Some(Held { lane, job, .. }) = self.leased.remove(&id) {
                self.add(lane, job, now);
            }
        }
    }

    /// The urgent lane first, each in any order.
    fn take(&mut self, max: usize, now: Ms, mut dice: impl FnMut(usize) -> usize) -> Vec<Leased> {
        self.expire(now);
        let mut taken = Vec::new();
        for lane in [Lane::Now, Lane::Planned] {
            while taken.len() < max {
                let mine: Vec<usize> =
                    (0..self.waiting.len()).filter(|index| self.waiting[*index].lane == lane).collect();
                if mine.is_empty() {
                    break;
                }
                let Waiting { job, .. } = self.waiting.remove(mine[dice(mine.len())]);
                self.count += 1;
                self.leased.insert(self.count, Held { lane, job, until: now + LEASE });
                taken.push(Leased { job, lease: Lease(self.count.to_le_bytes().into()) });
            }
        }
        taken
    }
}

fn id(lease: &Lease) -> u64 {
    lease.0.as_ref().try_into().map(u64::from_le_bytes).expect("our own leases are eight bytes")
}

/// Gives those who wait what there is.
fn serve(inner: &mut Inner, life: Life) {
    let now = inner.now;
    let mut receivers = std::mem::take(&mut inner.queue(life).receivers);
    receivers.retain(|receiver| inner.lives.is_alive(receiver.life));
    while let Some(receiver) = receivers.first() {
        let max = receiver.max;
        let seed = inner.chance.bits();
        let taken = inner.queue(life).take(max, now, |count| (seed % count as u64) as usize);
        if taken.is_empty() {
            break;
        }
        receivers.remove(0).slot.fill(taken);
    }
    inner.queue(life).receivers = receivers;
}

fn trip(inner: &Inner) -> Trip {
    let tail = if inner.chance.permille(10) { 30 } else { 1 };
    Trip { there: inner.chance.between(0..=tail), back: inner.chance.between(0..=1) }
}

impl Link {
    fn queued<T: Send + 'static>(
        &self,
        effect: impl FnOnce(&mut Inner, Life) -> Result<T, QueueError> + Send + 'static,
    ) -> Fut<'static, Result<T, QueueError>> {
        let life = self.life;
        self.call(Fate::OnTheWire, trip, move |inner| {
            if inner.mood.queue_away {
                return Err(QueueError::Away("unreachable".to_owned()));
            }
            effect(inner, life)
        })
    }
}

impl Queue for Link {
    fn publish(&self, lane: Lane, jobs: Vec<Job>) -> Fut<'_, Result<(), QueueError>> {
        self.queued(move |inner, life| {
            if inner.mood.queue_full {
                return Err(QueueError::Full(limits::QUEUE_JOBS));
            }
            let (now, unsure) = (inner.now, inner.mood.queue_unsure);
            let swallows = inner.mutant == Some(Mutant::WatermarkBeforePublish);
            inner.note(life, Fact::Published { keys: jobs.iter().map(Job::key).collect() });
            for job in jobs {
                if swallows && inner.chance.permille(30) {
                    continue;
                }
                let times = if unsure && inner.chance.permille(300) { 2 } else { 1 };
                for _ in 0..times {
                    inner.queue(life).add(lane, job, now);
                }
            }
            serve(inner, life);
            Ok(())
        })
    }

    fn receive(&self, max: usize, wait: Duration) -> Fut<'_, Result<Vec<Leased>, QueueError>> {
        let link = self.clone();
        Box::pin(async move {
            let slot = Link::slot();
            let (theirs, deadline) = (slot.clone(), wait.as_millis() as Ms);
            let asked = link.queued(move |inner, life| {
                let receiver = Receiver { life, max, slot: theirs.clone() };
                inner.queue(life).receivers.push(receiver);
                serve(inner, life);
                // Nothing came: the answer is empty. One that was served before keeps what it has.
                inner.later(life, deadline, move |inner| {
                    let receivers = &mut inner.queue(life).receivers;
                    let before = receivers.len();
                    receivers.retain(|receiver| !receiver.slot.is(&theirs));
                    if receivers.len() < before {
                        theirs.fill(Vec::new());
                    }
                });
                Ok(())
            });
            asked.await?;
            let mut taken = slot.await;
            let mut inner = link.world.lock();
            if inner.mood.queue_unsure && inner.chance.permille(100) {
                taken.pop();
            }
            if inner.mutant == Some(Mutant::AckBeforeCommit) {
                let leases: Vec<Lease> = taken.iter().map(|leased| leased.lease.clone()).collect();
                acknowledge(&mut inner, link.life, &leases);
            }
            Ok(taken)
        })
    }

    fn ack(&self, leases: Vec<Lease>) -> Fut<'_, Result<(), QueueError>> {
        self.queued(move |inner, life| {
            acknowledge(inner, life, &leases);
            Ok(())
        })
    }

    fn release(&self, leases: Vec<Lease>, after: Duration) -> Fut<'_, Result<(), QueueError>> {
        self.queued(move |inner, life| {
            let until = inner.now + after.as_millis() as Ms;
            for lease in leases {
                if let Some(held) = inner.queue(life).leased.get_mut(&id(&lease)) {
                    held.until = until;
                }
            }
            Ok(())
        })
    }

    fn extend(&self, leases: Vec<Lease>) -> Fut<'_, Result<(), QueueError>> {
        self.queued(move |inner, life| {
            let until = inner.now + LEASE;
            for lease in leases {
                if let Some(held) = inner.queue(life).leased.get_mut(&id(&lease)) {
                    held.until = until;
                }
            }
            Ok(())
        })
    }

    fn depth(&self) -> Fut<'_, Result<Depth, QueueError>> {
        self.queued(move |inner, life| {
            let now = inner.now;
            let jobs = inner.queue(life);
            let count = |lane| jobs.waiting.iter().filter(|waiting| waiting.lane == lane).count();
            let oldest = jobs.waiting.iter().map(|waiting| now - waiting.since).max().unwrap_or(0);
            Ok(Depth {
                now: count(Lane::Now),
                planned: count(Lane::Planned),
                leased: jobs.leased.len(),
                oldest: Duration::from_millis(oldest),
            })
        })
    }

    fn lead(&self) -> Duration {
        // As the queue in process does, and as brokers do.
        let shared = self.world.lock().script.nodes > 1;
        Duration::from_millis(if shared { 2_000 } else { 50 })
    }
}

/// The work of these leases is done, and the journal says whether that is so.
fn acknowledge(inner: &mut Inner, life: Life, leases: &[Lease]) {
    for lease in leases {
        let Some(Held { job, .. }) = inner.queue(life).leased.remove(&id(lease)) else { continue };
        let database = &inner.database;
        let accounted = database.shards[usize::from(shard_of(job.monitor))].accounted;
        let known = database.outcomes.contains_key(&job.key())
            || !database.rows.contains_key(&job.monitor)
            || (job.r#try == 0 && job.slot <= accounted);
        inner.note(life, Fact::Acknowledged { job, known });
    }
}
