//! How often: one bucket for each key, which fills at a rate and holds a burst. In memory: after a restart all are full.
//!
//! Time is an argument. A key that was quiet for as long as its bucket needs to fill is as good as a new one, so two
//! generations of that length are all that is remembered: what has not been seen in the older one is forgotten with it.
//! Should one generation hold `KEYS` before its time, it ends early: memory is bounded, and the error is on the side of
//! letting a beat in.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use std::time::Duration;

/// Keys of one generation: some two megabytes.
const KEYS: usize = 65_536;

/// How fast a bucket fills, and how much it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// One each.
    pub every: Duration,
    pub burst: u32,
}

impl Rate {
    /// How long an empty bucket needs to be full.
    fn fill(self) -> Duration {
        self.every * self.burst
    }
}

pub(super) struct Buckets<K> {
    rate: Rate,
    keys: usize,
    inner: Mutex<Generations<K>>,
}

/// For each key the instant at which its bucket is full again, on the clock that never steps.
struct Generations<K> {
    young: HashMap<K, Duration>,
    old: HashMap<K, Duration>,
    since: Duration,
}

impl<K: Eq + Hash> Buckets<K> {
    pub fn new(rate: Rate) -> Self {
        Self::holding(rate, KEYS)
    }

    fn holding(rate: Rate, keys: usize) -> Self {
        let inner = Generations { young: HashMap::new(), old: HashMap::new(), since: Duration::ZERO };
        Buckets { rate, keys, inner: Mutex::new(inner) }
    }

    /// Takes one out; how long to wait when there is none.
    pub fn take(&self, key: K, now: Duration) -> Result<(), Duration> {
        let mut inner = self.inner.lock().expect("no one panics while holding the buckets");
        if now.saturating_sub(inner.since) >= self.rate.fill() || inner.young.len() >= self.keys {
            inner.old = std::mem::take(&mut inner.young);
            inner.since = now;
        }
        let full =
            inner.young.get(&key).or_else(|| inner.old.get(&key)).copied().unwrap_or_default().max(now);
        let room = self.rate.fill().saturating_sub(self.rate.every);
        match (full - now).checked_sub(room) {
            None | Some(Duration::ZERO) => {
                inner.young.insert(key, full + self.rate.every);
                Ok(())
            }
            Some(wait) => Err(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// How many of a hundred pass.
    fn passing(buckets: &Buckets<u32>, key: u32, now: Duration) -> usize {
        (0..100).filter(|_| buckets.take(key, now).is_ok()).count()
    }

    #[test]
    fn a_burst_then_the_rate_for_each_key() {
        let buckets = Buckets::new(Rate { every: SECOND, burst: 10 });
        assert_eq!(passing(&buckets, 1, 5 * SECOND), 10);
        assert_eq!(passing(&buckets, 2, 5 * SECOND), 10);
        assert_eq!(buckets.take(1, 5 * SECOND), Err(SECOND));
        assert_eq!(buckets.take(1, 5 * SECOND + SECOND / 4), Err(SECOND * 3 / 4));
        // Whenever a generation ends, what is empty stays empty.
        for second in 6..40 {
            assert_eq!(passing(&buckets, 1, second * SECOND), 1, "after {second} s");
        }
        assert_eq!(passing(&buckets, 1, 42 * SECOND), 3);
        assert_eq!(passing(&buckets, 1, 100 * SECOND), 10);
        assert_eq!(passing(&buckets, 2, 100 * SECOND), 10);
    }

    #[test]
    fn memory_is_bounded_and_who_speaks_all_the_time_stays_known() {
        let buckets = Buckets::holding(Rate { every: SECOND, burst: 10 }, 100);
        assert_eq!(passing(&buckets, 0, SECOND), 10);
        for second in 2..50_u32 {
            assert_eq!(passing(&buckets, 0, second * SECOND), 1, "after {second} s");
            for other in 0..90 {
                assert!(buckets.take(second * 1_000 + other, second * SECOND).is_ok());
            }
            let inner = buckets.inner.lock().unwrap();
            assert!(inner.young.len() <= 100 && inner.old.len() <= 100);
        }
    }
}
