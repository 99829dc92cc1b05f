//! While nothing goes wrong, a target that stays down is DOWN in time and its messages are out a second later; one that
//! is well again is UP in time.

use crate::Ms;
use crate::journal::Fact;
use crate::past::Past;
use crate::truth::{Stretch, Target};
use bw_domain::id::MonitorId;
use bw_domain::monitor::Spec;
use bw_domain::state::Health;
use bw_domain::time::Duration;
use std::sync::Arc;

/// After a fault so long is granted to come right again.
const LEAD: Ms = 40_000;
/// Beyond what the rule itself takes.
const BOUND: Ms = 1_000;
/// From the decision to the sink, where the sink is well.
const TELLING: Ms = 1_000;

pub fn holds(past: &Past) -> Result<(), String> {
    let calm = past.script.calm(LEAD);
    for monitor in past.monitors() {
        let Some((number, spans)) = spans(past, monitor) else { continue };
        for stretch in past.script.watched[number].truth.stretches() {
            let goal = match stretch.target {
                target if target.is_down() => Health::Down,
                Target::Up => Health::Up,
                _ => continue,
            };
            let Some((spec, _, _)) =
                spans.iter().find(|(_, from, to)| *from <= stretch.from && stretch.from < *to)
            else {
                continue;
            };
            let until = latest(stretch, spec, goal);
            let undisturbed = |(from, to): &(Ms, Ms)| *from <= stretch.from && until <= *to;
            let edited = !spans.iter().any(|(_, from, to)| *from <= stretch.from && until <= *to);
            if until <= stretch.to && !edited && calm.iter().any(undisturbed) {
                noticed(past, monitor, goal, until)?;
            }
        }
    }
    messages(past, &calm)
}

/// When the change must be known.
fn latest(stretch: &Stretch, spec: &Spec, goal: Health) -> Ms {
    let ms = |length: Duration| length.as_millis() as Ms;
    let rounds = match goal {
        Health::Down => spec.policy.confirm.failures,
        _ => spec.policy.confirm.recoveries,
    };
    let rounds = Ms::from(rounds);
    stretch.from
        + ms(spec.policy.every)
        + (rounds - 1) * ms(spec.policy.confirm.after)
        + rounds * ms(spec.policy.timeout)
        + BOUND
}

/// The number of a monitor's target, and its active specifications with the true times from and to which nobody edited
/// it.
type Spans = (usize, Vec<(Arc<Spec>, Ms, Ms)>);

fn spans(past: &Past, monitor: MonitorId) -> Option<Spans> {
    let mut number = None;
    let mut spans: Vec<(Arc<Spec>, Ms, Ms)> = Vec::new();
    let mut active = false;
    for line in &past.journal {
        let Fact::Edited { revision, .. } = &line.fact else { continue };
        if revision.id != monitor {
            continue;
        }
        if let Some(last) = spans.last_mut().filter(|_| active) {
            last.2 = line.at;
        }
        active = false;
        let Some(declared) = &revision.declared else { continue };
        number = declared.name.strip_prefix('m').and_then(|digits| digits.parse().ok());
        let spec = past.spec(revision);
        if spec.enabled {
            active = true;
            // The first look at a new revision lies two seconds ahead.
            spans.push((spec, line.at + 2_000, past.ended));
        }
    }
    Some((number?, spans))
}

fn noticed(past: &Past, monitor: MonitorId, goal: Health, until: Ms) -> Result<(), String> {
    let mut health = Health::Unknown;
    for line in past.journal.iter().take_while(|line| line.at <= until) {
        let state = match &line.fact {
            Fact::Committed { commit, .. } if commit.monitor == monitor => commit.state.as_ref(),
            Fact::Edited { commit: Some(commit), .. } if commit.monitor == monitor => commit.state.as_ref(),
            _ => None,
        };
        health = state.map_or(health, |state| state.health);
    }
    if health == goal {
        return Ok(());
    }
    Err(format!("at {until} ms monitor {monitor} is {} and should be {}", health.word(), goal.word()))
}

/// A message that went out at its first attempt did so in time.
fn messages(past: &Past, calm: &[(Ms, Ms)]) -> Result<(), String> {
    for row in past.database.deliveries.iter().map(|row| &row.delivery) {
        let committed = past.journal.iter().find(|line| match &line.fact {
            Fact::Committed { commit, .. } => commit.events.iter().any(|event| event.id == row.event),
            _ => false,
        });
        let Some(committed) = committed.filter(|_| row.attempts.len() == 1) else { continue };
        let until = committed.at + TELLING;
        let is_calm = calm.iter().any(|(from, to)| *from <= committed.at && until <= *to);
        let told = past
            .journal
            .iter()
            .find(|line| matches!(&line.fact, Fact::Reached { delivery, .. } if *delivery == row.id));
        if is_calm && told.is_none_or(|told| told.at > until) && !is_held_up(past, row, committed.at) {
            return Err(format!(
                "decided at {} ms, told to {} at {:?} ms",
                committed.at,
                row.action,
                told.map(|line| line.at)
            ));
        }
    }
    Ok(())
}

/// An earlier message of the chain still had to go out.
fn is_held_up(past: &Past, row: &bw_domain::delivery::Delivery, at: Ms) -> bool {
    let others = past.database.deliveries.iter().map(|other| &other.delivery);
    others.filter(|other| other.chain == row.chain && other.id != row.id).any(|other| {
        let recorded = past.journal.iter().rev().find(|line| {
            matches!(&line.fact, Fact::Recorded { rows } if rows.iter().any(|done| done.id == other.id))
        });
        other.created_at <= row.created_at && recorded.is_none_or(|line| line.at > at)
    })
}
