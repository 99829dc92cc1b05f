//! A batch of decisions and everything that follows from them, in one transaction of three round trips: lock and read,
//! write, commit. How many statements a batch takes does not depend on how many outcomes it holds.
//!
//! A decision is left out when its monitor is gone, its outcome is known, or it was made from rows that have moved
//! since. What is left out has written nothing. Two decisions about one monitor in a batch see each other. Batches of
//! several nodes wait for each other where they have a monitor in common, and nowhere else: the rows are locked in the
//! order of their ids, and everything is read after they are.

use super::conn::{Conn, Script, get, params};
use super::error::{Fault, Result};
use super::write::Writes;
use super::{Postgres, leases};
use crate::pack;
use bw_domain::id::{IncidentId, MonitorId};
use bw_domain::incident::IncidentChange;
use bw_domain::job::OutcomeKey;
use bw_domain::port::store::{Answer, Commit};
use bw_domain::schedule::shard_of;
use bw_domain::state::{Observed, State};
use bw_domain::time::Instant;
use std::collections::{BTreeSet, HashMap, HashSet};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

/// Commits a batch in a transaction of its own.
pub(super) async fn commit(store: &Postgres, batch: &[Commit]) -> Result<Vec<Answer>> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    check(batch)?;
    match attempt(store, batch).await {
        // The partition that we knew was dropped meanwhile.
        Err(fault) if fault.is(&SqlState::CHECK_VIOLATION) => {
            store.days.forget();
            attempt(store, batch).await
        }
        answer => answer,
    }
}

async fn attempt(store: &Postgres, batch: &[Commit]) -> Result<Vec<Answer>> {
    store.make_room(batch.iter()).await?;
    let conn = store.conn().await?;
    let answer = async {
        let rows = conn.begin_with(&questions(batch)).await?;
        decide_and_write(&conn, batch, rows).await
    };
    let answer = answer.await;
    conn.end(answer).await
}

/// Commits one decision as a part of a transaction.
pub(super) async fn follow(conn: &Conn, commit: &Commit) -> Result<Answer> {
    let batch = std::slice::from_ref(commit);
    check(batch)?;
    let rows = conn.script(&questions(batch)).await?;
    let answers = decide_and_write(conn, batch, rows).await?;
    answers.first().copied().ok_or_else(|| Fault::damaged("commit", "no answer"))
}

fn check(batch: &[Commit]) -> Result<()> {
    let other = |commit: &&Commit| {
        commit.outcome.as_ref().is_some_and(|outcome| outcome.job.monitor != commit.monitor)
    };
    match batch.iter().find(other) {
        Some(commit) => {
            let text = format!("an outcome of another monitor in a commit of {}", commit.monitor);
            Err(Fault::Invalid(text))
        }
        None => Ok(()),
    }
}

async fn decide_and_write(conn: &Conn, batch: &[Commit], rows: Vec<Vec<Row>>) -> Result<Vec<Answer>> {
    let mut desk = Desk::read(batch, rows)?;
    let mut writes = Writes::default();
    let answers = batch.iter().map(|commit| desk.decide(commit, &mut writes)).collect::<Result<Vec<_>>>()?;
    for (monitor, row) in &desk.rows {
        if row.moved {
            writes.row(*monitor, row.seq, row.observed.as_ref(), row.state.as_ref());
        }
    }
    let script = writes.script();
    if !script.is_empty() {
        conn.script(&script).await?;
    }
    Ok(answers)
}

