//! How many jobs wait, as far as a broker can tell: it counts messages, so the number is messages times the mean of
//! jobs in the messages that passed here. It is asked at most once a second; what was published since is added. So
//! a bound is kept to within what others publish in a second.

use super::place;
use bw_domain::port::queue::{Depth, Lane, QueueError};
use bw_domain::time::Duration;
use std::sync::{Mutex, MutexGuard};

/// How long an answer serves.
const FRESH: Duration = Duration::from_secs(1);
/// How much one message moves the mean.
const WEIGHT: f64 = 1.0 / 16.0;

/// What a broker says, in messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub now: u64,
    pub planned: u64,
    pub leased: u64,
    pub oldest: Duration,
}

#[derive(Debug, Default)]
struct Inner {
    depth: Depth,
    at: Option<Duration>,
    published: [usize; 2],
    mean: Option<f64>,
}

/// What waits, as last heard.
#[derive(Debug, Default)]
pub(crate) struct Estimate {
    inner: Mutex<Inner>,
}

impl Estimate {
    /// A message of so many jobs passed, in either direction.
    pub fn passed(&self, jobs: usize) {
        let mut inner = self.lock();
        let jobs = jobs as f64;
        inner.mean = Some(inner.mean.map_or(jobs, |mean| mean + (jobs - mean) * WEIGHT));
    }

    /// Messages that hold so many jobs.
    pub fn messages(&self, jobs: usize) -> usize {
        let mean = self.lock().mean.unwrap_or(1.0).max(1.0);
        ((jobs as f64 / mean).ceil() as usize).max(1)
    }

    /// The last answer, while it is young.
    pub fn fresh(&self, now: Duration) -> Option<Depth> {
        let inner = self.lock();
        inner.at.filter(|at| now < *at + FRESH).map(|_| inner.depth)
    }

    /// A new answer.
    pub fn heard(&self, counts: Counts, now: Duration) -> Depth {
        let mut inner = self.lock();
        let mean = inner.mean.unwrap_or(1.0).max(1.0);
        let jobs = |messages: u64| (messages as f64 * mean).round() as usize;
        let waiting = counts.now + counts.planned > 0;
        inner.depth = Depth {
            now: jobs(counts.now),
            planned: jobs(counts.planned),
            leased: jobs(counts.leased),
            oldest: if waiting { counts.oldest } else { Duration::ZERO },
        };
        inner.at = Some(now);
        inner.published = [0, 0];
        inner.depth
    }

    /// Whether a lane has room for so many more.
    pub fn admit(&self, lane: Lane, jobs: usize, bound: usize) -> Result<(), QueueError> {
        let waiting = self.waiting(lane);
        if waiting + jobs > bound { Err(QueueError::Full(waiting)) } else { Ok(()) }
    }

    /// They were taken.
    pub fn published(&self, lane: Lane, jobs: usize) {
        self.lock().published[place(lane)] += jobs;
    }

    /// How many jobs of a lane wait, as far as is known.
    pub fn waiting(&self, lane: Lane) -> usize {
        let inner = self.lock();
        [inner.depth.now, inner.depth.planned][place(lane)] + inner.published[place(lane)]
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no one panics while holding the estimate")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_published_since_counts() {
        let estimate = Estimate::default();
        let s = Duration::from_secs;
        assert_eq!(estimate.fresh(s(9)), None);
        estimate.passed(50);
        let counts = Counts { planned: 2, leased: 1, oldest: s(3), ..Counts::default() };
        let depth = estimate.heard(counts, s(9));
        assert_eq!(depth, Depth { now: 0, planned: 100, leased: 50, oldest: s(3) });
        assert_eq!((estimate.fresh(s(9)), estimate.fresh(s(10))), (Some(depth), None));
        assert!(estimate.admit(Lane::Planned, 20, 120).is_ok());
        estimate.published(Lane::Planned, 20);
        assert!(matches!(estimate.admit(Lane::Planned, 1, 120), Err(QueueError::Full(120))));
        assert!(estimate.admit(Lane::Now, 120, 120).is_ok());
        assert_eq!((estimate.messages(1), estimate.messages(101)), (1, 3));
    }
}
