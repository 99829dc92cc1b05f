//! Waiting without sleeping blindly: look again and again until it is so, within a bound.

use std::fmt::Display;
use std::time::Duration;

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(10);

/// Longer than anything takes that a test waits for without measuring it.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until `look` finds something, at most `within`. When it never does, the test fails with what was waited for
/// and what was seen last.
pub async fn eventually<T, E: Display>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let mut last = String::new();
    let found = tokio::time::timeout(within, async {
        loop {
            match look().await {
                Ok(found) => return found,
                Err(seen) => last = seen.to_string(),
            }
            tokio::time::sleep(LOOK).await;
        }
    });
    match found.await {
        Ok(found) => found,
        Err(_) => panic!("{what}: not within {within:?}; seen last:\n{last}"),
    }
}
