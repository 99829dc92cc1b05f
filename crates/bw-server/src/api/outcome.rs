//! An outcome as JSON.

use super::monitor::{location, ms};
use bw_domain::outcome::{Certificate, Evidence, Outcome, Phase, Phases, Verdict};
use bw_domain::port::store::{EvidenceRow, OutcomeRow};
use bw_domain::time::Instant;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// What one probe saw.
#[derive(Serialize, ToSchema)]
#[schema(as = Outcome)]
pub struct OutcomeOut<'a> {
    /// The planned instant.
    #[schema(value_type = String, format = DateTime)]
    slot: Instant,
    /// When the probe began.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    #[schema(value_type = String)]
    location: Cow<'static, str>,
    family: &'static str,
    /// 0 is the slot itself, 1… are the repeats of its rounds.
    r#try: u8,
    #[schema(pattern = "^(pass|fail|inconclusive)$")]
    verdict: &'static str,
    /// `ok`, or why it is not a pass.
    code: &'static str,
    /// The protocol's own status; null when there was none.
    status: Option<u16>,
    /// Null when nothing was measured.
    latency_ms: Option<f64>,
    phases: PhasesOut,
    /// Where the evidence is, if some was kept.
    evidence: Option<i64>,
    /// What was seen; only in the answer to a probe.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    seen: Option<&'a Evidence>,
    /// The certificate that was presented; only in the answer to a probe.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    certificate: Option<&'a Certificate>,
}

/// Milliseconds of each step.
#[derive(Serialize, ToSchema)]
#[schema(as = Phases)]
pub struct PhasesOut {
    resolve: f64,
    connect: f64,
    tls: f64,
    send: f64,
    wait: f64,
    receive: f64,
}

/// What a failing probe saw.
#[derive(Serialize, ToSchema)]
#[schema(as = Evidence)]
pub struct EvidenceOut<'a> {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    slot: Instant,
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    #[schema(value_type = String)]
    location: Cow<'static, str>,
    family: &'static str,
    r#try: u8,
    code: &'static str,
    incident: Option<i64>,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    seen: &'a Evidence,
}

impl OutcomeOut<'static> {
    /// A stored one.
    pub fn of(row: &OutcomeRow) -> Self {
        OutcomeOut {
            slot: row.key.slot,
            at: row.at,
            location: location(row.key.vantage.location),
            family: row.key.vantage.family.word(),
            r#try: row.key.r#try,
            verdict: row.verdict.word(),
            code: row.code.name(),
            status: (row.status != 0).then_some(row.status),
            latency_ms: (row.verdict != Verdict::Inconclusive).then(|| ms(row.latency_us)),
            phases: PhasesOut::of(&row.phases),
            evidence: row.evidence.map(|id| id.0),
            seen: None,
            certificate: None,
        }
    }
}

impl<'a> OutcomeOut<'a> {
    /// One that was just measured and is not stored.
    pub fn of_probe(outcome: &'a Outcome) -> Self {
        OutcomeOut {
            slot: outcome.job.slot,
            at: outcome.at,
            location: location(outcome.job.vantage.location),
            family: outcome.job.vantage.family.word(),
            r#try: outcome.job.r#try,
            verdict: outcome.verdict.word(),
            code: outcome.code.name(),
            status: (outcome.status != 0).then_some(outcome.status),
            latency_ms: (outcome.verdict != Verdict::Inconclusive).then(|| ms(outcome.latency_us)),
            phases: PhasesOut::of(&outcome.phases),
            evidence: None,
            seen: outcome.evidence.as_deref(),
            certificate: outcome.certificate.as_deref(),
        }
    }
}

impl PhasesOut {
    pub fn of(phases: &Phases) -> Self {
        PhasesOut::from_us(|phase| f64::from(phases.get(phase)))
    }

    /// From microseconds, which may be means.
    pub fn from_us(us: impl Fn(Phase) -> f64) -> Self {
        let ms = |phase| us(phase) / 1e3;
        PhasesOut {
            resolve: ms(Phase::Resolve),
            connect: ms(Phase::Connect),
            tls: ms(Phase::Tls),
            send: ms(Phase::Send),
            wait: ms(Phase::Wait),
            receive: ms(Phase::Receive),
        }
    }
}

impl<'a> EvidenceOut<'a> {
    pub fn of(row: &'a EvidenceRow) -> Self {
        EvidenceOut {
            id: row.id.0,
            slot: row.key.slot,
            at: row.at,
            location: location(row.key.vantage.location),
            family: row.key.vantage.family.word(),
            r#try: row.key.r#try,
            code: row.code.name(),
            incident: row.incident.map(|id| id.0),
            seen: &row.evidence,
        }
    }
}
