//! `step`: the only place where a state changes. It takes what is known and what happened, and returns everything
//! that follows, to be committed together.

use super::draft::Draft;
use super::event::{Context, Step, Trigger};
use super::observed::{Cell, Observed, Seen};
use super::quorum::{Vote, decide};
use super::round::{Ask, Round};
use super::silence::on_heard;
use super::{Health, State};
use crate::beat::Kind;
use crate::job::{Job, window};
use crate::limits;
use crate::monitor::Spec;
use crate::outcome::{Outcome, Verdict};
use crate::schedule::vantages_at;
use crate::time::Instant;
use smallvec::SmallVec;

/// What follows from a trigger for a monitor whose rows were loaded together.
pub fn step(
    spec: &Spec,
    observed: &Observed,
    state: &State,
    trigger: Trigger<'_>,
    context: &Context<'_>,
) -> Step {
    let mut draft = Draft::new(spec, observed, state, context);
    let is_heartbeat = spec.beats().is_some();
    match trigger {
        Trigger::Heard(heard) => on_heard(&mut draft, heard),
        // Nobody looks at a heartbeat: it has neither rounds nor slots of ours.
        Trigger::Outcome(_) | Trigger::Timer | Trigger::Away(_) if is_heartbeat => {}
        Trigger::Outcome(outcome) => on_outcome(&mut draft, outcome),
        Trigger::Timer => on_timer(&mut draft),
        Trigger::Created => look_soon(&mut draft),
        Trigger::Edited => {
            start_again(&mut draft);
            // The others' rules look back; ours give the job the time of the new schedule.
            match spec.beats().map(|agreement| agreement.terms.kind) {
                Some(Kind::Own) => expect_anew(&mut draft),
                Some(Kind::Pulse | Kind::Healthchecks) => draft.state.reconsider = true,
                None => {}
            }
            if draft.state.incident.is_some() {
                draft.note("edited: counting starts again");
            }
            look_soon(&mut draft);
        }
        Trigger::Resumed => {
            start_again(&mut draft);
            expect_anew(&mut draft);
            draft.note("resumed");
            look_soon(&mut draft);
        }
        Trigger::Paused => {
            start_again(&mut draft);
            draft.note("paused");
            draft.lose_sight(context.now, "paused");
        }
        Trigger::Deleted => {
            start_again(&mut draft);
            draft.end("monitor deleted");
        }
        Trigger::Away(since) => {
            // Since then no slot was handed out; a first look or a repeat may have been seen later.
            let seen = draft.observed.conclusive_at().map_or(since, |at| at.max(since));
            // Where nothing is known there is nothing to lose, not even the look that was promised.
            let known = draft.state.health != Health::Unknown;
            if known && context.now.since(seen) > spec.stale_after() {
                draft.lose_sight(seen, "nobody was there to look");
            }
        }
    }
    draft.finish(observed, state)
}

/// Counters begin at zero under the present revision; health and incident stay.
fn start_again(draft: &mut Draft<'_>) {
    draft.state.revision = draft.spec.revision;
    draft.state.streak = None;
    draft.state.round = None;
    draft.state.stale_at = None;
    for cell in &mut draft.observed.cells {
        cell.streak = 0;
    }
}

/// A heartbeat is expected anew from now on.
fn expect_anew(draft: &mut Draft<'_>) {
    if draft.spec.beats().is_some() {
        draft.state.base = Some(draft.context.now);
    }
}

/// A round before the first slot of a new revision, so that nobody waits a whole cadence for the first answer.
fn look_soon(draft: &mut Draft<'_>) {
    draft.state.revision = draft.spec.revision;
    let look = draft.spec.enabled && draft.spec.beats().is_none();
    draft.state.round = look.then(|| first_round(draft.spec));
}

/// The first look at a new revision. It counts for health like any repeat.
fn first_round(spec: &Spec) -> Round {
    let due = spec.effective_from;
    Round {
        slot: due,
        r#try: 1,
        asked: spec
            .policy
            .vantages
            .iter()
            .map(|vantage| Ask { vantage: *vantage, due, published: false })
            .collect(),
        ends: window(due, spec.policy.every, spec.policy.timeout).lost_at,
    }
}

