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
        let line = line(figures(&services), role, services.clock.now());
        if let Err(error) = writeln!(std::io::stdout().lock(), "{line}") {
            tracing::warn!("the scaling signals cannot be written: {error}");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Name, unit, value.
type Metric = (&'static str, &'static str, f64);

fn figures(services: &Services) -> [Metric; 4] {
    let vitals = &services.vitals;
    let read = |value: &AtomicU64| value.load(Relaxed);
    let (running, bound) = (read(&vitals.probes_running), read(&vitals.probes_bound).max(1));
    [
        ("QueueJobs", "Count", (read(&vitals.queue_now) + read(&vitals.queue_planned)) as f64),
        ("QueueOldestSeconds", "Seconds", read(&vitals.queue_oldest) as f64 / 1e3),
        ("WorkerBusyRatio", "None", running as f64 / bound as f64),
        ("ScheduleLagSeconds", "Seconds", read(&vitals.schedule_lag) as f64 / 1e3),
    ]
}

fn line(metrics: [Metric; 4], role: Role, now: Instant) -> Value {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_described_metric_has_its_value_beside_it() {
        let metrics = [("A", "Count", 1.0), ("B", "Seconds", 2.5), ("C", "None", 0.0), ("D", "Seconds", 4.0)];
        let line = line(metrics, Role::Worker, Instant::from_ms(1_795_262_400_000));
        assert_eq!(line["_aws"]["Timestamp"], 1_795_262_400_000_i64);
        let described = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(described["Dimensions"], json!([["Role"]]));
        assert_eq!(line["Role"], "worker");
        let described = described["Metrics"].as_array().expect("a list");
        assert_eq!(described.len(), 4);
        for ((name, unit, value), metric) in metrics.iter().zip(described) {
            assert_eq!((&metric["Name"], &metric["Unit"]), (&json!(name), &json!(unit)));
            assert_eq!(line[*name], json!(value));
        }
    }
}
