//! Every decision again: the rows that follow from the journal so far, the revision of then, one of the instants that
//! the loop had read from its clock. What was committed must be what follows, and nothing else.

use crate::journal::{Fact, Line, Told};
use crate::past::Past;
use crate::port::store::{Row, settled};
use bw_domain::beat::{Beat, Deaf, Taken, Track};
use bw_domain::id::{IncidentId, MonitorId};
use bw_domain::incident::IncidentChange;
use bw_domain::limits::EDIT_LEAD;
use bw_domain::monitor::{Significance, Spec, significance};
use bw_domain::port::store::{Commit, Revision};
use bw_domain::state::{Context, Heard, Observed, State, Step, Trigger, step};
use bw_domain::time::Instant;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who edits: people, and the first beat after a pause. And where the pages are.
const ACTORS: [&str; 2] = ["somebody", "a beat"];
const BASE_URL: &str = "http://bellwether.test";

/// A monitor as the journal has it.
pub struct Known {
    pub row: Row,
    pub track: Option<Track>,
    /// The track before an edit that means nothing for what was counted: a decision made before it may come after it.
    unedited: Option<Track>,
    /// The newest revision and the one before: a node may not have read a cosmetic edit yet.
    specs: Vec<Arc<Spec>>,
    revision: Revision,
}

/// The rows and tracks of every living monitor. An error names the first decision that does not follow.
pub fn replay(past: &Past) -> Result<BTreeMap<MonitorId, Known>, String> {
    let mut known: BTreeMap<MonitorId, Known> = BTreeMap::new();
    for line in &past.journal {
        match &line.fact {
            Fact::Edited { revision, commit, heard } => {
                edited(past, &mut known, revision, commit.as_deref(), heard)
                    .map_err(|why| tell(line, &why))?;
            }
            Fact::Kept { spec, beat, taken } => {
                let known = known.get_mut(&beat.monitor).ok_or_else(|| tell(line, "nobody knows it"))?;
                counted(known, spec, beat, *taken).map_err(|why| tell(line, &why))?;
            }
            Fact::Committed { commit, heard, told } => {
                let known = known.get_mut(&commit.monitor).ok_or_else(|| tell(line, "nobody knows it"))?;
                committed(known, commit, heard, told).map_err(|why| tell(line, &why))?;
            }
            _ => {}
        }
    }
    Ok(known)
}