fn on_outcome(draft: &mut Draft<'_>, outcome: &Outcome) {
    let job = &outcome.job;
    let before = draft.observed.cell(job.vantage).cloned();
    let newer = before.as_ref().is_none_or(|cell| cell.is_before(job.slot, job.r#try));
    let counts = newer && job.revision >= draft.state.revision && draft.spec.enabled;
    observe(draft, outcome, counts);
    draft.out.counted = counts;
    if !counts {
        return;
    }
    draft.out.keep_evidence = worth_keeping(draft.state.health, before.as_ref(), outcome);
    draft.changed_failure(before.as_ref(), outcome);

    let asked: SmallVec<[_; 1]> = match &draft.state.round {
        Some(round) if (round.slot, round.r#try) == (job.slot, job.r#try) => {
            round.asked.iter().map(|ask| ask.vantage).collect()
        }
        _ if job.r#try == 0 => vantages_at(draft.spec, job.slot),
        // A repeat whose round is closed: it was seen, and votes no more.
        _ => return,
    };
    let votes = votes(&draft.observed, &asked, job.slot, job.r#try);
    if votes.contains(&Vote::Missing) {
        return;
    }
    let result = decide(&votes, draft.spec.policy.confirm.agree, draft.spec.policy.confirm.min);
    draft.advance(result, &asked, (job.slot, job.r#try), Some(outcome));
}

/// Moves the cell of the outcome's vantage; one that counts nothing only fills its place in the recent slots.
fn observe(draft: &mut Draft<'_>, outcome: &Outcome, counts: bool) {
    let seen = Seen::of(outcome);
    let every = draft.spec.policy.every;
    let cells = &mut draft.observed.cells;
    let index = cells.iter().position(|cell| cell.vantage == seen.vantage).unwrap_or_else(|| {
        // Most monitors have one for ever.
        cells.reserve_exact(1);
        cells.push(Cell::blank(&seen));
        cells.len() - 1
    });
    let cell = &mut cells[index];
    cell.place(&seen, every);
    if !counts {
        return;
    }
    cell.count(&seen);
    if let Some(certificate) = &outcome.certificate {
        cell.certificate = certificate.mark();
    }
}

/// First, changed and now and then the latest failure: enough to understand, bounded however long it lasts.
fn worth_keeping(health: Health, before: Option<&Cell>, outcome: &Outcome) -> bool {
    let minute = |at: Instant| at.ms().div_euclid(60_000);
    outcome.verdict == Verdict::Fail
        && (health != Health::Down
            || before.is_none_or(|cell| {
                cell.verdict != Verdict::Fail
                    || cell.code != outcome.code
                    || minute(cell.at) != minute(outcome.at)
            }))
}

/// What the asked vantages said in a round: their cells, where these still stand at it.
pub(super) fn votes(
    observed: &Observed,
    asked: &[crate::monitor::Vantage],
    slot: Instant,
    r#try: u8,
) -> SmallVec<[Vote; 2]> {
    asked
        .iter()
        .map(|vantage| match observed.cell(*vantage) {
            Some(cell) if (cell.slot, cell.r#try) == (slot, r#try) => Vote::Said(cell.verdict),
            _ => Vote::Missing,
        })
        .collect()
}

fn on_timer(draft: &mut Draft<'_>) {
    let now = draft.context.now;
    publish_due(draft, now);
    let over = draft.state.round.clone().filter(|round| round.next() <= now && round.ends <= now);
    if let Some(round) = over {
        let asked: SmallVec<[_; 1]> = round.asked.iter().map(|ask| ask.vantage).collect();
        let votes = votes(&draft.observed, &asked, round.slot, round.r#try);
        let result = decide(&votes, draft.spec.policy.confirm.agree, draft.spec.policy.confirm.min);
        draft.advance(result, &asked, (round.slot, round.r#try), None);
    }
    if draft.state.stale_at.is_some_and(|at| at <= now) {
        draft.state.stale_at = None;
        let seen = draft.observed.conclusive_at().unwrap_or(draft.state.since);
        if now.since(seen) >= draft.spec.stale_after() {
            draft.lose_sight(seen, "no pass or fail arrived");
        }
    }
}

fn publish_due(draft: &mut Draft<'_>, now: Instant) {
    let (id, revision) = (draft.spec.id, draft.spec.revision);
    let (every, timeout) = (draft.spec.policy.every, draft.spec.policy.timeout);
    let Some(round) = &mut draft.state.round else { return };
    for ask in round.asked.iter_mut().filter(|ask| !ask.published && ask.due <= now) {
        ask.published = true;
        // Our own lateness must not make the repeat miss its window: it begins now.
        let start = ask.due.max(now - limits::LATENESS.min(every) / 2);
        draft.out.jobs.push(Job {
            monitor: id,
            revision,
            vantage: ask.vantage,
            slot: round.slot,
            r#try: round.r#try,
            start,
            not_after: window(start, every, timeout).not_after,
        });
        round.ends = round.ends.max(window(start, every, timeout).lost_at);
    }
}
