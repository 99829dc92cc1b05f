//! Latency over a range: the mean of each phase as stacked columns, the quantiles as stepped lines above them,
//! incidents shaded behind. A column without probes stays empty. The picture stretches with the page; its labels
//! are text beside it, at fixed shares of width and height, so that they stay readable on a phone.

use super::class;
use crate::ui::markup::{Markup, escape};
use crate::ui::words;
use bw_domain::outcome::{Phase, Phases};
use bw_domain::time::{Duration, Instant};
use std::fmt::Write;

/// Units of the picture; the style sheet gives it its size.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 100.0;
/// Lines of the grid, and labels beside them, zero included.
const TICKS: u32 = 4;

/// What was measured in one step of the range.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub at: Instant,
    /// Probes that measured something.
    pub count: u64,
    /// Mean microseconds of each phase.
    pub phases: Phases,
    /// Quantiles 0.5, 0.95 and 0.99 in microseconds.
    pub quantiles: [u32; 3],
}

impl Column {
    /// Its beginning.
    pub fn when(&self) -> String {
        words::instant(self.at)
    }

    /// The quantiles with their units.
    pub fn latencies(&self) -> [String; 3] {
        self.quantiles.map(words::latency)
    }
}

/// A range with all that is drawn in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    pub from: Instant,
    pub to: Instant,
    pub step: Duration,
    /// In order, without the empty ones.
    pub columns: Vec<Column>,
    /// Incidents: from, and until when they lasted.
    pub trouble: Vec<(Instant, Instant)>,
}

impl Plot {
    /// The picture.
    pub fn draw(&self) -> Markup {
        let top = self.top();
        let mut out = format!(
            "<svg class=chart viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=none role=img aria-label=\"{}\">",
            escape(&self.said())
        );
        self.trouble.iter().for_each(|trouble| self.shade(&mut out, *trouble));
        for tick in 0..=TICKS {
            let y = HEIGHT * f64::from(tick) / f64::from(TICKS);
            put(&mut out, format_args!("<line class=grid x1=0 x2={WIDTH} y1={y} y2={y} />"));
        }
        self.stack(&mut out, top);
        for (index, name) in ["q50", "q95", "q99"].into_iter().enumerate() {
            self.line(&mut out, name, index, top);
        }
        self.columns.iter().for_each(|column| self.hit(&mut out, column));
        out.push_str("</svg>");
        Markup(out)
    }

    /// Labels from top to bottom.
    pub fn y_labels(&self) -> Vec<String> {
        let top = self.top();
        (0..=TICKS)
            .rev()
            .map(|tick| if tick == 0 { "0".to_owned() } else { words::latency(top / TICKS * tick) })
            .collect()
    }

    /// Labels from left to right: five instants, as exact as the range is short.
    pub fn x_labels(&self) -> Vec<Markup> {
        let whole = self.to.since(self.from);
        let write = match whole.as_secs() {
            0..600 => words::clock,
            600..=172_800 => words::hour,
            _ => words::day,
        };
        let label = |quarter: u32| {
            let at = self.from + whole / 4 * quarter;
            words::time(at, &write(at))
        };
        (0..=4).map(label).collect()
    }

    /// The highest value shown: a round number that four equal parts divide.
    fn top(&self) -> u32 {
        let highest = self
            .columns
            .iter()
            .flat_map(|column| column.quantiles.into_iter().chain([column.phases.total()]));
        let part = highest.max().unwrap_or(0).max(400).div_ceil(TICKS);
        let tenth = 10u32.pow(part.ilog10() - 1);
        let round =
            [10, 15, 20, 25, 30, 40, 50, 60, 80, 100].into_iter().map(|digits| tenth.saturating_mul(digits));
        round.into_iter().find(|round| *round >= part).unwrap_or(part).saturating_mul(TICKS)
    }

    fn x(&self, at: Instant) -> f64 {
        let whole = self.to.since(self.from).as_millis().max(1) as f64;
        let share = at.since(self.from).as_millis() as f64 / whole;
        tenths(share.min(1.0) * WIDTH)
    }

    fn shade(&self, out: &mut String, (from, until): (Instant, Instant)) {
        // Seen however short it was.
        let (x, end) = (self.x(from), self.x(until));
        let width = tenths((end - x).max(2.0));
        put(out, format_args!("<rect class=bad x={x} width={width} height={HEIGHT} />"));
    }

