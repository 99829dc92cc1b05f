//! A real silence is noticed: within a second of its deadline where nothing was wrong meanwhile. After trouble within a
//! second of the latest deadline that time held for us can lead to: that of a beat that came when the trouble ended, and
//! twice the grace, by which what is expected at a slot can lie later than what is expected after so long.

use crate::Ms;
use crate::oracle::{Standing, stories};
use crate::past::Past;
use bw_domain::state::Health;
use bw_domain::time::Instant;
use bw_testkit::builders::START;

/// After a fault so long is granted to come right again; the lease of hearing is part of it.
const LEAD: Ms = 40_000;
/// From the deadline to the decision.
const BOUND: Ms = 1_000;

pub fn holds(past: &Past) -> Result<(), String> {
    let calm = past.script.calm(LEAD);
    for (monitor, steps) in stories(past) {
        let ends = steps.iter().skip(1).map(|step| step.at).chain([past.ended]);
        for (step, until) in steps.iter().zip(ends) {
            let silent = step.after.health != Health::Down && step.after.spec.enabled;
            for (from, to) in calm.iter().filter(|_| silent) {
                let shift = START.ms() + past.script.host_step(*from);
                let wall = |at: Ms| Instant::from_ms(shift + at as i64);
                let Some((deadline, why)) = deadline(&step.after, wall(*from)) else { continue };
                // An edit counts a moment after it was made; what it brings nearer is looked at then.
                let counts = step.after.spec.effective_from.ms() - shift;
                let latest =
                    (deadline.ms() - shift).max(counts).max(step.at as i64).max(*from as i64) + BOUND as i64;
                if latest < until.min(*to) as i64 {
                    return Err(format!(
                        "monitor {monitor} is {} at {latest} ms, and {why} since {deadline}",
                        step.after.health.word()
                    ));
                }
            }
        }
    }
    Ok(())
}

/// The latest instant at which silence speaks, where it was calm from `calm` on.
fn deadline(after: &Standing, calm: Instant) -> Option<(Instant, &'static str)> {
    let terms = &after.agreement().terms;
    let missed = after.expected_from().and_then(|from| {
        let held = if from < calm { terms.missed(calm)? + terms.grace * 2 } else { terms.missed(from)? };
        Some((held, "its beat is missing"))
    });
    // The end of a run that began before may have come unheard.
    let overrun = after.overrun().filter(|(began, _)| *began >= calm);
    let overrun = overrun.map(|(_, at)| (at, "a run did not end"));
    [missed, overrun].into_iter().flatten().min()
}
