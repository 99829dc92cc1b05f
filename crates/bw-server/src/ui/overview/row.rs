//! One monitor in the list: everything from the row of observations in memory, no outcome is read.

use crate::ui::chart::{spark, strip};
use crate::ui::markup::Markup;
use crate::ui::{shape, words};
use bw_domain::outcome::Verdict;
use bw_domain::state::Mode;
use bw_domain::time::Instant;
use bw_engine::usecase::monitors::MonitorView;

/// What stands in the cells.
pub struct Row {
    pub id: i64,
    pub shape: &'static str,
    pub word: &'static str,
    pub name: String,
    pub labels: String,
    pub strip: Markup,
    pub spark: Markup,
    pub p50: String,
    pub p95: String,
    pub share: Markup,
    pub since: Markup,
}

impl Row {
    /// Looks at one monitor.
    pub fn of(view: &MonitorView, now: Instant) -> Self {
        let running = view.mode != Mode::Paused;
        let windows: Vec<_> =
            view.observed.cells.iter().map(|cell| strip::window(cell, now, running)).collect();
        let verdicts = strip::worst(&windows);
        let mut latencies: Vec<u32> = windows.iter().flatten().filter_map(|slot| slot.latency_us).collect();
        latencies.sort_unstable();
        let quantile = |q| spark::quantile(&latencies, q).map(words::latency).unwrap_or_default();
        Row {
            id: view.spec.id.0,
            shape: shape::of(view.shown()),
            word: view.shown().word(),
            name: view.spec.name().to_owned(),
            labels: labels(view),
            spark: windows.first().map(|window| spark::spark(window)).unwrap_or_default(),
            p50: quantile(0.5),
            p95: quantile(0.95),
            share: share(&verdicts),
            strip: strip::compact(&verdicts),
            since: words::lasting(view.state.since, now),
        }
    }
}

fn labels(view: &MonitorView) -> String {
    let label = |(key, value): (&String, &String)| {
        if value.is_empty() { key.clone() } else { format!("{key}:{value}") }
    };
    view.spec.declared.labels.iter().map(label).collect::<Vec<_>>().join(" ")
}

/// How many of the slots that were seen passed, and how many were seen where that is not all of them.
fn share(verdicts: &[Option<Verdict>]) -> Markup {
    let count = |wanted: Verdict| verdicts.iter().filter(|verdict| **verdict == Some(wanted)).count();
    let (passes, fails) = (count(Verdict::Pass), count(Verdict::Fail));
    let seen = passes + fails;
    match seen {
        0 => Markup::default(),
        _ if seen == verdicts.len() => Markup(words::share(passes as f64 / seen as f64)),
        _ => Markup(format!("<small>of {seen}</small> {}", words::share(passes as f64 / seen as f64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_say_of_how_many() {
        let (pass, fail) = (Some(Verdict::Pass), Some(Verdict::Fail));
        assert_eq!(share(&[pass; 60]).0, "100 %");
        assert_eq!(share(&[pass, fail, None, Some(Verdict::Inconclusive)]).0, "<small>of 2</small> 50 %");
        assert_eq!(share(&[None; 60]).0, "");
    }
}
