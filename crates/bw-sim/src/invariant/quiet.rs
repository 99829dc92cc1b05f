//! While nothing goes wrong nothing of ours goes wrong: each slot has a pass or a fail.

use crate::Ms;
use crate::past::Past;
use bw_domain::job::OutcomeKey;
use bw_domain::outcome::Verdict;
use bw_domain::schedule::{Grid, vantages_at};
use bw_domain::time::{Duration, Instant};
use bw_testkit::builders::START;

/// After a fault so long is granted to come right again.
const LEAD: Ms = 40_000;
/// A slot is settled so long after its probe can have ended.
const SETTLED: Duration = Duration::from_secs(3);

pub fn holds(past: &Past) -> Result<(), String> {
    for (from, to) in past.script.calm(LEAD) {
        let step = past.script.host_step(from);
        let wall = |at: Ms| Instant::from_ms(START.ms() + at as i64 + step);
        window(past, wall(from), wall(to))?;
    }
    Ok(())
}

fn window(past: &Past, from: Instant, to: Instant) -> Result<(), String> {
    for monitor in past.monitors() {
        let deleted = past.database.revisions.get(&monitor).and_then(|all| all.last());
        let deleted = deleted.filter(|last| last.declared.is_none()).map(|last| last.updated_at);
        let to = to.min(deleted.unwrap_or(to));
        for term in past.terms(monitor) {
            let Some(spec) = term.spec.as_ref().filter(|spec| spec.enabled) else { continue };
            let moment = Duration::from_millis(1);
            let (first, last) =
                (term.from.max(from), (term.to - moment).min(to - spec.policy.timeout - SETTLED));
            let once = |slot: &Instant| !past.script.is_lived_twice(slot.ms() - START.ms());
            for slot in Grid::of(monitor, spec.policy.every).within(first - moment, last).filter(once) {
                for vantage in vantages_at(spec, slot) {
                    let key = OutcomeKey { monitor, vantage, slot, r#try: 0 };
                    let rows = past.database.outcomes.get(&key).map(Vec::as_slice).unwrap_or_default();
                    match rows.first() {
                        Some(outcome) if outcome.verdict != Verdict::Inconclusive => {}
                        Some(outcome) => return Err(format!("{key:?} ended as {}", outcome.code)),
                        None => return Err(format!("{key:?} has no outcome")),
                    }
                }
            }
        }
    }
    Ok(())
}
