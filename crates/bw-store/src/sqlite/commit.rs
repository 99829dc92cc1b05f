//! One decision and everything that follows from it, written in the transaction of its batch or left out.
//!
//! A decision is left out when its monitor is gone, its outcome is known, or it was made from rows that have moved
//! since. What is left out has written nothing. Two decisions about one monitor in a batch see each other.

use super::error::{Fault, Result};
use super::memory::{Desk, Row};
use super::periods::{self, Append};
use super::replay::{self, Effect};
use super::tx::Tx;
use super::{append, events, incidents, outcomes, snapshot};
use bw_domain::id::{EvidenceId, IncidentId, MonitorId};
use bw_domain::incident::IncidentChange;
use bw_domain::job::OutcomeKey;
use bw_domain::outcome::Outcome;
use bw_domain::port::store::{Answer, Commit};
use bw_domain::state::{Observed, Seen, State, Transition};
use rusqlite::params;

/// Writes the decision, if it may be.
pub(super) fn commit(tx: &mut Tx<'_>, commit: &Commit) -> Result<Answer> {
    let monitor = commit.monitor;
    let Some(row) = tx.row(monitor) else { return Ok(Answer::Gone) };
    if let Some(outcome) = &commit.outcome {
        if outcome.job.monitor != monitor {
            return Err(Fault::Invalid(format!("an outcome of another monitor in a commit of {monitor}")));
        }
        if is_known(tx, row, &outcome.job.key())? {
            return Ok(Answer::Duplicate);
        }
    }
    if row.observed.seq != commit.expect_seq || beat_came(tx, commit) || incident_is_taken(tx, commit)? {
        return Ok(Answer::Conflict);
    }
    let row = Box::new(row.clone());
    write(tx, row, commit)?;
    Ok(Answer::Committed)
}

/// What memory says of an outcome's key; `None`: only the rows can say.
pub(super) fn remembers(row: &Row, desk: &Desk, key: &OutcomeKey) -> Option<bool> {
    if key.r#try == 0 && key.slot <= desk.shard_of(key.monitor).accounted {
        return Some(true);
    }
    match row.observed.has(key) {
        Some(false) if key.slot <= row.hidden_until => None,
        known => known,
    }
}

fn is_known(tx: &Tx<'_>, row: &Row, key: &OutcomeKey) -> Result<bool> {
    match remembers(row, &tx.staged.desk, key) {
        Some(known) => Ok(known),
        None => periods::contains(tx.conn, row.head, key),
    }
}

/// What was decided about beats was decided before the last one of them, or none ever came.
fn beat_came(tx: &Tx<'_>, commit: &Commit) -> bool {
    let counted = || tx.track(commit.monitor).map(|kept| kept.track().count);
    commit.track.as_ref().is_some_and(|track| counted() != Some(track.count))
}

/// A spare id may have been given out twice; whoever comes second decides again with another.
fn incident_is_taken(tx: &Tx<'_>, commit: &Commit) -> Result<bool> {
    let Some(IncidentChange::Open(incident, _)) = &commit.incident else { return Ok(false) };
    let sql = "SELECT 1 FROM incidents WHERE id = ?1";
    Ok(tx.conn.prepare_cached(sql)?.exists([incident.id.0])?)
}

