//! Is Bellwether itself well? What the system page, `/api/v1/system`, `/metrics` and the two probes of an
//! orchestrator read.

use super::{Services, UseError};
use crate::vitals::LoopName;
use bw_domain::limits;
use bw_domain::outcome::Verdict;
use bw_domain::port::queue::Depth;
use bw_domain::time::{Duration, Instant};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, RwLock};

/// What the process knows of itself; made once by the composition root.
pub struct Process {
    pub version: &'static str,
    /// What was compiled in.
    pub features: Vec<&'static str>,
    pub roles: Vec<&'static str>,
    /// The loops of these roles: those that must tick.
    pub loops: Vec<LoopName>,
    /// This process among all that share the store.
    pub node: String,
    pub started_at: Instant,
    /// Set once the start is over.
    started: AtomicBool,
    stopping: AtomicBool,
    store: Box<dyn Fn() -> StoreFigures + Send + Sync>,
    config: RwLock<ConfigStatus>,
}

/// The store, as its adapter sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreFigures {
    /// `sqlite`, `postgres`.
    pub kind: &'static str,
    /// The file or server, without credentials.
    pub place: String,
    /// Where that is ours to say.
    pub bytes: Option<u64>,
}

/// What became of the configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigStatus {
    pub file: Option<String>,
    /// When it was last taken over.
    pub loaded_at: Option<Instant>,
    /// Why the file as it is now was refused; the one before is in force then.
    pub error: Option<String>,
}

impl Process {
    /// A process that is starting.
    pub fn new(
        version: &'static str,
        started_at: Instant,
        store: impl Fn() -> StoreFigures + Send + Sync + 'static,
    ) -> Self {
        Process {
            version,
            features: Vec::new(),
            roles: Vec::new(),
            loops: Vec::new(),
            node: String::new(),
            started_at,
            started: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            store: Box::new(store),
            config: RwLock::default(),
        }
    }

    /// The start is over: traffic may come.
    pub fn set_started(&self) {
        self.started.store(true, Relaxed);
    }

    /// The end has begun: only beats are still taken.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Relaxed);
    }

    /// Whether the end has begun.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }

    /// The configuration was taken over or refused.
    pub fn set_config(&self, status: ConfigStatus) {
        *self.config.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = status;
    }

    /// The configuration as it is.
    pub fn config(&self) -> ConfigStatus {
        self.config.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

/// Everything about the process and the installation.
#[derive(Clone, Debug)]
pub struct SystemReport {
    pub at: Instant,
    pub process: Arc<Process>,
    pub monitors: usize,
    /// With the last tick of each.
    pub loops: Vec<(LoopName, Option<Instant>)>,
    pub schedule_lag: Duration,
    pub accounted_lag: Duration,
    /// `None` while the queue does not answer.
    pub queue: Option<Depth>,
    pub probes: Probes,
    pub commits: Commits,
    pub deliveries: Backlog,
    pub store: StoreFigures,
    pub store_away_since: Option<Instant>,
    pub config: ConfigStatus,
    pub shards: u64,
    /// The store's clock minus ours, in milliseconds.
    pub clock_offset_ms: i64,
    /// This observer's self-test fails.
    pub blind: bool,
    /// Empty: well. Else why not.
    pub unhealthy: Option<String>,
    pub unready: Option<String>,
}

/// Probes of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probes {
    pub running: u64,
    pub bound: u64,
    pub passes: u64,
    pub fails: u64,
    pub inconclusive: u64,
}

/// Commits of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Commits {
    pub count: u64,
    pub mean_ms: f64,
}

/// Deliveries that wait, and what became of others since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    pub waiting: u64,
    pub oldest: Option<Instant>,
    pub sent: u64,
    pub failed: u64,
    pub dead: u64,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process")
            .field("version", &self.version)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

/// The report. It answers even while the store and the queue do not.
pub async fn report(services: &Services, process: &Arc<Process>) -> Result<SystemReport, UseError> {
    let vitals = &services.vitals;
    let ms = |gauge: &std::sync::atomic::AtomicU64| Duration::from_millis(gauge.load(Relaxed));
    let (buckets, sum_us) = vitals.commits();
    let count: u64 = buckets.iter().sum();
    let (waiting, oldest) = services.store.deliveries.backlog().await.unwrap_or_default();
    Ok(SystemReport {
        at: services.clock.now(),
        process: process.clone(),
        monitors: services.catalog.all().len(),
        loops: process.loops.iter().map(|name| (*name, vitals.last_tick(*name))).collect(),
        schedule_lag: ms(&vitals.schedule_lag),
        accounted_lag: ms(&vitals.accounted_lag),
        queue: services.queue.depth().await.ok(),
        probes: Probes {
            running: vitals.probes_running.load(Relaxed),
            bound: vitals.probes_bound.load(Relaxed),
            passes: vitals.outcomes(Verdict::Pass),
            fails: vitals.outcomes(Verdict::Fail),
            inconclusive: vitals.outcomes(Verdict::Inconclusive),
        },
        commits: Commits {
            count,
            mean_ms: if count == 0 { 0.0 } else { sum_us as f64 / 1e3 / count as f64 },
        },
        deliveries: Backlog {
            waiting,
            oldest,
            sent: vitals.deliveries_sent.load(Relaxed),
            failed: vitals.deliveries_failed.load(Relaxed),
            dead: vitals.deliveries_dead.load(Relaxed),
        },
        store: (process.store)(),
        store_away_since: vitals.store_away(),
        config: process.config(),
        shards: vitals.shards_owned.load(Relaxed),
        clock_offset_ms: vitals.clock_offset.load(Relaxed),
        blind: vitals.blind.load(Relaxed),
        unhealthy: healthy(services, process).err(),
        unready: ready(services, process).err(),
    })
}

/// Whether every loop of the process has ticked within `limits::LOOP_SILENT`; else the sentence why not.
pub fn healthy(services: &Services, process: &Process) -> Result<(), String> {
    let now = services.clock.now();
    for name in &process.loops {
        let last = services.vitals.last_tick(*name).unwrap_or(process.started_at);
        let silent = now.since(last);
        if silent > limits::LOOP_SILENT {
            return Err(format!("the loop `{}` has not ticked for {} s", name.word(), silent.as_secs()));
        }
    }
    Ok(())
}

/// Whether the process may take traffic; else the sentence why not.
pub fn ready(services: &Services, process: &Process) -> Result<(), String> {
    if !process.started.load(Relaxed) {
        return Err("still starting".to_owned());
    }
    let away = services.vitals.store_away().map(|since| services.clock.now().since(since));
    match away.filter(|away| *away > limits::STORE_AWAY) {
        Some(away) => {
            Err(format!("the store has not answered for {} s: nobody can be told anything", away.as_secs()))
        }
        None => Ok(()),
    }
}
