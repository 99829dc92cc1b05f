//! No false alarm, whatever happens to us: a job that beats in time and insists has no incident.

use crate::oracle::{What, stories};
use crate::past::Past;
use bw_domain::state::Health;

pub fn holds(past: &Past) -> Result<(), String> {
    for (monitor, steps) in stories(past) {
        let Some(last) = steps.last() else { continue };
        let number: Option<usize> =
            last.after.spec.name().strip_prefix('m').and_then(|digits| digits.parse().ok());
        let job = number.and_then(|number| past.script.watched.get(number)?.job.as_ref());
        if job.is_none_or(|job| !job.steady) {
            continue;
        }
        // Afterwards it sends no more.
        for step in steps.iter().take_while(|step| step.at < past.script.ends) {
            if let What::Decided(Some(change)) = &step.what
                && change.to == Health::Down
            {
                let (at, why) = (step.at, &change.reason.text);
                return Err(format!("at {at} ms monitor {monitor} is DOWN, and its job was well: {why}"));
            }
        }
    }
    Ok(())
}
