//! Silence never speaks too soon: not before the deadline that follows from the beats received; not when a beat was
//! received in time, even if it was kept later; not before somebody could have heard the beat for as long as it may
//! take to come. Time in which nobody could hear moves a deadline later, never nearer.

use crate::Ms;
use crate::fault::FaultKind;
use crate::oracle::{Hearing, Standing, Step, What, speaks, stories};
use crate::past::Past;
use bw_domain::outcome::Code;
use bw_domain::time::{Duration, Instant};

/// Instants are whole milliseconds on several clocks.
const SLACK: Duration = Duration::from_millis(300);
/// Where a node's clock was wrong, by so much at most.
const WRONG_CLOCKS: Duration = Duration::from_secs(10);

pub fn holds(past: &Past) -> Result<(), String> {
    let hearing = Hearing::of(past);
    for (monitor, steps) in stories(past) {
        for (index, pair) in steps.windows(2).enumerate() {
            let What::Decided(Some(fall)) = &pair[1].what else { continue };
            let (before, at) = (&pair[0].after, pair[1].at);
            let judged = match fall.reason.code {
                Code::BEAT_MISSED => missed(past, &hearing, before, fall.since),
                Code::BEAT_OVERRUN => overrun(before, fall.since),
                _ => continue,
            };
            let judged = judged.and_then(|from| in_time(&steps[index + 2..], from, fall.since));
            judged
                .map_err(|why| format!("at {at} ms monitor {monitor} is DOWN since {}: {why}", fall.since))?;
        }
    }
    Ok(())
}

/// Answers from when on a beat would have been in time.
fn missed(past: &Past, hearing: &Hearing, before: &Standing, since: Instant) -> Result<Instant, String> {
    let from = before.expected_from().ok_or("nothing was expected")?;
    let terms = &before.agreement().terms;
    let deadline = terms.missed(from).ok_or("it is never missed")?;
    if since < deadline {
        return Err(format!("after the beat of {from} the deadline is {deadline}"));
    }
    // A beat may come early by as much as it may come late.
    let window = match terms.cadence.interval() {
        Some(every) if terms.grace.is_zero() => every,
        Some(every) => (terms.grace * 2).min(every + terms.grace),
        None => terms.grace,
    };
    let slack = if clocks_were_wrong(past) { WRONG_CLOCKS } else { SLACK };
    let heard = hearing.within(from, since);
    if heard + slack < window {
        return Err(format!(
            "since the beat of {from} one could hear for {heard:?}, and it takes {window:?}"
        ));
    }
    Ok(from)
}

fn overrun(before: &Standing, since: Instant) -> Result<Instant, String> {
    let (began, deadline) = before.overrun().ok_or("no run is under way")?;
    if since < deadline {
        return Err(format!("the run of {began} has time until {deadline}"));
    }
    // Its end counts, not any beat.
    Ok(since)
}

fn clocks_were_wrong(past: &Past) -> bool {
    let wrong = |kind: &FaultKind| matches!(kind, FaultKind::Skew { .. } | FaultKind::Drift { .. });
    past.script.faults.iter().any(|fault| wrong(&fault.kind))
}

/// No beat that was received by then is kept afterwards.
fn in_time(later: &[Step], from: Instant, since: Instant) -> Result<(), String> {
    for step in later {
        let What::Kept(beat) = &step.what else { continue };
        if speaks(beat) && from < beat.at && beat.at <= since {
            let (tag, at): (&str, Ms) = (&beat.via.agent, step.at);
            return Err(format!("beat {tag} was received at {} and kept at {at} ms", beat.at));
        }
    }
    Ok(())
}
