//! What an autoscaler wants to know, as CloudWatch embedded metrics: one line on standard output a minute, which the log
//! agent of the platform turns into metrics. The same figures are in `/metrics`.

use crate::roles::Role;
use bw_domain::time::Instant;
use bw_engine::usecase::Services;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// CloudWatch keeps one value a minute.
const EVERY: Duration = Duration::from_secs(60);
/// `watch` has measured by then.
const FIRST: Duration = Duration::from_secs(2);

/// Writes a line a minute, for ever.
pub async fn run(services: Services, role: Role) {
    tokio::time::sleep(FIRST).await;
    loop {
        let line = line(&services, role, services.clock.now());
        if let Err(error) = writeln!(std::io::stdout().lock(), "{line}") {
            tracing::warn!("the scaling signals cannot be written: {error}");
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn line(services: &Services, role: Role, now: Instant) -> Value {
    let vitals = &services.vitals;
    let read = |value: &AtomicU64| value.load(Relaxed);
    let (running, bound) = (read(&vitals.probes_running), read(&vitals.probes_bound).max(1));
    let metrics = [
        ("QueueJobs", "Count", (read(&vitals.queue_now) + read(&vitals.queue_planned)) as f64),
        ("QueueOldestSeconds", "Seconds", read(&vitals.queue_oldest) as f64 / 1e3),
        ("WorkerBusyRatio", "None", running as f64 / bound as f64),
        ("ScheduleLagSeconds", "Seconds", read(&vitals.schedule_lag) as f64 / 1e3),
    ];
    let described: Vec<Value> =
        metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": now.ms(),
            "CloudWatchMetrics": [
                { "Namespace": "Bellwether", "Dimensions": [["Role"]], "Metrics": described }
            ],
        },
        "Role": role.word(),
    });
    for (name, _, value) in metrics {
        line[name] = json!(value);
    }
    line
}
