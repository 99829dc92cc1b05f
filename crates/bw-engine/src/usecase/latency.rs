//! How long probes took: quantiles and mean phases over steps of time, never more points than a chart can show.

use super::history::{read_slots, wall};
use super::{Services, UseError};
use bw_domain::id::MonitorId;
use bw_domain::outcome::Verdict;
use bw_domain::port::store::OutcomeRow;
use bw_domain::signal::Sketch;
use bw_domain::time::{Duration, Instant};
use bw_domain::uptime::Range;

/// Points of one series: more than the widest screen has pixels to tell apart.
pub const POINTS_MAX: u64 = 2_000;
/// Points when no step is asked for.
const POINTS_DEFAULT: u64 = 200;
/// Quantiles of one answer.
pub const QUANTILES_MAX: usize = 10;
/// Steps that people read easily, in seconds.
const STEPS_S: [u64; 15] =
    [1, 5, 10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400];

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct LatencyQuery {
    pub from: Option<Instant>,
    pub to: Option<Instant>,
    pub step: Option<Duration>,
    /// Shares between 0 and 1.
    pub quantiles: Vec<f64>,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct LatencySeries {
    pub range: Range,
    pub step: Duration,
    pub quantiles: Vec<f64>,
    /// Ascending; steps in which nothing was measured are left out.
    pub points: Vec<LatencyPoint>,
    /// The quantiles of the whole range in microseconds; empty when nothing was measured.
    pub whole_us: Vec<u32>,
    /// Outcome rows that were read.
    pub rows: usize,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct LatencyPoint {
    /// Its beginning, a multiple of the step.
    pub at: Instant,
    /// Probes that measured something, and those of them that failed.
    pub count: u64,
    pub fails: u64,
    /// Microseconds, as many as there are quantiles asked for.
    pub latency_us: Vec<u32>,
    /// Mean microseconds of each phase: they stack up to the mean latency.
    pub phases_us: [f64; 6],
}

/// The latency of a monitor; the last day unless asked otherwise.
pub async fn latency(
    services: &Services,
    id: MonitorId,
    query: LatencyQuery,
) -> Result<LatencySeries, UseError> {
    let spec = services.catalog.get(id).ok_or(UseError::NotFound)?;
    let range = wall(services, &spec, query.from, query.to)?;
    check_quantiles(&query.quantiles)?;
    let step = step(range, query.step)?;
    let mut buckets = Buckets { step_ms: step.as_millis() as i64, filled: Default::default() };
    let rows = read_slots(services, id, range, |rows| rows.iter().for_each(|row| buckets.add(row))).await?;
    let points = buckets.points(&query.quantiles);
    let whole_us = buckets.whole(&query.quantiles);
    Ok(LatencySeries { range, step, quantiles: query.quantiles, points, whole_us, rows })
}

fn check_quantiles(quantiles: &[f64]) -> Result<(), UseError> {
    if quantiles.is_empty() || quantiles.len() > QUANTILES_MAX {
        return Err(UseError::invalid("q", format!("names from 1 to {QUANTILES_MAX} quantiles")));
    }
    match quantiles.iter().find(|q| !(0.0..=1.0).contains(*q)) {
        Some(q) => Err(UseError::invalid("q", format!("{q} is not a share between 0 and 1"))),
        None => Ok(()),
    }
}

fn step(range: Range, asked: Option<Duration>) -> Result<Duration, UseError> {
    let wanted = |points: u64| range.ms().div_ceil(points).max(1_000);
    match asked {
        None => {
            let least = wanted(POINTS_DEFAULT).div_ceil(1_000);
            let step = STEPS_S.into_iter().find(|step| *step >= least);
            Ok(Duration::from_secs(step.unwrap_or_else(|| least.div_ceil(86_400) * 86_400)))
        }
        Some(step) if step < Duration::from_secs(1) => Err(UseError::invalid("step", "must be at least 1s")),
        // One step more than the division says may be begun at each end.
        Some(step) if range.ms() / step.as_millis() as u64 + 2 > POINTS_MAX => {
            let sentence = format!(
                "makes more than {POINTS_MAX} points of this range: choose at least {}s",
                range.ms().div_ceil(POINTS_MAX - 2).div_ceil(1_000)
            );
            Err(UseError::invalid("step", sentence))
        }
        Some(step) => Ok(step),
    }
}

struct Buckets {
    step_ms: i64,
    filled: std::collections::BTreeMap<i64, Bucket>,
}

#[derive(Default)]
struct Bucket {
    sketch: Sketch,
    fails: u64,
    phases_us: [u64; 6],
}

impl Buckets {
    /// Passes and fails measure; what is inconclusive does not.
    fn add(&mut self, row: &OutcomeRow) {
        if row.verdict == Verdict::Inconclusive {
            return;
        }
        let bucket = self.filled.entry(row.key.slot.ms().div_euclid(self.step_ms)).or_default();
        bucket.sketch.add(row.latency_us);
        bucket.fails += u64::from(row.verdict == Verdict::Fail);
        for (sum, us) in bucket.phases_us.iter_mut().zip(row.phases.0) {
            *sum += u64::from(us);
        }
    }

    fn whole(&self, quantiles: &[f64]) -> Vec<u32> {
        let mut whole = Sketch::default();
        self.filled.values().for_each(|bucket| whole.merge(&bucket.sketch));
        quantiles.iter().filter_map(|q| whole.quantile(*q)).collect()
    }

    fn points(&self, quantiles: &[f64]) -> Vec<LatencyPoint> {
        let point = |(index, bucket): (&i64, &Bucket)| LatencyPoint {
            at: Instant::from_ms(index * self.step_ms),
            count: bucket.sketch.len(),
            fails: bucket.fails,
            latency_us: quantiles.iter().map(|q| bucket.sketch.quantile(*q).unwrap_or(0)).collect(),
            phases_us: bucket.phases_us.map(|sum| sum as f64 / bucket.sketch.len() as f64),
        };
        self.filled.iter().map(point).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_bounded() {
        let hours = |n: i64| Range { from: Instant::ZERO, to: Instant::from_ms(n * 3_600_000) };
        let s = Duration::from_secs;
        for (range, asked, expected) in [
            (hours(0), None, Some(s(1))),
            (hours(1), None, Some(s(30))),
            (hours(24), None, Some(s(600))),
            (hours(24 * 30), None, Some(s(21_600))),
            (hours(24 * 800), None, Some(s(4 * 86_400))),
            (hours(24), Some(s(60)), Some(s(60))),
            (hours(24), Some(s(10)), None),
            (hours(1), Some(Duration::from_millis(10)), None),
        ] {
            assert_eq!(step(range, asked).ok(), expected, "{range:?} {asked:?}");
        }
    }
}
