//! Rows and the one commit: per item, in one transaction, as the port says.

use super::Row;
use crate::journal::Fact;
use crate::mutant::Mutant;
use crate::world::{Basis, Inner, Life, Link};
use bw_domain::id::{EvidenceId, MonitorId};
use bw_domain::incident::IncidentChange;
use bw_domain::outcome::Outcome;
use bw_domain::port::store::{Answer, Answered, Commit, EvidenceRow, Loaded, States, TransitionRow};
use bw_domain::schedule::shard_of;

impl States for Link {
    fn load(&self, monitors: Vec<MonitorId>) -> Answered<'_, Vec<Option<Loaded>>> {
        self.read(move |inner| {
            let rows = &inner.database.rows;
            let inner = &*inner;
            monitors
                .into_iter()
                .map(|monitor| rows.get(&monitor).map(|row| loaded(inner, monitor, row)))
                .collect()
        })
    }

    fn all(&self) -> Answered<'_, Vec<Loaded>> {
        self.read(|inner| {
            let inner = &*inner;
            inner.database.rows.iter().map(|(id, row)| loaded(inner, *id, row)).collect()
        })
    }

    fn commit(&self, batch: Vec<Commit>) -> Answered<'_, Vec<Answer>> {
        let heard = self.world.lock().basis();
        self.write(move |inner, life| {
            batch.into_iter().map(|commit| commit_one(inner, life, commit, heard.clone())).collect()
        })
    }
}

fn loaded(inner: &Inner, monitor: MonitorId, row: &Row) -> Loaded {
    let track = inner.database.tracks.get(&monitor).cloned().map(Box::new);
    Loaded { monitor, observed: row.observed.clone(), state: row.state.clone(), track }
}

fn commit_one(inner: &mut Inner, life: Life, commit: Commit, heard: Basis) -> Answer {
    let (database, mutant) = (&inner.database, inner.mutant);
    let Some(row) = database.rows.get(&commit.monitor) else { return Answer::Gone };
    let repeats = mutant == Some(Mutant::LateOutcomesDuplicated);
    if let Some(outcome) = commit.outcome.as_ref().filter(|_| !repeats) {
        let key = outcome.job.key();
        let accounted = database.shards[usize::from(shard_of(commit.monitor))].accounted;
        if database.outcomes.contains_key(&key) || (key.r#try == 0 && key.slot <= accounted) {
            return Answer::Duplicate;
        }
    }
    if row.observed.seq != commit.expect_seq && mutant != Some(Mutant::CommitWithoutFence) {
        return Answer::Conflict;
    }
    let count = database.tracks.get(&commit.monitor).map(|track| track.count);
    if commit.track.as_ref().is_some_and(|track| count != Some(track.count)) {
        return Answer::Conflict;
    }
    // A spare id may have been given out twice; whoever comes second decides again with another.
    let taken = |change: &IncidentChange| match change {
        IncidentChange::Open(incident, _) => database.incidents.contains_key(&incident.id),
        _ => false,
    };
    if commit.incident.as_ref().is_some_and(taken) && mutant != Some(Mutant::IncidentIdReused) {
        return Answer::Conflict;
    }
    write(inner, &commit);
    let Basis { heard, told } = heard;
    inner.note(life, Fact::Committed { commit: Box::new(commit), heard, told });
    Answer::Committed
}

/// Everything that a decision says.
pub(super) fn write(inner: &mut Inner, commit: &Commit) {
    let (mutant, unlucky) = (inner.mutant, inner.chance.permille(200));
    let database = &mut inner.database;
    let Some(before) = database.rows.get(&commit.monitor) else { return };
    let mut row = before.clone();
    if let Some(observed) = &commit.observed {
        row.observed = observed.clone();
    }
    row.observed.seq = before.observed.seq + 1;
    if let Some(state) = &commit.state {
        row.state = state.clone();
        if mutant == Some(Mutant::TwoOpenIncidents) {
            row.state.incident = None;
        }
    }
    if let Some(track) = &commit.track {
        database.put_track(commit.monitor, (**track).clone());
    }
    let incident = row.state.incident;
    database.put_row(commit.monitor, row);
    if let Some(outcome) = &commit.outcome {
        if commit.keep_evidence
            && let Some(evidence) = outcome.evidence.as_deref()
        {
            let id = EvidenceId(database.evidence.len() as i64 + 1);
            let (key, at, code) = (outcome.job.key(), outcome.at, outcome.code);
            database.evidence.push(EvidenceRow { id, key, incident, at, code, evidence: evidence.clone() });
        }
        let kept = Outcome { evidence: None, ..outcome.clone() };
        database.outcomes.entry(outcome.job.key()).or_default().push(kept);
    }
    if let Some(transition) = &commit.transition {
        let row = TransitionRow {
            at: transition.at,
            since: transition.since,
            from: transition.from,
            to: transition.to,
            code: transition.reason.code,
            text: transition.reason.text.clone(),
        };
        database.transitions.entry(commit.monitor).or_default().push(row);
    }
    if let Some(change) = commit.incident.clone() {
        database.change_incident(change);
    }
    if mutant == Some(Mutant::EventsDroppedFromCommit) && unlucky {
        return;
    }
    for event in &commit.events {
        database.add_event(event.clone());
    }
}
