//! After a success all is well: within a second the heartbeat is UP, unless its next deadline has passed by then.

use crate::Ms;
use crate::oracle::{Standing, stories};
use crate::past::Past;
use bw_domain::state::Health;
use bw_testkit::builders::START;

/// After a fault so long is granted to come right again.
const LEAD: Ms = 40_000;
/// From the beat to the decision.
const BOUND: Ms = 1_000;

pub fn holds(past: &Past) -> Result<(), String> {
    let calm = past.script.calm(LEAD);
    for (monitor, steps) in stories(past) {
        let ends = steps.iter().skip(1).map(|step| step.at).chain([past.ended]);
        for (step, until) in steps.iter().zip(ends).filter(|(step, _)| should_be_up(&step.after)) {
            for (from, to) in &calm {
                let shift = START.ms() + past.script.host_step(*from);
                let latest = step.at.max(*from) + BOUND;
                let missed = step.after.missed().is_some_and(|at| at.ms() - shift <= latest as i64);
                if latest < until.min(*to) && !missed {
                    return Err(format!(
                        "monitor {monitor} is {} at {latest} ms, and its last word was a success",
                        step.after.health.word()
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Its last word says so, and nobody has decided.
fn should_be_up(after: &Standing) -> bool {
    let well = after.said().filter(|(_, failed)| !failed).map(|(at, _)| at);
    let newer = well.is_some_and(|at| after.health != Health::Down || at >= after.since);
    after.spec.enabled && after.health != Health::Up && newer
}
