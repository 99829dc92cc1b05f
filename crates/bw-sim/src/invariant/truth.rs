//! No verdict but what the probe met, and so no DOWN unless the target was down at each probe that counted.

use crate::journal::Fact;
use crate::oracle;
use crate::past::Past;
use bw_domain::job::OutcomeKey;
use bw_domain::outcome::Verdict;
use bw_domain::state::Health;
use bw_domain::time::Instant;
use std::collections::BTreeMap;

/// Whether the target was ill, by probe.
type Met = BTreeMap<(OutcomeKey, Instant), bool>;

pub fn holds(past: &Past) -> Result<(), String> {
    let met = met(past);
    for outcome in past.database.outcomes.values().flatten() {
        let ill = met.get(&(outcome.job.key(), outcome.at)).copied();
        let honest = match outcome.verdict {
            Verdict::Pass => ill == Some(false),
            Verdict::Fail => ill == Some(true),
            Verdict::Inconclusive => true,
        };
        if !honest {
            return Err(format!("{:?} says {:?}, the target was ill: {ill:?}", outcome.job.key(), outcome.verdict));
        }
    }
    let Ok(changes) = oracle::read(past) else { return Ok(()) };
    for change in changes.iter().filter(|change| change.to == Health::Down) {
        for vote in change.votes.iter().filter(|vote| vote.verdict == Verdict::Fail) {
            if met.get(&(vote.key, vote.at)) != Some(&true) {
                return Err(format!("monitor {} is DOWN because of {:?}", change.monitor, vote.key));
            }
        }
    }
    Ok(())
}

fn met(past: &Past) -> Met {
    let probed = past.journal.iter().filter_map(|line| match &line.fact {
        Fact::Probed { job, at, ill, verdict } if *verdict != Verdict::Inconclusive => Some(((job.key(), *at), *ill)),
        _ => None,
    });
    probed.collect()
}
