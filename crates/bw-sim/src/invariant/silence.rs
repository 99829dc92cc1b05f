//! Silence never speaks too soon: not before the deadline that follows from the beats received; not when a beat was
//! received in time, even if it was kept later; not before somebody could have heard the beat for as long as it may
//! take to come. Time in which nobody could hear moves a deadline later, never nearer.

use crate::Ms;
use crate::fault::FaultKind;
use crate::journal::Fact;
use crate::oracle::{Hearing, Standing, Step, What, speaks, stories};
use crate::past::Past;
use bw_domain::limits::HEARING_LEASE;
use bw_domain::outcome::Code;
use bw_domain::time::{Duration, Instant};
use std::collections::BTreeMap;

/// Instants are whole milliseconds on several clocks.
const SLACK: Duration = Duration::from_millis(300);
/// What a frozen process has left of its lease at least.
const LEASE: u128 = HEARING_LEASE.as_millis() - 1_000;
/// Where a node's clock was wrong, by so much at most.
const WRONG_CLOCKS: Duration = Duration::from_secs(10);

pub fn holds(past: &Past) -> Result<(), String> {
    let (hearing, sent) = (Hearing::of(past), sent(past));
    for (monitor, steps) in stories(past) {
        for (index, pair) in steps.windows(2).enumerate() {
            let What::Decided(Some(fall)) = &pair[1].what else { continue };
            let (before, at) = (&pair[0].after, pair[1].at);
            let judged = match fall.reason.code {
                Code::BEAT_MISSED => missed(past, &hearing, before, fall.since),
                Code::BEAT_OVERRUN => overrun(before, fall.since),
                _ => continue,
            };
            let judged = judged.and_then(|from| {
                let received = |step: &Step| was_received(past, &sent, step, at);
                in_time(steps[index + 2..].iter().filter(|step| received(step)), from, fall.since)
            });
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

/// When each beat was sent, in true time.
fn sent(past: &Past) -> BTreeMap<&str, Ms> {
    let sent = past.journal.iter().filter_map(|line| match &line.fact {
        Fact::Sent { tag } => Some((&**tag, line.at)),
        _ => None,
    });
    sent.collect()
}

/// A beat that was there when it was decided, whatever the clocks say. One in a process that was frozen for longer than
/// its lease is as good as one in a process that died.
fn was_received(past: &Past, sent: &BTreeMap<&str, Ms>, step: &Step, decided: Ms) -> bool {
    let What::Kept(beat) = &step.what else { return false };
    let Some(sent) = sent.get(&*beat.via.agent) else { return false };
    let lost_its_lease = past.script.faults.iter().any(|fault| {
        let frozen =
            matches!(fault.kind, FaultKind::Freeze { .. }) && u128::from(fault.to - fault.from) > LEASE;
        frozen && fault.from < decided && *sent < fault.to && decided < fault.to
    });
    *sent < decided && !lost_its_lease
}

/// No beat that was received by then is kept afterwards.
fn in_time<'s>(later: impl Iterator<Item = &'s Step>, from: Instant, since: Instant) -> Result<(), String> {
    for step in later {
        let What::Kept(beat) = &step.what else { continue };
        if speaks(beat) && from < beat.at && beat.at <= since {
            let (tag, at): (&str, Ms) = (&beat.via.agent, step.at);
            return Err(format!("beat {tag} was received at {} and kept at {at} ms", beat.at));
        }
    }
    Ok(())
}
