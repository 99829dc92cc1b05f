//! The rules of heartbeats as tables, properties and slow oracles.

mod cadence;
mod counted;
mod cron;
mod deadline;
mod held;
mod holidays;
mod on_calendar;
mod silence;
mod track;
mod zone_guess;

use crate::time::{Instant, Zone};

fn at(text: &str) -> Instant {
    Instant::parse(text).expect(text)
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).expect(name)
}

/// The next times as `2026-03-29T01:00:00Z`, joined by spaces.
fn times(count: usize, from: &str, next: impl Fn(Instant) -> Option<Instant>) -> String {
    let mut after = at(from);
    let mut found = Vec::new();
    while found.len() < count {
        let Some(time) = next(after) else { break };
        assert!(time > after, "{time} is not after {after}");
        found.push(time.to_string().replace(".000Z", "Z"));
        after = time;
    }
    found.join(" ")
}
