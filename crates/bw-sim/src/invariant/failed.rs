//! A failure that a job reported is told, once: the heartbeat is DOWN because of it, with an incident, even when a
//! success follows at once; and nothing else makes it DOWN because of a failure.

use crate::Ms;
use crate::oracle::{Step, What, speaks, stories};
use crate::past::Past;
use bw_domain::id::MonitorId;
use bw_domain::outcome::Code;
use bw_domain::state::Health;

/// After a fault so long is granted to come right again.
const LEAD: Ms = 40_000;
/// From the beat to the decision.
const BOUND: Ms = 1_000;

pub fn holds(past: &Past) -> Result<(), String> {
    let calm = past.script.calm(LEAD);
    for (monitor, steps) in stories(past) {
        // When the first failure that nobody was told of was kept.
        let mut open: Option<Ms> = None;
        let mut before: Option<&Step> = None;
        for step in &steps {
            in_time(&calm, open, step.at).map_err(|why| tell(monitor, step.at, &why))?;
            open = follow(before, step, open).map_err(|why| tell(monitor, step.at, &why))?;
            before = Some(step);
        }
        in_time(&calm, open, past.ended).map_err(|why| tell(monitor, past.ended, &why))?;
    }
    Ok(())
}

fn tell(monitor: MonitorId, at: Ms, why: &str) -> String {
    format!("at {at} ms monitor {monitor}: {why}")
}

fn in_time(calm: &[(Ms, Ms)], open: Option<Ms>, now: Ms) -> Result<(), String> {
    let Some(kept) = open else { return Ok(()) };
    let late = |(from, to): &&(Ms, Ms)| kept.max(*from) + BOUND < now.min(*to);
    match calm.iter().find(late) {
        Some(_) => Err(format!("the failure kept at {kept} ms is not told")),
        None => Ok(()),
    }
}

fn follow(before: Option<&Step>, step: &Step, open: Option<Ms>) -> Result<Option<Ms>, String> {
    match &step.what {
        What::Edited if !step.after.spec.enabled => Ok(None),
        What::Edited => Ok(open),
        What::Kept(beat) => {
            let last = before.and_then(|step| step.after.last).map(|(at, _)| at);
            let newest = last.is_none_or(|last| beat.instant() >= last);
            let fails = speaks(beat) && beat.signal.is_failure() && newest;
            let tells = fails && step.after.health != Health::Down && step.after.spec.enabled;
            Ok(open.or(tells.then_some(step.at)))
        }
        What::Decided(Some(change)) if change.to == Health::Down => {
            let told = change.reason.code == Code::BEAT_FAILED;
            match open {
                _ if !step.after.has_incident => Err("it is DOWN without an incident".to_owned()),
                None if told => Err("it is DOWN because of a failure that nobody reported".to_owned()),
                Some(kept) if !told => {
                    Err(format!("it is DOWN because of {}, and failed at {kept} ms", change.reason.code))
                }
                _ => Ok(None),
            }
        }
        What::Decided(_) => Ok(open),
    }
}
