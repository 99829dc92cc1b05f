//! Latency and uptime over the range that the reader chose.

use crate::ui::address::Address;
use crate::ui::chart::latency::{Column, Plot};
use crate::ui::words;
use bw_domain::id::MonitorId;
use bw_domain::outcome::Phases;
use bw_domain::time::{Duration, Instant};
use bw_engine::usecase::latency::{LatencyPoint, LatencyQuery, LatencySeries, latency};
use bw_engine::usecase::monitors::MonitorView;
use bw_engine::usecase::uptime::{UptimeReport, uptime};
use bw_engine::usecase::{Services, UseError};

/// Columns of the chart at most: more would be thinner than the eye can part on a phone.
const COLUMNS: u32 = 144;
/// Steps that people read easily, in seconds.
const STEPS_S: [u64; 13] = [1, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400];

/// How far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach(usize);

/// Word of the address, word shown, seconds.
const REACHES: [(&str, &str, u64); 4] =
    [("1h", "1 h", 3_600), ("24h", "24 h", 86_400), ("7d", "7 d", 7 * 86_400), ("30d", "30 d", 30 * 86_400)];
const DAY: Reach = Reach(1);

impl Reach {
    /// Reads the word of the address; a day unless it is known.
    pub fn parse(word: &str) -> Self {
        REACHES.iter().position(|(known, ..)| *known == word).map_or(DAY, Reach)
    }

    /// How long that is.
    pub fn duration(self) -> Duration {
        Duration::from_secs(REACHES[self.0].2)
    }

    fn name(self) -> &'static str {
        REACHES[self.0].1
    }

    /// What to choose from: word, address, chosen.
    pub fn ranges(self, id: MonitorId) -> Vec<(&'static str, String, bool)> {
        let range = |(index, (word, name, _)): (usize, &(&'static str, &'static str, u64))| {
            let query = Address::new("").with("range", if Reach(index) == DAY { "" } else { word });
            (*name, format!("/ui/monitors/{id}{query}"), Reach(index) == self)
        };
        REACHES.iter().enumerate().map(range).collect()
    }
}

/// One number with its name and what qualifies it.
pub struct Figure {
    pub name: String,
    pub value: String,
    pub beside: String,
}

/// The figures, and the chart where something was measured.
pub async fn load(
    services: &Services,
    view: &MonitorView,
    reach: Reach,
    trouble: &[(Instant, Instant)],
    now: Instant,
) -> Result<(Vec<Figure>, Option<Plot>), UseError> {
    let id = view.spec.id;
    let from = (now - reach.duration()).max(view.spec.created_at);
    let query = LatencyQuery {
        from: Some(from),
        to: Some(now),
        step: Some(step(now.since(from), view.spec.policy.every)),
        quantiles: vec![0.5, 0.95, 0.99],
    };
    let series = latency(services, id, query).await?;
    let mut figures = Vec::new();
    let mut reaches = vec![DAY, Reach(3)];
    if !reaches.contains(&reach) {
        reaches.insert(0, reach);
    }
    for reach in reaches {
        let report = uptime(services, id, Some(now - reach.duration()), Some(now)).await?;
        figures.push(available(reach, &report));
    }
    figures.extend(measured(reach, &series));
    Ok((figures, plot(series, trouble)))
}

/// At most so many columns, and none narrower than the cadence: gaps between slots are no gaps in what is known.
fn step(range: Duration, every: Duration) -> Duration {
    let least = (range / COLUMNS).max(every).as_secs().max(1);
    let step =
        STEPS_S.into_iter().find(|step| *step >= least).unwrap_or_else(|| least.div_ceil(86_400) * 86_400);
    Duration::from_secs(step)
}

/// How much of the range it was up.
pub fn available(reach: Reach, report: &UptimeReport) -> Figure {
    let uptime = &report.uptime;
    let beside = match uptime.coverage() {
        Some(coverage) if coverage < 1.0 => format!("{} of the time seen", words::share(coverage)),
        Some(_) if uptime.down_ms > 0 => {
            format!("down {}", words::exact(Duration::from_millis(uptime.down_ms)))
        }
        Some(_) => "all of it seen".to_owned(),
        None => "nothing seen".to_owned(),
    };
    Figure {
        name: format!("Uptime {}", reach.name()),
        value: uptime.ratio().map_or_else(|| "–".to_owned(), words::share),
        beside,
    }
}

fn measured(reach: Reach, series: &LatencySeries) -> Vec<Figure> {
    let count: u64 = series.points.iter().map(|point| point.count).sum();
    let figure = |(name, us): (&str, &u32)| Figure {
        name: format!("{name} over {}", reach.name()),
        value: words::latency(*us),
        beside: format!("of {}", words::counted(count as usize, "probe")),
    };
    ["p50", "p95", "p99"].into_iter().zip(&series.whole_us).map(figure).collect()
}

fn plot(series: LatencySeries, trouble: &[(Instant, Instant)]) -> Option<Plot> {
    if series.points.is_empty() {
        return None;
    }
    let (from, to) = (series.range.from, series.range.to);
    Some(Plot {
        from,
        to,
        step: series.step,
        columns: series.points.iter().map(column).collect(),
        trouble: trouble.iter().copied().filter(|(begun, ended)| *begun < to && *ended > from).collect(),
    })
}

fn column(point: &LatencyPoint) -> Column {
    let quantile = |index: usize| point.latency_us.get(index).copied().unwrap_or(0);
    Column {
        at: point.at,
        count: point.count,
        phases: Phases(point.phases_us.map(|us| us.round() as u32)),
        quantiles: [quantile(0), quantile(1), quantile(2)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_neither_too_many_nor_narrower_than_the_cadence() {
        let s = Duration::from_secs;
        for (range, every, expected) in [
            (3_600, 10, 30),
            (3_600, 60, 60),
            (86_400, 60, 600),
            (7 * 86_400, 60, 7_200),
            (30 * 86_400, 60, 21_600),
            (20, 1, 1),
        ] {
            assert_eq!(step(s(range), s(every)), s(expected), "{range} {every}");
        }
    }

    #[test]
    fn ranges_stand_in_the_address() {
        let ranges = Reach::parse("7d").ranges(MonitorId(3));
        let addresses: Vec<&str> = ranges.iter().map(|(_, address, _)| address.as_str()).collect();
        assert_eq!(
            addresses,
            [
                "/ui/monitors/3?range=1h",
                "/ui/monitors/3",
                "/ui/monitors/3?range=7d",
                "/ui/monitors/3?range=30d"
            ]
        );
        assert!(ranges[2].2 && !ranges[1].2);
        assert_eq!(Reach::parse("yesterday"), DAY);
    }
}
