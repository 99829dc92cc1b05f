//! What a batch writes, gathered into arrays: one statement a table. Only what happens rarely, and must happen in its
//! order, is a statement of its own: changes of incidents.

use super::conn::{Script, params, storable};
use super::{events, incidents, tracks};
use crate::evidence::bounded;
use crate::pack;
use bw_domain::beat::Track;
use bw_domain::event::Event;
use bw_domain::id::{IncidentId, MonitorId};
use bw_domain::incident::{Entry, IncidentChange};
use bw_domain::limits::EVIDENCE_PER_INCIDENT;
use bw_domain::outcome::{Certificate, Evidence, Outcome};
use bw_domain::port::store::Commit;
use bw_domain::state::{Observed, State, Transition};
use std::collections::BTreeMap;

/// Rows, by table.
#[derive(Default)]
pub(super) struct Writes<'b> {
    rows: Vec<(MonitorId, u64, Option<Vec<u8>>)>,
    states: Vec<(MonitorId, State)>,
    tracks: Vec<(MonitorId, &'b Track)>,
    outcomes: Vec<(&'b Outcome, Option<i64>)>,
    evidence: Vec<(i64, Option<IncidentId>, &'b Outcome, String)>,
    /// The newest of each vantage.
    certificates: BTreeMap<(i64, i32), (i64, &'b Certificate)>,
    changes: Vec<(&'b IncidentChange, i64)>,
    transitions: Vec<(MonitorId, &'b Transition)>,
    entries: Vec<(IncidentId, &'b Entry)>,
    events: Vec<&'b Event>,
}

impl<'b> Writes<'b> {
    /// A monitor's rows as they will be; `None`: only the fence moves.
    pub fn row(&mut self, monitor: MonitorId, seq: u64, observed: Option<&Observed>, state: Option<&State>) {
        self.rows.push((monitor, seq, observed.map(pack::cells)));
        self.states.extend(state.map(|state| (monitor, state.clone())));
    }

    pub fn outcome(&mut self, outcome: &'b Outcome, evidence: Option<i64>) {
        self.outcomes.push((outcome, evidence));
    }

    pub fn evidence(
        &mut self,
        id: i64,
        incident: Option<IncidentId>,
        outcome: &'b Outcome,
        evidence: &Evidence,
    ) {
        self.evidence.push((id, incident, outcome, bounded(evidence)));
    }

    /// The certificate is written when its mark is another than before at this vantage.
    pub fn certificate(&mut self, before: Option<&Observed>, after: &Observed, outcome: &'b Outcome) {
        let Some(certificate) = outcome.certificate.as_deref() else { return };
        let vantage = outcome.job.vantage;
        let mark = |observed: &Observed| observed.cell(vantage).map_or(0, |cell| cell.certificate);
        if before.map_or(0, mark) != mark(after) {
            let key = (outcome.job.monitor.0, vantage.number() as i32);
            self.certificates.insert(key, (outcome.at.ms(), certificate));
        }
    }

    /// A change of an incident; evidence with an id from `newer` on is not what led to it.
    pub fn incident(&mut self, change: &'b IncidentChange, newer: i64) {
        self.changes.push((change, newer));
        self.entries.extend(change.entries().iter().map(|entry| (change.id(), entry)));
    }

    /// What else a decision says.
    pub fn consequences(&mut self, commit: &'b Commit) {
        self.transitions.extend(commit.transition.iter().map(|transition| (commit.monitor, transition)));
        self.events.extend(&commit.events);
        self.tracks.extend(commit.track.as_deref().map(|track| (commit.monitor, track)));
    }

    /// Everything, in an order in which each finds what it needs.
    pub fn script(self) -> Script {
        let mut script = Script::default();
        outcomes(&mut script, &self.outcomes);
        observed(&mut script, self.rows);
        states(&mut script, &self.states);
        tracks::write(&mut script, &self.tracks);
        evidence(&mut script, &self.evidence);
        for (change, newer) in &self.changes {
            incidents::write(&mut script, change, *newer);
        }
        bound_evidence(&mut script, &self.evidence);
        certificates(&mut script, &self.certificates);
        transitions(&mut script, &self.transitions);
        incidents::tell(&mut script, &self.entries);
        events::write(&mut script, self.events.into_iter());
        script
    }
}

fn outcomes(script: &mut Script, rows: &[(&Outcome, Option<i64>)]) {
    if rows.is_empty() {
        return;
    }
    let job = |of: fn(&Outcome) -> i64| rows.iter().map(|(outcome, _)| of(outcome)).collect::<Vec<i64>>();
    let int = |of: fn(&Outcome) -> i32| rows.iter().map(|(outcome, _)| of(outcome)).collect::<Vec<i32>>();
    let small = |of: fn(&Outcome) -> i16| rows.iter().map(|(outcome, _)| of(outcome)).collect::<Vec<i16>>();
    let phases = |(outcome, _): &(&Outcome, Option<i64>)| {
        let packed = pack::phases(&outcome.phases);
        (!packed.is_empty()).then(|| packed.to_vec())
    };
    let phases: Vec<Option<Vec<u8>>> = rows.iter().map(phases).collect();
    let evidence: Vec<Option<i64>> = rows.iter().map(|(_, id)| *id).collect();
    let sql = "INSERT INTO outcomes
                   (monitor, slot, try, vantage, at, revision, result, status, latency, phases, evidence)
               SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::integer[], $5::bigint[],
                   $6::integer[], $7::smallint[], $8::integer[], $9::bigint[], $10::bytea[], $11::bigint[])";
    let values = params![
        job(|outcome| outcome.job.monitor.0),
        job(|outcome| outcome.job.slot.ms()),
        small(|outcome| i16::from(outcome.job.r#try)),
        int(|outcome| outcome.job.vantage.number() as i32),
        job(|outcome| outcome.at.ms()),
        int(|outcome| outcome.job.revision as i32),
        small(|outcome| pack::result(outcome.verdict, outcome.code) as i16),
        int(|outcome| i32::from(outcome.status)),
        job(|outcome| i64::from(outcome.latency_us)),
        phases,
        evidence,
    ];
    script.push(sql, values);
}

fn observed(script: &mut Script, rows: Vec<(MonitorId, u64, Option<Vec<u8>>)>) {
    if rows.is_empty() {
        return;
    }
    let monitors: Vec<i64> = rows.iter().map(|(monitor, ..)| monitor.0).collect();
    let seqs: Vec<i64> = rows.iter().map(|(_, seq, _)| *seq as i64).collect();
    let cells: Vec<Option<Vec<u8>>> = rows.into_iter().map(|(.., cells)| cells).collect();
    let sql = "UPDATE observed o SET seq = u.seq, cells = coalesce(u.cells, o.cells)
               FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) u(monitor, seq, cells)
               WHERE o.monitor = u.monitor";
    script.push(sql, params![monitors, seqs, cells]);
}

/// Writes states with what is indexed of them.
pub(super) fn states(script: &mut Script, rows: &[(MonitorId, State)]) {
    if rows.is_empty() {
        return;
    }
    let monitors: Vec<i64> = rows.iter().map(|(monitor, _)| monitor.0).collect();
    let json = |(_, state): &(MonitorId, State)| serde_json::to_string(state).expect("a state is JSON");
    let texts: Vec<String> = rows.iter().map(json).collect();
    let due: Vec<Option<i64>> = rows.iter().map(|(_, state)| state.timer().map(|due| due.ms())).collect();
    let incidents: Vec<Option<i64>> = rows.iter().map(|(_, state)| state.incident.map(|id| id.0)).collect();
    let sql = "INSERT INTO state (monitor, state, due, incident)
               SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[])
               ON CONFLICT (monitor)
               DO UPDATE SET state = excluded.state, due = excluded.due, incident = excluded.incident";
    script.push(sql, params![monitors, texts, due, incidents]);
}

fn evidence(script: &mut Script, rows: &[(i64, Option<IncidentId>, &Outcome, String)]) {
    if rows.is_empty() {
        return;
    }
    let sql = "INSERT INTO evidence (id, monitor, vantage, slot, try, incident, at, code, evidence)
               SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[], $5::smallint[],
                   $6::bigint[], $7::bigint[], $8::smallint[], $9::text[])";
    let keys = || rows.iter().map(|(_, _, outcome, _)| outcome.job.key());
    let values = params![
        rows.iter().map(|(id, ..)| *id).collect::<Vec<i64>>(),
        keys().map(|key| key.monitor.0).collect::<Vec<i64>>(),
        keys().map(|key| key.vantage.number() as i32).collect::<Vec<i32>>(),
        keys().map(|key| key.slot.ms()).collect::<Vec<i64>>(),
        keys().map(|key| i16::from(key.r#try)).collect::<Vec<i16>>(),
        rows.iter().map(|(_, incident, ..)| incident.map(|id| id.0)).collect::<Vec<Option<i64>>>(),
        rows.iter().map(|(_, _, outcome, _)| outcome.at.ms()).collect::<Vec<i64>>(),
        rows.iter().map(|(_, _, outcome, _)| i16::from(outcome.code.number())).collect::<Vec<i16>>(),
        rows.iter().map(|(.., text)| text.clone()).collect::<Vec<String>>(),
    ];
    script.push(sql, values);
}

/// An incident (or a monitor without one) that has more than its share keeps its first and its newest.
fn bound_evidence(script: &mut Script, rows: &[(i64, Option<IncidentId>, &Outcome, String)]) {
    let group = |(_, incident, outcome, _): &(i64, Option<IncidentId>, &Outcome, String)| {
        (outcome.job.monitor.0, incident.map_or(0, |id| id.0))
    };
    let mut groups: Vec<(i64, i64)> = rows.iter().map(group).collect();
    groups.sort_unstable();
    groups.dedup();
    if groups.is_empty() {
        return;
    }
    let (monitors, incidents): (Vec<i64>, Vec<i64>) = groups.into_iter().unzip();
    let sql = "DELETE FROM evidence WHERE id IN (
                   SELECT ranked.id FROM unnest($1::bigint[], $2::bigint[]) g(monitor, incident)
                   CROSS JOIN LATERAL (
                       SELECT x.id, row_number() OVER (ORDER BY x.id) AS first,
                           row_number() OVER (ORDER BY x.id DESC) AS last
                       FROM evidence x WHERE x.monitor = g.monitor AND coalesce(x.incident, 0) = g.incident
                   ) ranked WHERE ranked.first > 1 AND ranked.last >= $3)";
    script.push(sql, params![monitors, incidents, EVIDENCE_PER_INCIDENT as i64]);
}

fn certificates(script: &mut Script, rows: &BTreeMap<(i64, i32), (i64, &Certificate)>) {
    if rows.is_empty() {
        return;
    }
    let json = |(_, certificate): &(i64, &Certificate)| {
        serde_json::to_string(certificate).expect("a certificate is JSON")
    };
    let sql = "INSERT INTO certificates (monitor, vantage, seen_at, certificate)
               SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::text[])
               ON CONFLICT (monitor, vantage)
               DO UPDATE SET seen_at = excluded.seen_at, certificate = excluded.certificate";
    let values = params![
        rows.keys().map(|(monitor, _)| *monitor).collect::<Vec<i64>>(),
        rows.keys().map(|(_, vantage)| *vantage).collect::<Vec<i32>>(),
        rows.values().map(|(seen_at, _)| *seen_at).collect::<Vec<i64>>(),
        rows.values().map(json).collect::<Vec<String>>(),
    ];
    script.push(sql, values);
}

fn transitions(script: &mut Script, rows: &[(MonitorId, &Transition)]) {
    if rows.is_empty() {
        return;
    }
    let sql = "INSERT INTO transitions (monitor, at, since, from_health, to_health, code, text)
               SELECT t.monitor, t.at, t.since, t.from_health, t.to_health, t.code, t.text
               FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::smallint[],
                   $7::text[]) WITH ORDINALITY t(monitor, at, since, from_health, to_health, code, text, n)
               ORDER BY t.n";
    let each = || rows.iter().map(|(_, transition)| *transition);
    let values = params![
        rows.iter().map(|(monitor, _)| monitor.0).collect::<Vec<i64>>(),
        each().map(|transition| transition.at.ms()).collect::<Vec<i64>>(),
        each().map(|transition| transition.since.ms()).collect::<Vec<i64>>(),
        each().map(|transition| transition.from.word()).collect::<Vec<&'static str>>(),
        each().map(|transition| transition.to.word()).collect::<Vec<&'static str>>(),
        each().map(|transition| i16::from(transition.reason.code.number())).collect::<Vec<i16>>(),
        each().map(|transition| storable(&transition.reason.text)).collect::<Vec<String>>(),
    ];
    script.push(sql, values);
}
