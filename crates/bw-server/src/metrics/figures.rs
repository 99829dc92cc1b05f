//! What `/metrics` says, gathered once a scrape. Label sets are closed: no URL, name or id is ever a label.

use bw_domain::outcome::Verdict;
use bw_domain::state::{Health, Mode};
use bw_engine::usecase::Services;
use bw_engine::usecase::monitors;
use bw_engine::usecase::system::Process;
use bw_engine::vitals::{BEAT_WORDS, COMMIT_BOUNDS_US};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// One scrape.
#[derive(Debug)]
pub struct Figures {
    version: &'static str,
    /// `None` while the store does not answer: then the family is left out rather than wrong.
    monitors: Option<BTreeMap<(&'static str, &'static str), u64>>,
    outcomes: [(&'static str, u64); 3],
    beats: [(&'static str, u64); BEAT_WORDS.len()],
    schedule_lag_s: f64,
    accounted_lag_s: f64,
    queue: [(&'static str, u64); 2],
    queue_oldest_s: f64,
    busy: f64,
    /// (upper bound in seconds, commits), the last one unbounded; and the sum in seconds.
    commits: (Vec<(f64, u64)>, f64),
    deliveries: [(&'static str, u64); 3],
    delivery_oldest_s: f64,
    reload_good: bool,
    clock_offset_s: f64,
    shards: u64,
}

impl Figures {
    /// Reads everything that is shown.
    pub async fn gather(services: &Services, process: &Process) -> Self {
        let vitals = &services.vitals;
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        let seconds = |counter: &AtomicU64| counter.load(Relaxed) as f64 / 1e3;
        let (buckets, sum_us) = vitals.commits();
        let bounds = COMMIT_BOUNDS_US.iter().map(|us| *us as f64 / 1e6).chain([f64::INFINITY]);
        let bound = count(&vitals.probes_bound).max(1);
        let beats = vitals.beats();
        Figures {
            version: process.version,
            monitors: by_state(services).await,
            outcomes: [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive]
                .map(|verdict| (verdict.word(), vitals.outcomes(verdict))),
            beats: std::array::from_fn(|place| (BEAT_WORDS[place], beats[place])),
            schedule_lag_s: seconds(&vitals.schedule_lag),
            accounted_lag_s: seconds(&vitals.accounted_lag),
            queue: [("now", count(&vitals.queue_now)), ("planned", count(&vitals.queue_planned))],
            queue_oldest_s: seconds(&vitals.queue_oldest),
            busy: count(&vitals.probes_running) as f64 / bound as f64,
            commits: (bounds.zip(buckets).collect(), sum_us as f64 / 1e6),
            deliveries: [
                ("sent", count(&vitals.deliveries_sent)),
                ("failed", count(&vitals.deliveries_failed)),
                ("dead", count(&vitals.deliveries_dead)),
            ],
            delivery_oldest_s: seconds(&vitals.delivery_oldest),
            reload_good: !vitals.config_reload_failed.load(Relaxed),
            clock_offset_s: vitals.clock_offset.load(Relaxed) as f64 / 1e3,
            shards: count(&vitals.shards_owned),
        }
    }
}

/// Every combination is there from the first scrape on, so that its first change is seen as one.
async fn by_state(services: &Services) -> Option<BTreeMap<(&'static str, &'static str), u64>> {
    let mut counts = BTreeMap::new();
    for health in [Health::Unknown, Health::Up, Health::Down] {
        for mode in [Mode::Active, Mode::Paused, Mode::Maintenance] {
            counts.insert((health.word(), mode.word()), 0);
        }
    }
    for view in monitors::all(services).await.ok()? {
        *counts.entry((view.state.health.word(), view.mode.word())).or_default() += 1;
    }
    Some(counts)
}

impl Collector for Figures {
    fn encode(&self, out: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Writer(out);
        out.gauges(
            "bellwether_build_info",
            "The version that runs; always 1",
            [(&[("version", self.version)][..], 1.0)],
        )?;
        if let Some(monitors) = &self.monitors {
            let labels: Vec<_> = monitors
                .iter()
                .map(|((health, mode), count)| ([("health", *health), ("mode", *mode)], *count as f64))
                .collect();
            let series = labels.iter().map(|(labels, count)| (&labels[..], *count));
            out.gauges("bellwether_monitors", "Monitors by health and mode", series)?;
        }
        out.counters(
            "bellwether_outcomes",
            "Outcomes that this process committed",
            "verdict",
            &self.outcomes,
        )?;
        out.counters(
            "bellwether_beats",
            "Beats that this process kept, by what they said, or turned away, by why",
            "result",
            &self.beats,
        )?;
        out.gauge(
            "bellwether_schedule_lag_seconds",
            "How far planning is behind the grid",
            self.schedule_lag_s,
        )?;
        out.gauge(
            "bellwether_accounted_lag_seconds",
            "Age of the oldest slot without an outcome",
            self.accounted_lag_s,
        )?;
        let lanes = self.queue.map(|(lane, jobs)| ([("lane", lane)], jobs as f64));
        let lanes = lanes.iter().map(|(labels, jobs)| (&labels[..], *jobs));
        out.gauges("bellwether_queue_jobs", "Jobs that wait, by lane", lanes)?;
        out.gauge("bellwether_queue_oldest_seconds", "Age of the oldest waiting job", self.queue_oldest_s)?;
        out.gauge(
            "bellwether_worker_busy_ratio",
            "Share of the probes that may run at once that do",
            self.busy,
        )?;
        out.histogram("bellwether_commit_seconds", "Time that commits of outcomes took", &self.commits)?;
        out.counters(
            "bellwether_deliveries",
            "Attempts to deliver that ended, by result",
            "result",
            &self.deliveries,
        )?;
        out.gauge(
            "bellwether_delivery_oldest_seconds",
            "Age of the oldest waiting delivery",
            self.delivery_oldest_s,
        )?;
        out.gauge(
            "bellwether_config_reload_success",
            "1 while the configuration file is in force, 0 while the one before it is",
            f64::from(u8::from(self.reload_good)),
        )?;
        out.gauge(
            "bellwether_clock_offset_seconds",
            "The store's clock minus that of this process",
            self.clock_offset_s,
        )?;
        out.gauge("bellwether_shards_owned", "Shards that this process plans", self.shards as f64)
    }
}

/// The few shapes that we use.
struct Writer<'a>(DescriptorEncoder<'a>);

type Labels<'a> = &'a [(&'static str, &'a str)];

impl Writer<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.gauges(name, help, [(&[][..], value)])
    }

    fn gauges<'l>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'l>, f64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in series {
            match labels {
                [] => family.encode_gauge(&value)?,
                labels => family.encode_family(&labels)?.encode_gauge(&value)?,
            }
        }
        Ok(())
    }

    fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        series: &[(&str, u64)],
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (value, count) in series {
            let labels = [(label, *value)];
            family.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, u64>(count, None)?;
        }
        Ok(())
    }

    fn histogram(&mut self, name: &str, help: &str, (buckets, sum): &(Vec<(f64, u64)>, f64)) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        let count = buckets.iter().map(|(_, count)| count).sum();
        family.encode_histogram::<NoLabelSet>(*sum, count, buckets, None)
    }
}
