//! Is Bellwether itself well?

use super::{json, with_rows};
use crate::App;
use crate::problem::Refusal;
use crate::query::Params;
use axum::extract::State;
use axum::response::Response;
use bw_domain::time::Instant;
use bw_engine::usecase::system::{self, SystemReport};
use http::StatusCode;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The process and the installation.
#[derive(Serialize, ToSchema)]
#[schema(as = System)]
pub struct SystemOut<'a> {
    version: &'static str,
    features: &'a [&'static str],
    roles: &'a [&'static str],
    node: &'a str,
    #[schema(value_type = String, format = DateTime)]
    started_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// Null when well, else the sentence why not.
    unhealthy: Option<&'a str>,
    /// Null when it may take traffic, else the sentence why not.
    unready: Option<&'a str>,
    monitors: usize,
    lag: LagOut,
    queue: Option<QueueOut>,
    probes: ProbesOut,
    commits: CommitsOut,
    deliveries: BacklogOut,
    store: StoreOut<'a>,
    config: ConfigOut<'a>,
    /// The last tick of each loop; null before the first.
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    loops: BTreeMap<&'static str, Option<Instant>>,
    shards_owned: u64,
    clock_offset_ms: i64,
    /// This observer's self-test fails: it abstains.
    blind: bool,
}

/// How far behind the schedule.
#[derive(Serialize, ToSchema)]
#[schema(as = SystemLag)]
struct LagOut {
    schedule_s: f64,
    accounted_s: f64,
}

/// Jobs that wait.
#[derive(Serialize, ToSchema)]
#[schema(as = SystemQueue)]
struct QueueOut {
    now: usize,
    planned: usize,
    leased: usize,
    oldest_s: f64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SystemProbes)]
struct ProbesOut {
    running: u64,
    bound: u64,
    pass: u64,
    fail: u64,
    inconclusive: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SystemCommits)]
struct CommitsOut {
    count: u64,
    mean_ms: f64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SystemDeliveries)]
struct BacklogOut {
    waiting: u64,
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest: Option<Instant>,
    sent: u64,
    failed: u64,
    dead: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SystemStore)]
struct StoreOut<'a> {
    kind: &'static str,
    place: &'a str,
    bytes: Option<u64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    away_since: Option<Instant>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SystemConfig)]
struct ConfigOut<'a> {
    file: Option<&'a str>,
    #[schema(value_type = Option<String>, format = DateTime)]
    loaded_at: Option<Instant>,
    /// Why the file as it is now was refused; the one before is in force then.
    error: Option<&'a str>,
}

impl<'a> SystemOut<'a> {
    fn of(report: &'a SystemReport) -> Self {
        let process = &report.process;
        SystemOut {
            version: process.version,
            features: &process.features,
            roles: &process.roles,
            node: &process.node,
            started_at: process.started_at,
            at: report.at,
            unhealthy: report.unhealthy.as_deref(),
            unready: report.unready.as_deref(),
            monitors: report.monitors,
            lag: LagOut {
                schedule_s: report.schedule_lag.as_secs_f64(),
                accounted_s: report.accounted_lag.as_secs_f64(),
            },
            queue: report.queue.map(|depth| QueueOut {
                now: depth.now,
                planned: depth.planned,
                leased: depth.leased,
                oldest_s: depth.oldest.as_secs_f64(),
            }),
            probes: ProbesOut {
                running: report.probes.running,
                bound: report.probes.bound,
                pass: report.probes.passes,
                fail: report.probes.fails,
                inconclusive: report.probes.inconclusive,
            },
            commits: CommitsOut { count: report.commits.count, mean_ms: report.commits.mean_ms },
            deliveries: BacklogOut {
                waiting: report.deliveries.waiting,
                oldest: report.deliveries.oldest,
                sent: report.deliveries.sent,
                failed: report.deliveries.failed,
                dead: report.deliveries.dead,
            },
            store: StoreOut {
                kind: report.store.kind,
                place: &report.store.place,
                bytes: report.store.bytes,
                away_since: report.store_away_since,
            },
            config: ConfigOut {
                file: report.config.file.as_deref(),
                loaded_at: report.config.loaded_at,
                error: report.config.error.as_deref(),
            },
            loops: report.loops.iter().map(|(name, at)| (name.word(), *at)).collect(),
            shards_owned: report.shards,
            clock_offset_ms: report.clock_offset_ms,
            blind: report.blind,
        }
    }
}

/// Version, roles, lag, queue, commits, store, configuration.
#[utoipa::path(get, path = "/api/v1/system", operation_id = "getSystem", tag = "system", responses((status = 200, body = SystemOut<'static>)))]
pub async fn report(State(app): State<App>, params: Params) -> Result<Response, Refusal> {
    params.finish()?;
    let report = system::report(&app.services, &app.process).await?;
    Ok(with_rows(json(StatusCode::OK, &SystemOut::of(&report)), 0))
}