fn tell(line: &Line, why: &str) -> String {
    let what = match &line.fact {
        Fact::Edited { revision, .. } => format!("revision {} of monitor {}", revision.revision, revision.id),
        Fact::Committed { commit, .. } => {
            let outcome = commit.outcome.as_ref().map(|outcome| (outcome.job.slot, outcome.job.r#try));
            format!("a decision about monitor {} ({outcome:?})", commit.monitor)
        }
        Fact::Kept { beat, taken, .. } => format!("beat {} of monitor {}", taken.number, beat.monitor),
        _ => String::new(),
    };
    format!("at {} ms {what}: {why}", line.at)
}

fn edited(
    past: &Past,
    known: &mut BTreeMap<MonitorId, Known>,
    revision: &Revision,
    commit: Option<&Commit>,
    heard: &[Instant],
) -> Result<(), String> {
    let id = revision.id;
    if revision.revision == 1 {
        let spec = past.spec(revision);
        let state = State::new(revision.created_at, 1);
        let context = context(revision.created_at, IncidentId(0), "");
        let begun = step(&spec, &Observed::default(), &state, Trigger::Created, &context);
        let row = Row { observed: Observed::default(), state: begun.state.unwrap_or(state) };
        known.insert(
            id,
            Known { row, track: None, unedited: None, specs: vec![spec], revision: revision.clone() },
        );
        return Ok(());
    }
    let before = known.get_mut(&id).ok_or("nobody knows it")?;
    if let Some(commit) = commit {
        let follows = heard.iter().rev().any(|now| consequence(past, before, revision, commit, *now));
        if !follows {
            return Err("its consequence does not follow from the rows".to_owned());
        }
        apply(before, commit)?;
    }
    if revision.declared.is_none() {
        known.remove(&id);
        return Ok(());
    }
    before.unedited = before.track.clone().filter(|_| commit.is_none());
    if let Some(track) = &mut before.track {
        track.edited(revision.revision, revision.effective_from);
    }
    let spec = past.spec(revision);
    before.specs.push(spec);
    before.revision = revision.clone();
    Ok(())
}

/// Whether this is what the edit means when it was decided at `now`.
fn consequence(past: &Past, before: &Known, revision: &Revision, commit: &Commit, now: Instant) -> bool {
    let old = before.specs.last().expect("a monitor that is known has a revision");
    let guess = Revision { effective_from: now + EDIT_LEAD, ..revision.clone() };
    let (spec, trigger) = match &revision.declared {
        None => (old.clone(), Trigger::Deleted),
        Some(_) => {
            let new = past.spec(&guess);
            let trigger = match (old.enabled, new.enabled) {
                (true, false) => Trigger::Paused,
                (false, true) => Trigger::Resumed,
                _ if significance(old, &new) == Significance::Counting => Trigger::Edited,
                _ => return false,
            };
            (new, trigger)
        }
    };
    let row = &before.row;
    ACTORS.iter().any(|actor| {
        let made = step(&spec, &row.observed, &row.state, trigger, &context(now, IncidentId(0), actor));
        let made = Commit { monitor: revision.id, ..commit_of(made, commit) };
        same(&settled(made, revision), commit)
    })
}

fn commit_of(made: Step, like: &Commit) -> Commit {
    Commit {
        monitor: like.monitor,
        expect_seq: like.expect_seq,
        outcome: like.outcome.clone(),
        keep_evidence: made.keep_evidence,
        observed: made.observed,
        state: made.state,
        transition: made.transition,
        incident: made.incident,
        events: made.events.into_vec(),
        track: made.track,
    }
}

/// A beat that was kept: it moves the track as the rules say.
fn counted(known: &mut Known, spec: &Spec, beat: &Beat, taken: Taken) -> Result<(), String> {
    let agreement = spec.beats().ok_or("it is no heartbeat")?;
    known.unedited = None;
    let made = known.track.get_or_insert_default().take(agreement, spec.revision, beat);
    if made == taken { Ok(()) } else { Err(format!("it counts as {made:?}, and was answered {taken:?}")) }
}

fn committed(known: &mut Known, commit: &Commit, heard: &[Instant], told: &Told) -> Result<(), String> {
    let spare = match &commit.incident {
        Some(IncidentChange::Open(incident, _)) => incident.id,
        _ => IncidentId(0),
    };
    let row = &known.row;
    let follows = |spec: &Spec, trigger: Trigger<'_>, now: Instant| {
        let made = step(spec, &row.observed, &row.state, trigger, &context(now, spare, ""));
        same(&commit_of(made, commit), commit)
    };
    // `ingest` decides what beats changed and looks at no silence; `sweep` as far as it was told.
    let deafness: [(Instant, &[Deaf]); 2] = [(Instant::ZERO, &[]), (told.until, &told.deaf)];
    let listens = |spec: &Spec, now: Instant| {
        [&known.track, &known.unedited].into_iter().flatten().any(|track| {
            deafness.iter().any(|(until, deaf)| {
                let trigger = Trigger::Heard(Heard { track, until: *until, deaf });
                follows(spec, trigger, now)
            })
        })
    };
    let newest_first = known.specs.iter().rev().take(2);
    let found = newest_first.into_iter().any(|spec| {
        heard.iter().rev().any(|now| match &commit.outcome {
            Some(outcome) => follows(spec, Trigger::Outcome(outcome), *now),
            // An edit's second look may leave the track as it is, and change the state alone.
            None if commit.track.is_some() || spec.beats().is_some() => listens(spec, *now),
            None => {
                follows(spec, Trigger::Timer, *now) || follows(spec, Trigger::Away(absence(commit)), *now)
            }
        })
    });
    if !found {
        return Err("it does not follow from the rows".to_owned());
    }
    apply(known, commit)
}

/// Since when nobody had been there to look, as the decision itself says.
fn absence(commit: &Commit) -> Instant {
    let unobserved = match &commit.incident {
        Some(IncidentChange::Update { not_observed_since, .. }) => not_observed_since.flatten(),
        _ => None,
    };
    let since = commit.state.as_ref().map(|state| state.since);
    unobserved.or(since).unwrap_or(Instant::ZERO)
}

fn same(made: &Commit, commit: &Commit) -> bool {
    made.observed == commit.observed
        && made.state == commit.state
        && made.transition == commit.transition
        && made.incident == commit.incident
        && made.events == commit.events
        && made.track == commit.track
}

fn apply(known: &mut Known, commit: &Commit) -> Result<(), String> {
    let Known { row, track, unedited, .. } = known;
    let seq = row.observed.seq;
    if commit.expect_seq != seq {
        return Err(format!("it was made from rows {}, and the rows were {seq}", commit.expect_seq));
    }
    if let Some(observed) = &commit.observed {
        row.observed = observed.clone();
    }
    row.observed.seq = seq + 1;
    if let Some(state) = &commit.state {
        row.state = state.clone();
    }
    if let Some(decided) = &commit.track {
        let count = track.as_ref().map_or(0, |track| track.count);
        if decided.count != count {
            return Err(format!("it was made after {} beats, and there were {count}", decided.count));
        }
        *track = Some((**decided).clone());
        *unedited = None;
    }
    Ok(())
}

fn context(now: Instant, spare: IncidentId, actor: &str) -> Context<'_> {
    Context { now, spare, base_url: BASE_URL, actor }
}
