//! What the loops tell of themselves: counters and gauges that `/metrics`, readiness and the system page read.
//! Plain atomics; nobody waits for anybody.

use bw_domain::outcome::Verdict;
use bw_domain::time::{Duration, Instant};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

/// The loops, for "has it ticked".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoopName {
    Ingest,
    Plan,
    Work,
    Judge,
    Sweep,
    Route,
    Deliver,
    Keep,
    Watch,
    Lease,
}

impl LoopName {
    /// All of them.
    pub const ALL: [LoopName; 10] = [
        LoopName::Ingest,
        LoopName::Plan,
        LoopName::Work,
        LoopName::Judge,
        LoopName::Sweep,
        LoopName::Route,
        LoopName::Deliver,
        LoopName::Keep,
        LoopName::Watch,
        LoopName::Lease,
    ];

    /// The verb.
    pub const fn word(self) -> &'static str {
        match self {
            LoopName::Ingest => "ingest",
            LoopName::Plan => "plan",
            LoopName::Work => "work",
            LoopName::Judge => "judge",
            LoopName::Sweep => "sweep",
            LoopName::Route => "route",
            LoopName::Deliver => "deliver",
            LoopName::Keep => "keep",
            LoopName::Watch => "watch",
            LoopName::Lease => "lease",
        }
    }
}

/// Upper bounds of the commit histogram, in microseconds.
pub const COMMIT_BOUNDS_US: [u64; 10] =
    [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_500_000];

/// What can become of a beat: what it said, and why it was not kept.
pub const BEAT_WORDS: [&str; 9] =
    ["success", "start", "fail", "log", "ign", "unknown", "ambiguous", "throttled", "refused"];

/// Everything that is counted or measured.
#[derive(Debug, Default)]
pub struct Vitals {
    outcomes: [AtomicU64; 3],
    beats: [AtomicU64; BEAT_WORDS.len()],
    /// Last tick of each loop on the wall clock, 0 before the first.
    ticks: [AtomicI64; LoopName::ALL.len()],
    commit_buckets: [AtomicU64; COMMIT_BOUNDS_US.len() + 1],
    commit_us: AtomicU64,
    /// Milliseconds.
    pub schedule_lag: AtomicU64,
    /// Milliseconds.
    pub accounted_lag: AtomicU64,
    pub deliveries_sent: AtomicU64,
    pub deliveries_failed: AtomicU64,
    pub deliveries_dead: AtomicU64,
    /// Milliseconds of the oldest waiting delivery.
    pub delivery_oldest: AtomicU64,
    pub queue_now: AtomicU64,
    pub queue_planned: AtomicU64,
    /// Milliseconds.
    pub queue_oldest: AtomicU64,
    pub shards_owned: AtomicU64,
    /// Milliseconds, the store's clock minus ours.
    pub clock_offset: AtomicI64,
    /// Probes under way and the bound on them.
    pub probes_running: AtomicU64,
    pub probes_bound: AtomicU64,
    /// Since when the store answers with errors, 0 while it works.
    pub store_away_since: AtomicI64,
    /// Since when the store's disk is full, 0 while it is not. Reading may work meanwhile.
    pub store_full_since: AtomicI64,
    pub config_reload_failed: AtomicBool,
    /// True while this observer's self-test fails.
    pub blind: AtomicBool,
}

impl Vitals {
    /// Counts a committed outcome.
    pub fn outcome(&self, verdict: Verdict) {
        self.outcomes[usize::from(verdict.number()) - 1].fetch_add(1, Relaxed);
    }

    /// Counts a kept beat, or one that was turned away, by one of [`BEAT_WORDS`].
    pub fn beat(&self, word: &str) {
        if let Some(place) = BEAT_WORDS.iter().position(|known| *known == word) {
            self.beats[place].fetch_add(1, Relaxed);
        }
    }

    /// Beats so far, in the order of [`BEAT_WORDS`].
    pub fn beats(&self) -> [u64; BEAT_WORDS.len()] {
        std::array::from_fn(|place| self.beats[place].load(Relaxed))
    }

    /// Outcomes so far with this verdict.
    pub fn outcomes(&self, verdict: Verdict) -> u64 {
        self.outcomes[usize::from(verdict.number()) - 1].load(Relaxed)
    }

    /// Notes that a loop has ticked.
    pub fn tick(&self, name: LoopName, now: Instant) {
        self.ticks[name as usize].store(now.ms(), Relaxed);
    }

    /// When a loop last ticked; `None` before its first tick.
    pub fn last_tick(&self, name: LoopName) -> Option<Instant> {
        let ms = self.ticks[name as usize].load(Relaxed);
        (ms != 0).then_some(Instant::from_ms(ms))
    }

    /// Notes how long a commit took.
    pub fn commit(&self, took: Duration) {
        let us = took.as_micros() as u64;
        let bucket = COMMIT_BOUNDS_US.iter().position(|bound| us <= *bound).unwrap_or(COMMIT_BOUNDS_US.len());
        self.commit_buckets[bucket].fetch_add(1, Relaxed);
        self.commit_us.fetch_add(us, Relaxed);
    }

    /// Commits per bucket (the last one unbounded) and the sum of all in microseconds.
    pub fn commits(&self) -> (Vec<u64>, u64) {
        (
            self.commit_buckets.iter().map(|bucket| bucket.load(Relaxed)).collect(),
            self.commit_us.load(Relaxed),
        )
    }

    /// Notes whether the store answered; remembers since when it does not.
    pub fn store_answered(&self, ok: bool, now: Instant) {
        if ok {
            self.store_away_since.store(0, Relaxed);
        } else if let Err(since) = self.store_away_since.compare_exchange(0, now.ms(), Relaxed, Relaxed) {
            debug_assert!(since != 0, "an exchange fails only when it was away already");
        }
    }

    /// Notes whether the store took what was written; remembers since when it has no room.
    pub fn store_took(&self, full: bool, now: Instant) {
        if !full {
            self.store_full_since.store(0, Relaxed);
        } else if let Err(since) = self.store_full_since.compare_exchange(0, now.ms(), Relaxed, Relaxed) {
            debug_assert!(since != 0, "an exchange fails only when it was full already");
        }
    }

    /// Since when the store does not answer, or takes nothing.
    pub fn store_away(&self) -> Option<Instant> {
        let since = [&self.store_away_since, &self.store_full_since].map(|since| since.load(Relaxed));
        since.into_iter().filter(|ms| *ms != 0).min().map(Instant::from_ms)
    }
}
