//! When to try again: 0, 2, 5, 15, 30 s and then doubling to 15 min, ±20 %; the sink's own word wins.

use crate::time::{Duration, Instant};

const FIRST_MS: [u64; 5] = [0, 2_000, 5_000, 15_000, 30_000];
const LAST_MS: u64 = 15 * 60_000;

/// The instant of the attempt that follows `made` attempts. `dice` is any random number.
pub fn next_attempt(now: Instant, made: usize, retry_after: Option<Duration>, dice: u64) -> Instant {
    if let Some(wait) = retry_after {
        return now + wait;
    }
    let base = match FIRST_MS.get(made) {
        Some(ms) => *ms,
        None => {
            let doublings = (made - FIRST_MS.len() + 1).min(16) as u32;
            (FIRST_MS[4] << doublings).min(LAST_MS)
        }
    };
    // Per mille between 800 and 1200.
    let jittered = base * (800 + dice % 401) / 1_000;
    now + Duration::from_millis(jittered)
}
