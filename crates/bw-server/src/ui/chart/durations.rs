//! How long runs took: a bar a run, oldest first, failures in their colour, with the median as a line. The bars stand side
//! by side, not at their instants: jobs that run once a day would be lost in a year.

use crate::ui::markup::{Markup, escape};
use crate::ui::words;
use bw_domain::time::{Duration, Instant};
use std::fmt::Write;

/// Units of a bar with its gap, and of the picture's height.
const STEP: usize = 10;
const HEIGHT: u128 = 100;
/// So few bars would be as broad as the page: the picture has room for at least this many.
const ROOM: usize = 24;

/// One run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    pub ended: Instant,
    pub took: Duration,
    pub failed: bool,
}

/// The runs whose duration is known, oldest first; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Durations {
    bars: Vec<Bar>,
    sorted: Vec<Duration>,
}

impl Durations {
    /// Nothing where no duration is known.
    pub fn of(bars: Vec<Bar>) -> Option<Self> {
        let mut sorted: Vec<Duration> = bars.iter().map(|bar| bar.took).collect();
        sorted.sort_unstable();
        (!bars.is_empty()).then_some(Durations { bars, sorted })
    }

    /// The median: of two in the middle the shorter.
    pub fn median(&self) -> Duration {
        self.sorted[(self.sorted.len() - 1) / 2]
    }

    /// The longest.
    pub fn longest(&self) -> Duration {
        self.sorted[self.sorted.len() - 1]
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.bars.len()
    }

    /// Labels from top to bottom.
    pub fn y_labels(&self) -> [String; 3] {
        let top = self.longest();
        [words::took(top), words::took(top / 2), "0".to_owned()]
    }

    /// The ends of the first and last run.
    pub fn x_labels(&self) -> [Markup; 2] {
        let label = |bar: Option<&Bar>| {
            bar.map(|bar| words::time(bar.ended, &words::instant(bar.ended)[..16])).unwrap_or_default()
        };
        [
            label(self.bars.first()),
            if self.bars.len() > 1 { label(self.bars.last()) } else { Markup::default() },
        ]
    }

    /// The picture.
    pub fn draw(&self) -> Markup {
        let width = self.bars.len().max(ROOM) * STEP;
        let said = format!(
            "Durations of {}: the median is {}, the longest {}",
            words::counted(self.bars.len(), "run"),
            words::took(self.median()),
            words::took(self.longest())
        );
        let mut out = format!(
            "<svg class=\"chart low\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=none role=img aria-label=\"{}\">",
            escape(&said)
        );
        for y in [0, HEIGHT / 2, HEIGHT] {
            put(&mut out, format_args!("<line class=grid x1=0 x2={width} y1={y} y2={y} />"));
        }
        for (index, bar) in self.bars.iter().enumerate() {
            // A run is seen however short it was.
            let high = self.high(bar.took).max(1);
            let (x, y, class) = (index * STEP + 1, HEIGHT - high, if bar.failed { "f" } else { "d" });
            let title =
                format!("{}: {}{}", words::instant(bar.ended), words::took(bar.took), failed(bar.failed));
            put(
                &mut out,
                format_args!(
                    "<rect class={class} x={x} y={y} width=8 height={high} /><rect class=hit x={} width={STEP} height={HEIGHT}><title>{title}</title></rect>",
                    index * STEP
                ),
            );
        }
        let y = HEIGHT - self.high(self.median());
        put(&mut out, format_args!("<line class=q95 x1=0 x2={width} y1={y} y2={y} /></svg>"));
        Markup(out)
    }

    fn high(&self, took: Duration) -> u128 {
        took.as_millis() * HEIGHT / self.longest().as_millis().max(1)
    }
}

fn failed(failed: bool) -> &'static str {
    if failed { ", failed" } else { "" }
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_runs_were_long() {
        let bar = |s: u64, failed| Bar {
            ended: Instant::from_ms(s as i64 * 1_000),
            took: Duration::from_secs(s),
            failed,
        };
        assert_eq!(Durations::of(Vec::new()), None);
        let durations =
            Durations::of(vec![bar(20, false), bar(100, true), bar(0, false)]).expect("there are");
        assert_eq!(durations.y_labels(), ["1 min 40 s", "50 s", "0"]);
        let drawn = durations.draw().0;
        for part in [
            "<rect class=d x=1 y=80 width=8 height=20 />",
            "<rect class=f x=11 y=0 width=8 height=100 />",
            "<rect class=d x=21 y=99 width=8 height=1 />",
            "<line class=q95 x1=0 x2=240 y1=80 y2=80 />",
            "<title>1970-01-01 00:01:40Z: 1 min 40 s, failed</title>",
            "Durations of 3 runs: the median is 20 s, the longest 1 min 40 s",
        ] {
            assert!(drawn.contains(part), "{part} in {drawn}");
        }
    }
}
