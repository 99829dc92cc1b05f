//! The places in which a job can be, without locks and without time of its own.

use bw_domain::job::Job;
use bw_domain::limits::JOB_LEASE;
use bw_domain::port::queue::{Depth, Lane, Lease, Leased, QueueError};
use bw_domain::time::Duration;
use std::collections::{BTreeMap, VecDeque};

/// A job and since when it waits.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    job: Job,
    lane: Lane,
    since: Duration,
}

#[derive(Debug)]
pub(super) struct Lanes {
    bound: usize,
    now: VecDeque<Waiting>,
    planned: VecDeque<Waiting>,
    /// Given back, to be had again from an instant on.
    put_off: BTreeMap<(Duration, u64), Waiting>,
    leased: BTreeMap<u64, (Waiting, Duration)>,
    /// When leases end, in order; entries of extended and acknowledged leases are passed over.
    ends: VecDeque<(Duration, u64)>,
    /// The number of the next lease.
    next: u64,
}

impl Lanes {
    pub fn new(bound: usize) -> Self {
        Lanes {
            bound,
            now: VecDeque::new(),
            planned: VecDeque::new(),
            put_off: BTreeMap::new(),
            leased: BTreeMap::new(),
            ends: VecDeque::new(),
            next: 0,
        }
    }

    fn lane(&mut self, lane: Lane) -> &mut VecDeque<Waiting> {
        match lane {
            Lane::Now => &mut self.now,
            Lane::Planned => &mut self.planned,
        }
    }

    /// All or none.
    pub fn publish(&mut self, lane: Lane, jobs: Vec<Job>, since: Duration) -> Result<(), QueueError> {
        let bound = self.bound;
        let waiting = self.lane(lane);
        if waiting.len() + jobs.len() > bound {
            return Err(QueueError::Full(waiting.len()));
        }
        waiting.extend(jobs.into_iter().map(|job| Waiting { job, lane, since }));
        Ok(())
    }

    /// The urgent lane first.
    pub fn take(&mut self, max: usize, now: Duration) -> Vec<Leased> {
        let count = max.min(self.now.len() + self.planned.len());
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            let Some(waiting) = self.now.pop_front().or_else(|| self.planned.pop_front()) else { break };
            let number = self.next;
            self.next += 1;
            self.leased.insert(number, (waiting, now + JOB_LEASE));
            self.ends.push_back((now + JOB_LEASE, number));
            taken.push(Leased { job: waiting.job, lease: Lease(Box::new(number.to_le_bytes())) });
        }
        taken
    }

    pub fn ack(&mut self, lease: &Lease) {
        if let Some(number) = number(lease) {
            self.leased.remove(&number);
        }
    }

    pub fn release(&mut self, lease: &Lease, at: Duration) {
        let Some(number) = number(lease) else { return };
        if let Some((waiting, _)) = self.leased.remove(&number) {
            self.put_off.insert((at, number), waiting);
        }
    }

    pub fn extend(&mut self, lease: &Lease, now: Duration) {
        let Some(number) = number(lease) else { return };
        if let Some((_, end)) = self.leased.get_mut(&number) {
            *end = now + JOB_LEASE;
            self.ends.push_back((now + JOB_LEASE, number));
        }
    }

    /// What was put off until now, and what is no longer leased, waits again, before what is younger.
    pub fn turn(&mut self, now: Duration) {
        while let Some((end, number)) = self.ends.front().copied() {
            let held = self.leased.get(&number).map(|(_, end)| *end);
            if held == Some(end) && end > now {
                break;
            }
            self.ends.pop_front();
            if held == Some(end)
                && let Some((waiting, _)) = self.leased.remove(&number)
            {
                self.lane(waiting.lane).push_front(waiting);
            }
        }
        while let Some(first) = self.put_off.first_entry().filter(|first| first.key().0 <= now) {
            let waiting = first.remove();
            self.lane(waiting.lane).push_front(waiting);
        }
    }

    /// When something that does not wait now may wait again.
    pub fn next_turn(&self) -> Option<Duration> {
        let put_off = self.put_off.keys().next().map(|(at, _)| *at);
        let end = self.ends.front().map(|(end, _)| *end);
        put_off.into_iter().chain(end).min()
    }

    pub fn depth(&self, now: Duration) -> Depth {
        let oldest =
            [self.now.front(), self.planned.front()].into_iter().flatten().map(|waiting| waiting.since).min();
        Depth {
            now: self.now.len(),
            planned: self.planned.len(),
            leased: self.leased.len(),
            oldest: oldest.map_or(Duration::ZERO, |since| now.saturating_sub(since)),
        }
    }
}

/// `None`: a lease that this queue never gave.
fn number(lease: &Lease) -> Option<u64> {
    lease.0.as_ref().try_into().ok().map(u64::from_le_bytes)
}