/// What must be known to decide. Each is asked after the rows of the monitors are locked.
fn questions(batch: &[Commit]) -> Script {
    let mut script = Script::default();
    let monitors: BTreeSet<i64> = batch.iter().map(|commit| commit.monitor.0).collect();
    let certified: BTreeSet<i64> = batch
        .iter()
        .filter(|commit| commit.outcome.as_ref().is_some_and(|outcome| outcome.certificate.is_some()))
        .map(|commit| commit.monitor.0)
        .collect();
    let monitors: Vec<i64> = monitors.into_iter().collect();
    let certified: Vec<i64> = certified.into_iter().collect();
    let lock = "SELECT monitor, seq, CASE WHEN monitor = ANY($2) THEN cells END FROM observed
                WHERE monitor = ANY($1) ORDER BY monitor FOR NO KEY UPDATE";
    script.push(lock, params![monitors.clone(), certified]);
    let tracked: BTreeSet<i64> =
        batch.iter().filter(|commit| commit.track.is_some()).map(|commit| commit.monitor.0).collect();
    if !tracked.is_empty() {
        // After the rows above: whoever keeps beats locks none of them.
        let lock = "SELECT monitor, count FROM tracks WHERE monitor = ANY($1) AND count > 0
                    ORDER BY monitor FOR NO KEY UPDATE";
        script.push(lock, params![tracked.into_iter().collect::<Vec<i64>>()]);
    }
    leases::accounted(&mut script);
    let (mut of, mut slots, mut tries, mut vantages) = (vec![], vec![], vec![], vec![]);
    for key in batch.iter().filter_map(|commit| commit.outcome.as_ref()).map(|outcome| outcome.job.key()) {
        of.push(key.monitor.0);
        slots.push(key.slot.ms());
        tries.push(i16::from(key.r#try));
        vantages.push(key.vantage.number() as i32);
    }
    known(&mut script, [of, slots], tries, vantages);
    let opened: Vec<i64> = batch.iter().filter_map(opens).map(|id| id.0).collect();
    // An id for each piece of evidence, and one more: what an incident takes with it is older.
    let kept = batch.iter().filter(|commit| commit.keep_evidence).count();
    let ids = if kept + opened.len() > 0 { kept as i32 + 1 } else { 0 };
    script.push("SELECT id FROM incidents WHERE id = ANY($1)", params![opened]);
    if ids > 0 {
        let incidents = "SELECT monitor, incident FROM state WHERE monitor = ANY($1)";
        script.push(incidents, params![monitors]);
        let evidence = "SELECT nextval('evidence_ids') FROM generate_series(1, $1::integer)";
        script.push(evidence, params![ids]);
    }
    script
}

/// Asks which keys have a row; answers their places, from one. By the key's own index each, whatever the planner
/// thinks of the size of arrays; only in the days between the first and the last slot.
pub(super) fn known(
    script: &mut Script,
    [monitors, slots]: [Vec<i64>; 2],
    tries: Vec<i16>,
    vantages: Vec<i32>,
) {
    let first = slots.iter().min().copied().unwrap_or_default();
    let last = slots.iter().max().copied().unwrap_or_default();
    let sql = "SELECT k.n FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::integer[])
                   WITH ORDINALITY k(monitor, slot, try, vantage, n)
               CROSS JOIN LATERAL (
                   SELECT 1 FROM outcomes o
                   WHERE o.monitor = k.monitor AND o.slot = k.slot AND o.try = k.try AND o.vantage = k.vantage
                   AND o.slot BETWEEN $5 AND $6 LIMIT 1) o";
    script.push(sql, params![monitors, slots, tries, vantages, first, last]);
}

fn opens(commit: &Commit) -> Option<IncidentId> {
    match &commit.incident {
        Some(IncidentChange::Open(incident, _)) => Some(incident.id),
        _ => None,
    }
}

/// A monitor's rows as this transaction sees them.
#[derive(Default)]
struct Rows {
    seq: u64,
    /// As it was read, where it was; then as it will be.
    before: Option<Observed>,
    observed: Option<Observed>,
    state: Option<State>,
    incident: Option<IncidentId>,
    /// How many beats are counted in its track, where that is asked and there is one.
    beats: Option<u64>,
    moved: bool,
}

/// What was read, and what the decisions so far have made of it.
struct Desk {
    rows: HashMap<MonitorId, Rows>,
    accounted: Vec<Instant>,
    known: HashSet<OutcomeKey>,
    taken: HashSet<i64>,
    /// Free ids of evidence, the smallest last.
    evidence: Vec<i64>,
}

impl Desk {
    /// Reads the answers to [`questions`].
    fn read(batch: &[Commit], answers: Vec<Vec<Row>>) -> Result<Self> {
        let mut answers = answers.into_iter();
        let mut next = || answers.next().unwrap_or_default();
        let mut rows = HashMap::new();
        for row in next() {
            let cells = get::<Option<&[u8]>>(&row, 2)?.map(pack::read_cells).transpose()?;
            let before = cells.map(|cells| Observed { seq: 0, cells });
            let seq = get::<i64>(&row, 1)? as u64;
            rows.insert(MonitorId(get(&row, 0)?), Rows { seq, before, ..Rows::default() });
        }
        if batch.iter().any(|commit| commit.track.is_some()) {
            for row in next() {
                if let Some(rows) = rows.get_mut(&MonitorId(get(&row, 0)?)) {
                    rows.beats = Some(get::<i64>(&row, 1)? as u64);
                }
            }
        }
        let accounted = leases::read_accounted(&next())?;
        let keys = batch.iter().filter_map(|commit| commit.outcome.as_ref()).map(|outcome| outcome.job.key());
        let keys: Vec<OutcomeKey> = keys.collect();
        let mut known = HashSet::new();
        for row in next() {
            let place = get::<i64>(&row, 0)? as usize;
            known.extend(keys.get(place.wrapping_sub(1)));
        }
        let taken = next().iter().map(|row| get(row, 0)).collect::<Result<_>>()?;
        for row in next() {
            if let Some(rows) = rows.get_mut(&MonitorId(get(&row, 0)?)) {
                rows.incident = get::<Option<i64>>(&row, 1)?.map(IncidentId);
            }
        }
        let mut evidence = next().iter().map(|row| get(row, 0)).collect::<Result<Vec<i64>>>()?;
        evidence.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        Ok(Desk { rows, accounted, known, taken, evidence })
    }

    /// What becomes of a decision; what it says is written or nothing of it is.
    fn decide<'b>(&mut self, commit: &'b Commit, writes: &mut Writes<'b>) -> Result<Answer> {
        let Some(rows) = self.rows.get_mut(&commit.monitor) else { return Ok(Answer::Gone) };
        let key = commit.outcome.as_ref().map(|outcome| outcome.job.key());
        if let Some(key) = &key {
            let accounted = self.accounted.get(usize::from(shard_of(key.monitor)));
            let accounted = accounted.copied().unwrap_or_default();
            if self.known.contains(key) || key.r#try == 0 && key.slot <= accounted {
                return Ok(Answer::Duplicate);
            }
        }
        // A spare id may have been given out twice; whoever comes second decides again with another.
        let opened = opens(commit);
        let beaten = commit.track.as_ref().is_some_and(|track| rows.beats != Some(track.count));
        if rows.seq != commit.expect_seq || beaten || opened.is_some_and(|id| self.taken.contains(&id.0)) {
            return Ok(Answer::Conflict);
        }
        self.known.extend(key);
        self.taken.extend(opened.map(|id| id.0));
        (rows.seq, rows.moved) = (commit.expect_seq + 1, true);
        if let Some(state) = &commit.state {
            rows.incident = state.incident;
            rows.state = Some(state.clone());
        }
        if let Some(change) = &commit.incident {
            let newer = self.evidence.last().copied().unwrap_or(i64::MAX);
            writes.incident(change, newer);
        }
        if let Some(observed) = &commit.observed {
            let before = rows.observed.as_ref().or(rows.before.as_ref());
            if let Some(outcome) = &commit.outcome {
                writes.certificate(before, observed, outcome);
            }
            rows.observed = Some(observed.clone());
        }
        if let Some(outcome) = &commit.outcome {
            let kept = outcome.evidence.as_ref().filter(|_| commit.keep_evidence);
            let id = kept.and_then(|_| self.evidence.pop());
            if let Some((id, evidence)) = id.zip(kept) {
                writes.evidence(id, rows.incident, outcome, evidence);
            }
            writes.outcome(outcome, id);
        }
        writes.consequences(commit);
        Ok(Answer::Committed)
    }
}
