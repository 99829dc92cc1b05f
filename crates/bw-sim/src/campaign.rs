//! Many seeds on a few threads. Each seed is simulated by one thread; threads share nothing.

use crate::invariant::{Violation, violations};
use crate::mutant::Mutant;
use crate::script::{Options, Script};
use crate::sim::simulate;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

/// Seeds that every run begins with.
pub const FIXED: u64 = 64;

/// A seed that nobody has seen before.
pub fn fresh() -> u64 {
    RandomState::new().hash_one("seed")
}

/// Simulates one, and judges it.
pub fn judge(options: &Options, mutant: Option<Mutant>) -> Vec<Violation> {
    violations(&simulate(Script::of(options), mutant))
}

/// Simulates all of these. Answers those that broke something, in order.
pub fn judge_all(options: &[Options], mutant: Option<Mutant>) -> Vec<(Options, Vec<Violation>)> {
    let (next, found) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(options) = options.get(next.fetch_add(1, Relaxed) as usize) {
            let broken = judge(options, mutant);
            if !broken.is_empty() {
                found.lock().expect("no thread panics while it holds this").push((options.clone(), broken));
            }
        }
    };
    let threads = thread::available_parallelism().map_or(2, usize::from).min(options.len()).max(1);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut found = found.into_inner().expect("no thread panics while it holds this");
    found.sort_by_key(|(options, _)| options.seed);
    found
}

/// The first of the fixed seeds that notices a broken variant, and what it notices.
pub fn catch(mutant: Mutant) -> Option<(u64, Vec<Violation>)> {
    let options = |seed| Options { seed, nodes: mutant.nodes(), ..Options::default() };
    (0..FIXED).find_map(|seed| {
        let broken = judge(&options(seed), Some(mutant));
        (!broken.is_empty()).then_some((seed, broken))
    })
}
