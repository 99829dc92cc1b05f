//! An answered beat is kept, once, with the number that was answered; numbers of a heartbeat follow each other without
//! a gap.

use crate::fault::FaultKind;
use crate::journal::{Fact, Line};
use crate::past::Past;
use bw_domain::id::MonitorId;
use std::collections::BTreeMap;

pub fn holds(past: &Past) -> Result<(), String> {
    let mut kept: BTreeMap<&str, (MonitorId, u64)> = BTreeMap::new();
    let mut counts: BTreeMap<MonitorId, u64> = BTreeMap::new();
    for line in &past.journal {
        match &line.fact {
            Fact::Kept { beat, taken, .. } => {
                let count = counts.entry(beat.monitor).or_default();
                *count += 1;
                let what = format!("at {} ms beat {} of {}", line.at, beat.via.agent, beat.monitor);
                if taken.number != *count {
                    return Err(format!("{what} is number {} and should be {count}", taken.number));
                }
                let again = kept.insert(&beat.via.agent, (beat.monitor, taken.number));
                if again.is_some() && !answers_were_lost(past, line) {
                    return Err(format!("{what} was kept before"));
                }
            }
            Fact::Answered { tag, monitor, number } if kept.get(&**tag) != Some(&(*monitor, *number)) => {
                return Err(format!(
                    "at {} ms beat {tag} of {monitor} was answered as number {number}, and {:?} was kept",
                    line.at,
                    kept.get(&**tag)
                ));
            }
            _ => {}
        }
    }
    stored(past, &kept, &counts)
}

/// The store did what it was asked, and nobody could know: it is asked again, as after any error.
fn answers_were_lost(past: &Past, line: &Line) -> bool {
    let lost = |kind: &FaultKind| matches!(kind, FaultKind::AnswersLost { .. });
    past.script.faults.iter().any(|fault| lost(&fault.kind) && fault.from <= line.at)
}

/// What was answered is there at the end.
fn stored(
    past: &Past,
    kept: &BTreeMap<&str, (MonitorId, u64)>,
    counts: &BTreeMap<MonitorId, u64>,
) -> Result<(), String> {
    let mut rows: BTreeMap<(MonitorId, u64), &str> = BTreeMap::new();
    for row in &past.database.beats {
        if rows.insert((row.monitor, row.number), &row.via.agent).is_some() {
            return Err(format!("there are two beats {} of {}", row.number, row.monitor));
        }
    }
    for line in &past.journal {
        let Fact::Answered { tag, monitor, number } = &line.fact else { continue };
        if rows.get(&(*monitor, *number)) != Some(&&**tag) {
            return Err(format!("beat {tag} of {monitor} was answered at {} ms and is lost", line.at));
        }
    }
    for (tag, of) in kept {
        if !rows.contains_key(of) {
            return Err(format!("beat {tag} is number {} of {} and is not stored", of.1, of.0));
        }
    }
    for (monitor, count) in counts {
        let track = past.database.tracks.get(monitor).map_or(0, |track| track.count);
        if track != *count {
            return Err(format!("{count} beats of {monitor} were kept, and {track} counted"));
        }
    }
    Ok(())
}
