//! No verdict but what the probe met, and so no DOWN unless the target was down at each probe that counted.

use crate::journal::Fact;
use crate::oracle;
use crate::past::Past;
use bw_domain::job::OutcomeKey;
use bw_domain::outcome::Verdict;
use bw_domain::state::Health;
use bw_domain::time::Instant;
use std::collections::BTreeSet;

/// Probes, with whether the target was ill. Two nodes may probe for one key at the same instant.
type Met = BTreeSet<(OutcomeKey, Instant, bool)>;

pub fn holds(past: &Past) -> Result<(), String> {
    let met = met(past);
    for outcome in past.database.outcomes.values().flatten() {
        let has_met = |ill| met.contains(&(outcome.job.key(), outcome.at, ill));
        let honest = match outcome.verdict {
            Verdict::Pass => has_met(false),
            Verdict::Fail => has_met(true),
            Verdict::Inconclusive => true,
        };
        if !honest {
            let key = outcome.job.key();
            return Err(format!(
                "{key:?} at {} says {:?}, and no probe met that",
                outcome.at, outcome.verdict
            ));
        }
    }
    let Ok(changes) = oracle::read(past) else { return Ok(()) };
    for change in changes.iter().filter(|change| change.to == Health::Down) {
        for vote in change.votes.iter().filter(|vote| vote.verdict == Verdict::Fail) {
            if !met.contains(&(vote.key, vote.at, true)) {
                return Err(format!("monitor {} is DOWN because of {:?}", change.monitor, vote.key));
            }
        }
    }
    Ok(())
}

fn met(past: &Past) -> Met {
    let probed = past.journal.iter().filter_map(|line| match &line.fact {
        Fact::Probed { job, at, ill, verdict } if *verdict != Verdict::Inconclusive => {
            Some((job.key(), *at, *ill))
        }
        _ => None,
    });
    probed.collect()
}