    /// One path a phase, its columns standing on those of the phases before.
    fn stack(&self, out: &mut String, top: u32) {
        let mut floor = vec![0u32; self.columns.len()];
        for phase in Phase::ALL {
            let mut path = String::new();
            for (column, floor) in self.columns.iter().zip(&mut floor) {
                let took = column.phases.get(phase);
                if took == 0 {
                    continue;
                }
                let (x, end) = (self.x(column.at), self.x(column.at + self.step));
                let (low, high) = (y(*floor, top), y(floor.saturating_add(took), top));
                put(&mut path, format_args!("M{x} {low}V{high}H{end}V{low}z"));
                *floor = floor.saturating_add(took);
            }
            if !path.is_empty() {
                put(out, format_args!("<path class={} d=\"{path}\"/>", class(phase)));
            }
        }
    }

    /// A stepped line that is cut where nothing was measured.
    fn line(&self, out: &mut String, name: &str, index: usize, top: u32) {
        let mut path = String::new();
        let mut expected = None;
        for column in &self.columns {
            let (x, end) = (self.x(column.at), self.x(column.at + self.step));
            let y = y(column.quantiles[index], top);
            if expected == Some(column.at) {
                put(&mut path, format_args!("V{y}H{end}"));
            } else {
                put(&mut path, format_args!("M{x} {y}H{end}"));
            }
            expected = Some(column.at + self.step);
        }
        put(out, format_args!("<path class={name} d=\"{path}\"/>"));
    }

    /// What a column says when it is pointed at.
    fn hit(&self, out: &mut String, column: &Column) {
        let (x, end) = (self.x(column.at), self.x(column.at + self.step));
        let [p50, p95, p99] = column.latencies();
        put(
            out,
            format_args!(
                "<rect class=hit x={x} width={} height={HEIGHT}><title>{}: p50 {p50}, p95 {p95}, p99 {p99}, {}</title></rect>",
                tenths(end - x),
                column.when(),
                words::counted(column.count as usize, "probe"),
            ),
        );
    }

    fn said(&self) -> String {
        let of = |index: usize| self.columns.iter().map(move |column| column.quantiles[index]);
        match (of(0).min(), of(0).max(), of(2).max()) {
            (Some(low), Some(high), Some(worst)) => format!(
                "Latency: the median lies between {} and {}, p99 reaches {}",
                words::latency(low),
                words::latency(high),
                words::latency(worst)
            ),
            _ => "No latency was measured".to_owned(),
        }
    }
}

fn y(value: u32, top: u32) -> f64 {
    tenths(HEIGHT - f64::from(value) / f64::from(top.max(1)) * HEIGHT)
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(columns: &[(i64, u32)]) -> Plot {
        let column = |&(hour, us): &(i64, u32)| Column {
            at: Instant::from_ms(hour * 3_600_000),
            count: 60,
            phases: Phases([us / 2, 0, 0, 0, us / 2, 0]),
            quantiles: [us, us * 2, us * 3],
        };
        Plot {
            from: Instant::ZERO,
            to: Instant::from_ms(10 * 3_600_000),
            step: Duration::from_secs(3_600),
            columns: columns.iter().map(column).collect(),
            trouble: vec![(Instant::from_ms(3_600_000), Instant::from_ms(3_600_001))],
        }
    }

    #[test]
    fn lines_break_where_nothing_was_measured() {
        let drawn = plot(&[(0, 40_000), (1, 40_000), (5, 20_000)]).draw().0;
        assert!(drawn.contains("<path class=q50 d=\"M0 66.7H100V66.7H200M500 83.3H600\"/>"), "{drawn}");
        assert!(
            drawn.contains(
                "<path class=ph1 d=\"M0 100V83.3H100V100zM100 100V83.3H200V100zM500 100V91.7H600V100z\"/>"
            ),
            "{drawn}"
        );
        assert!(drawn.contains("<rect class=bad x=100 width=2 "), "{drawn}");
        assert!(drawn.contains("p50 20 ms, p95 40 ms, p99 60 ms, 60 probes"), "{drawn}");
    }

    #[test]
    fn labels_are_round() {
        assert_eq!(plot(&[(0, 40_000)]).y_labels(), ["120 ms", "90 ms", "60 ms", "30 ms", "0"]);
        assert_eq!(plot(&[]).y_labels()[0], "0.40 ms");
        let labels = plot(&[]).x_labels();
        assert!(labels[1].0.contains(">02:30<"), "{labels:?}");
    }

    #[test]
    fn nothing_measured_is_said() {
        assert!(plot(&[]).draw().0.contains("No latency was measured"));
        let extreme = plot(&[(0, u32::MAX / 3)]);
        assert!(extreme.draw().0.contains("p99"));
    }
}
