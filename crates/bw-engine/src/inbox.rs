//! Everything between receiving a job and acknowledging it: which jobs are under way in this process, their leases,
//! and the finished outcomes that wait for `judge`. Bounded by `limits::INBOX`: when the store is away outcomes wait
//! here, and when it is full nothing more is received.
//!
//! A job that is received again while it is under way is not run twice; its new lease is acknowledged with the first.

use bw_domain::job::{Job, OutcomeKey};
use bw_domain::limits::INBOX;
use bw_domain::outcome::Outcome;
use bw_domain::port::queue::{Lease, Leased};
use bw_domain::time::Duration;
use smallvec::{SmallVec, smallvec};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

/// Jobs under way and outcomes on their way to a commit.
#[derive(Debug, Default)]
pub struct Inbox {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    under_way: BTreeMap<OutcomeKey, Hold>,
    /// Of those under way the ones without an outcome.
    running: usize,
    finished: VecDeque<Outcome>,
}

#[derive(Debug)]
struct Hold {
    leases: SmallVec<[Lease; 1]>,
    /// When they were received or extended, on the clock that never steps.
    since: Duration,
    running: bool,
}

impl Inbox {
    /// How many more jobs may be received.
    pub fn room(&self) -> usize {
        let inner = self.lock();
        INBOX.saturating_sub(inner.under_way.len().max(inner.finished.len()))
    }

    /// How many jobs are under way, their outcomes not yet committed.
    pub fn under_way(&self) -> usize {
        self.lock().under_way.len()
    }

    /// How many jobs have no outcome yet.
    pub fn running(&self) -> usize {
        self.lock().running
    }

    /// Takes received jobs in. Answers those that are not under way already.
    pub fn begin(&self, batch: Vec<Leased>, since: Duration) -> Vec<Job> {
        let mut inner = self.lock();
        let mut fresh = Vec::with_capacity(batch.len());
        for Leased { job, lease } in batch {
            match inner.under_way.get_mut(&job.key()) {
                Some(hold) => hold.leases.push(lease),
                None => {
                    inner
                        .under_way
                        .insert(job.key(), Hold { leases: smallvec![lease], since, running: true });
                    inner.running += 1;
                    fresh.push(job);
                }
            }
        }
        fresh
    }

    /// Whether the outcome of this key is still to come from here.
    pub fn expects(&self, key: &OutcomeKey) -> bool {
        self.lock().under_way.contains_key(key)
    }

    /// Hands outcomes over to `judge`. Those that others hand in need not have begun here.
    pub fn finish(&self, outcomes: impl IntoIterator<Item = Outcome>) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        for outcome in outcomes {
            if let Some(hold) = inner.under_way.get_mut(&outcome.job.key()) {
                inner.running -= usize::from(std::mem::take(&mut hold.running));
            }
            inner.finished.push_back(outcome);
        }
    }

    /// How many outcomes wait for `judge`.
    pub fn waiting(&self) -> usize {
        self.lock().finished.len()
    }

    /// Takes at most `max` outcomes, oldest first.
    pub fn take(&self, max: usize) -> Vec<Outcome> {
        let mut inner = self.lock();
        let count = max.min(inner.finished.len());
        inner.finished.drain(..count).collect()
    }

    /// These outcomes are committed, or count nothing: they are no longer under way. Answers the leases to
    /// acknowledge.
    pub fn end(&self, keys: impl IntoIterator<Item = OutcomeKey>) -> Vec<Lease> {
        let mut inner = self.lock();
        let mut leases = Vec::new();
        for hold in keys.into_iter().filter_map(|key| inner.under_way.remove(&key)).collect::<Vec<_>>() {
            inner.running -= usize::from(hold.running);
            leases.extend(hold.leases);
        }
        leases
    }

    /// Leases that were last extended before `than`; they count as extended `now`.
    pub fn older(&self, than: Duration, now: Duration) -> Vec<Lease> {
        let mut inner = self.lock();
        let old = inner.under_way.values_mut().filter(|hold| hold.since < than);
        old.flat_map(|hold| {
            hold.since = now;
            hold.leases.clone()
        })
        .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no one panics while holding the inbox")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::id::MonitorId;
    use bw_domain::monitor::Vantage;
    use bw_domain::outcome::Code;
    use bw_domain::time::Instant;

    fn leased(slot: i64, lease: u8) -> Leased {
        let slot = Instant::from_ms(slot);
        let job = Job {
            monitor: MonitorId(1),
            revision: 1,
            vantage: Vantage::default(),
            slot,
            r#try: 0,
            start: slot,
            not_after: slot,
        };
        Leased { job, lease: Lease(Box::new([lease])) }
    }

    #[test]
    fn a_job_received_twice_runs_once_and_both_leases_are_answered() {
        let inbox = Inbox::default();
        let fresh = inbox.begin(vec![leased(5, 1), leased(5, 2), leased(6, 3)], Duration::ZERO);
        assert_eq!((fresh.len(), inbox.under_way(), inbox.running()), (2, 2, 2));
        assert!(inbox.begin(vec![leased(5, 4)], Duration::ZERO).is_empty());
        inbox.finish([Outcome::ours(fresh[0], fresh[0].slot, Code::SELF_MISSED, "late")]);
        assert!(inbox.expects(&fresh[0].key()), "it is under way until it is committed");
        assert_eq!(inbox.running(), 1);
        let taken = inbox.take(9);
        let acks = inbox.end(taken.iter().map(|outcome| outcome.job.key()));
        assert_eq!(acks.iter().map(|lease| lease.0[0]).collect::<Vec<_>>(), [1, 2, 4]);
        assert!(!inbox.expects(&fresh[0].key()) && inbox.under_way() == 1);
    }

    #[test]
    fn leases_are_extended_once_a_term() {
        let inbox = Inbox::default();
        let at = Duration::from_secs;
        inbox.begin(vec![leased(5, 1)], at(0));
        assert_eq!(inbox.older(at(10), at(30)).len(), 1);
        assert_eq!(inbox.older(at(30), at(31)).len(), 0);
    }
}
