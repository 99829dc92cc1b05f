//! After the last fault everything catches up: marks, timers, queue, events, deliveries, and what people asked for.

use crate::past::Past;
use bw_domain::schedule::shard_of;
use bw_domain::time::Duration;

/// A mark without news is written so seldom; before it, slots settle.
const MARKS: Duration = Duration::from_secs(60);
/// A timer that is due is served within this.
const TIMERS: Duration = Duration::from_secs(3);

pub fn holds(past: &Past) -> Result<(), String> {
    if past.alive != past.script.nodes {
        return Err(format!("{} of {} nodes live", past.alive, past.script.nodes));
    }
    if past.waiting {
        return Err(format!("events, deliveries or wishes {:?} still wait", past.open));
    }
    for (number, shard) in past.database.shards.iter().enumerate() {
        let (published, accounted) = (past.wall.since(shard.published), past.wall.since(shard.accounted));
        if published > MARKS || accounted > MARKS {
            return Err(format!("shard {number} is {published:?} and {accounted:?} behind"));
        }
    }
    for (monitor, due) in &past.database.timers {
        if past.wall.since(*due) > TIMERS {
            return Err(format!(
                "the timer of monitor {monitor} (shard {}) was due at {due}",
                shard_of(*monitor)
            ));
        }
    }
    if past.queued > 4 * past.script.watched.len() {
        return Err(format!("{} jobs are in the queue", past.queued));
    }
    Ok(())
}
