//! The scenarios of the goals, a file each.

pub mod beats;
pub mod checks;
pub mod fleet;
pub mod grid;
pub mod hold;
pub mod list;
pub mod memory;
pub mod queues;
pub mod react;
pub mod size;

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// Waits until `done` gives something; the error says what did not happen.
fn eventually<T>(what: &str, limit: Duration, mut done: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(found) = done()? {
            return Ok(found);
        }
        thread::sleep(Duration::from_millis(2));
    }
    bail!("{what} did not happen within {limit:?}")
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_with_the_thing_or_with_a_sentence() {
        let mut left = 3;
        let count = || {
            left -= 1;
            Ok((left == 0).then_some("there"))
        };
        assert_eq!(eventually("it", Duration::from_secs(5), count).unwrap(), "there");
        let error = eventually::<()>("it", Duration::from_millis(5), || Ok(None)).unwrap_err();
        assert!(error.to_string().starts_with("it did not happen within"));
    }
}