fn write(tx: &mut Tx<'_>, mut row: Box<Row>, commit: &Commit) -> Result<()> {
    let monitor = commit.monitor;
    if let Some(state) = &commit.state {
        row.set_state(state.clone());
        write_state(tx, monitor, state)?;
    }
    if let Some(change) = &commit.incident {
        incidents::write(tx.conn, change)?;
    }
    let evidence = match &commit.outcome {
        Some(outcome) if commit.keep_evidence => keep_evidence(tx, row.state().incident, outcome)?,
        _ => None,
    };
    let before = commit.observed.as_ref().map(|new| std::mem::replace(&mut row.observed, new.clone()));
    row.observed.seq = commit.expect_seq + 1;
    let replayable = match &commit.outcome {
        Some(outcome) => {
            if before.is_some() {
                note_certificate(tx, before.as_ref(), &row, outcome)?;
            }
            append(tx, before.as_ref(), &mut row, outcome, evidence)?
        }
        None => false,
    };
    if !replayable {
        // The new row may remember less than the old one did.
        let forgotten = before.iter().flat_map(|before| &before.cells).map(|cell| cell.slot).max();
        row.hidden_until = row.hidden_until.max(forgotten.unwrap_or_default());
        snapshot::write(tx.conn, monitor, &row)?;
    }
    if let Some(transition) = &commit.transition {
        write_transition(tx, monitor, transition)?;
    }
    for event in &commit.events {
        events::write(tx.conn, event)?;
    }
    if let Some(track) = &commit.track {
        append::write_track(tx, monitor, track)?;
    }
    tx.stage(monitor, row);
    Ok(())
}

/// Appends the outcome. True: a replay of it leads to the row of observations, which need not be written.
fn append(
    tx: &mut Tx<'_>,
    before: Option<&Observed>,
    row: &mut Row,
    outcome: &Outcome,
    evidence: Option<EvidenceId>,
) -> Result<bool> {
    let effect = match before {
        Some(before) => replay::effect(before, &row.observed, &Seen::of(outcome)),
        None => Some(Effect::Nothing),
    };
    snapshot::hide(row, &outcome.job.key());
    let effect_stored = effect.unwrap_or(Effect::Nothing);
    let append = Append { outcome, seq: row.observed.seq, effect: effect_stored, evidence };
    tx.journal.tables.append(tx.conn, &mut row.head, &append)?;
    Ok(effect.is_some())
}

pub(super) fn write_state(tx: &Tx<'_>, monitor: MonitorId, state: &State) -> Result<()> {
    let text = serde_json::to_string(state).expect("a state is JSON");
    let sql = "INSERT INTO state (monitor, state) VALUES (?1, ?2)
               ON CONFLICT (monitor) DO UPDATE SET state = excluded.state";
    tx.conn.prepare_cached(sql)?.execute(params![monitor.0, text])?;
    Ok(())
}

fn write_transition(tx: &Tx<'_>, monitor: MonitorId, transition: &Transition) -> Result<()> {
    let Transition { from, to, at, since, reason } = transition;
    let sql = "INSERT INTO transitions (monitor, at, since, from_health, to_health, code, text)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let code = reason.code.number();
    tx.conn.prepare_cached(sql)?.execute(params![
        monitor.0,
        at.ms(),
        since.ms(),
        from.word(),
        to.word(),
        code,
        reason.text
    ])?;
    Ok(())
}

/// The certificate is written when its mark is another than before at this vantage.
fn note_certificate(tx: &Tx<'_>, before: Option<&Observed>, row: &Row, outcome: &Outcome) -> Result<()> {
    let vantage = outcome.job.vantage;
    let mark = |observed: &Observed| observed.cell(vantage).map_or(0, |cell| cell.certificate);
    match &outcome.certificate {
        Some(certificate) if before.map_or(0, mark) != mark(&row.observed) => {
            let text = serde_json::to_string(certificate).expect("a certificate is JSON");
            let sql =
                "INSERT INTO certificates (monitor, vantage, seen_at, certificate) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (monitor, vantage)
                       DO UPDATE SET seen_at = excluded.seen_at, certificate = excluded.certificate";
            let monitor = outcome.job.monitor.0;
            tx.conn.prepare_cached(sql)?.execute(params![
                monitor,
                vantage.number(),
                outcome.at.ms(),
                text
            ])?;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn keep_evidence(tx: &Tx<'_>, incident: Option<IncidentId>, outcome: &Outcome) -> Result<Option<EvidenceId>> {
    match &outcome.evidence {
        Some(evidence) => outcomes::write_evidence(tx.conn, incident, outcome, evidence).map(Some),
        None => Ok(None),
    }
}
