//! A beat as JSON, and what the beats of a heartbeat have come to.

use super::monitor::Asked;
use bw_domain::beat::Signal;
use bw_domain::port::store::BeatRow;
use bw_domain::time::{Duration, Instant};
use bw_engine::usecase::monitors::MonitorView;
use bw_engine::usecase::runs::late_ms;
use serde::Serialize;
use utoipa::ToSchema;

/// What the job of a heartbeat has reported, and what is expected of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Beats)]
pub struct BeatsOut {
    /// `grace`: it is late, and not told yet.
    #[schema(pattern = "^(new|up|grace|down|paused)$")]
    status: &'static str,
    /// When the earliest run under way began.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Instant>,
    /// The last success or failure.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_beat_at: Option<Instant>,
    /// How long the run of the last success or failure took, where that is known.
    last_duration_ms: Option<u64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_expected_at: Option<Instant>,
    /// From when on its absence is told.
    #[schema(value_type = Option<String>, format = DateTime)]
    deadline_at: Option<Instant>,
    /// How late the expected beat is; null while it is not.
    late_s: Option<f64>,
    /// Beats of any kind so far.
    count: u64,
    /// Where the job reports.
    ping_url: String,
}

impl BeatsOut {
    /// Nothing for monitors that are probed.
    pub fn of(view: &MonitorView, asked: Asked<'_>) -> Option<Self> {
        let standing = view.standing(asked.now)?;
        let track = view.track.as_deref();
        Some(BeatsOut {
            status: standing.status.word(),
            started_at: standing.started,
            last_beat_at: track.and_then(|track| track.last_beat),
            last_duration_ms: track.and_then(|track| track.duration).map(ms),
            next_expected_at: standing.expected,
            deadline_at: standing.deadline,
            late_s: standing.late(asked.now).map(|late| late.as_secs_f64()),
            count: track.map_or(0, |track| track.count),
            ping_url: format!("{}/ping/{}", asked.site, view.spec.uuid),
        })
    }
}

/// One message of a job.
#[derive(Serialize, ToSchema)]
#[schema(as = Beat)]
pub struct BeatOut {
    /// Counts the beats of its heartbeat, from 1.
    number: u64,
    /// When it was received.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// When it happened, where the client said that it could not tell at once.
    #[schema(value_type = Option<String>, format = DateTime)]
    happened_at: Option<Instant>,
    /// `ign` was kept and changed nothing.
    #[schema(pattern = "^(success|start|fail|log|ign)$")]
    kind: &'static str,
    exit_status: Option<u8>,
    /// Which of several overlapping runs.
    run: Option<String>,
    duration_ms: Option<u64>,
    /// The expected beat that it stands for.
    #[schema(value_type = Option<String>, format = DateTime)]
    slot: Option<Instant>,
    /// How long after its slot it came; negative before.
    late_ms: Option<i64>,
    #[schema(value_type = String)]
    scheme: Box<str>,
    #[schema(value_type = String)]
    method: Box<str>,
    /// Who sent it, as far as we can tell.
    #[schema(value_type = String)]
    remote_addr: Box<str>,
    #[schema(value_type = String)]
    user_agent: Box<str>,
    /// Bytes of its body that are kept.
    body_bytes: u32,
}

impl BeatOut {
    /// A kept beat.
    pub fn of(row: BeatRow) -> Self {
        let late_ms = late_ms(&row);
        BeatOut {
            number: row.number,
            at: row.at,
            happened_at: row.happened,
            kind: if row.ignored { "ign" } else { row.signal.word() },
            exit_status: match row.signal {
                Signal::Exit(status) => Some(status),
                _ => None,
            },
            run: row.run.map(|run| run.to_string()),
            duration_ms: row.duration.map(ms),
            slot: row.slot,
            late_ms,
            scheme: row.via.scheme,
            method: row.via.method,
            remote_addr: row.via.remote,
            user_agent: row.via.agent,
            body_bytes: row.body_bytes,
        }
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
