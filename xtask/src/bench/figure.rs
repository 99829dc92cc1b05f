//! One measured figure, its goal, and the same thing done raw; a table of them.

use std::fmt::Write;

use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    pub scenario: String,
    pub figure: String,
    pub value: f64,
    pub unit: &'static str,
    pub goal: Option<f64>,
    pub raw: Option<f64>,
    /// A goal is a ceiling unless more is better.
    #[serde(skip)]
    more_is_better: bool,
}

impl Figure {
    pub fn new(
        scenario: impl Into<String>,
        figure: impl Into<String>,
        value: f64,
        unit: &'static str,
    ) -> Figure {
        Figure {
            scenario: scenario.into(),
            figure: figure.into(),
            value,
            unit,
            goal: None,
            raw: None,
            more_is_better: false,
        }
    }

    pub fn at_most(self, goal: f64) -> Figure {
        Figure { goal: Some(goal), more_is_better: false, ..self }
    }

    pub fn at_least(self, goal: f64) -> Figure {
        Figure { goal: Some(goal), more_is_better: true, ..self }
    }

    /// What the limit is, measured in the same run.
    pub fn raw(self, raw: f64) -> Figure {
        Figure { raw: Some(raw), ..self }
    }

    /// Whether the goal is reached, where there is one.
    fn reached(&self) -> Option<bool> {
        let goal = self.goal?;
        Some(if self.more_is_better { self.value >= goal } else { self.value <= goal })
    }

    pub fn tell(&self) {
        println!("{}", self.row());
    }

    fn row(&self) -> String {
        let Figure { scenario, figure, value, unit, .. } = self;
        let sign = if self.more_is_better { "≥" } else { "≤" };
        let goal = self.goal.map_or(String::new(), |goal| format!("{sign} {}", short(goal)));
        let raw = self.raw.map_or(String::new(), short);
        let ratio = self.raw.filter(|raw| *raw > 0.0).map(|raw| format!("{:.2} ×", value / raw));
        let mark = match self.reached() {
            Some(true) => "reached",
            Some(false) => "MISSED",
            None => "",
        };
        let (value, ratio) = (short(*value), ratio.unwrap_or_default());
        format!("{scenario}  {figure:<54} {value:>9} {unit:<6} {goal:>10} {raw:>9} {ratio:>8}  {mark}")
            .trim_end()
            .to_owned()
    }
}

pub fn table(figures: &[Figure]) -> String {
    let (figure, value, unit, goal, raw, ratio) = ("figure", "value", "unit", "goal", "raw", "ratio");
    let mut text = format!("   {figure:<54} {value:>9} {unit:<6} {goal:>10} {raw:>9} {ratio:>8}\n");
    for figure in figures {
        // Writing to a string does not fail.
        writeln!(text, "{}", figure.row()).expect("a string takes every line");
    }
    text
}

/// Three significant digits are all that a measurement here is worth.
fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 1.0 || v == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_ceilings_or_floors() {
        let figure = || Figure::new('A', "x", 10.0, "µs");
        assert_eq!(figure().reached(), None);
        assert_eq!(figure().at_most(10.0).reached(), Some(true));
        assert_eq!(figure().at_most(9.0).reached(), Some(false));
        assert_eq!(figure().at_least(11.0).reached(), Some(false));
    }

    #[test]
    fn a_row_shows_goal_raw_and_ratio() {
        let row = Figure::new('A', "http, warm", 72.0, "µs").at_most(80.0).raw(56.0).row();
        let words: Vec<_> = row.split_whitespace().collect();
        assert_eq!(words, ["A", "http,", "warm", "72.0", "µs", "≤", "80.0", "56.0", "1.29", "×", "reached"]);
    }

    #[test]
    fn the_file_holds_exactly_the_promised_fields() {
        let value = serde_json::to_value(Figure::new('C', "empty", 9.5, "MB").at_most(12.0)).unwrap();
        let expected = serde_json::json!({
            "scenario": "C", "figure": "empty", "value": 9.5, "unit": "MB", "goal": 12.0, "raw": null
        });
        assert_eq!(value, expected);
    }
}
