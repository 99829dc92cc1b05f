//! One monitor in the list: everything from the row of observations in memory, no outcome is read. Of heartbeats the last
//! beats of the whole page are read at once, or none where the page is long.

use crate::ui::chart::{beats, spark, strip};
use crate::ui::markup::Markup;
use crate::ui::{shape, words};
use bw_domain::beat::{Agreement, Deaf, Standing, Status, Track};
use bw_domain::id::MonitorId;
use bw_domain::outcome::Verdict;
use bw_domain::port::store::BeatRow;
use bw_domain::state::Mode;
use bw_domain::time::Instant;
use bw_engine::usecase::monitors::MonitorView;
use bw_engine::usecase::runs::{Expected, pieces};
use std::collections::HashMap;

/// Beats that are read of a heartbeat for its row.
pub const BEATS: usize = 12;

/// What rows of heartbeats are drawn from.
pub struct Heard {
    /// Nothing where the page is too long to ask.
    pub recent: Option<HashMap<MonitorId, Vec<BeatRow>>>,
    pub deaf: Vec<Deaf>,
}

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
    /// Its job reports.
    pub beats: bool,
}

impl Row {
    /// Looks at one monitor.
    pub fn of(view: &MonitorView, heard: &Heard, now: Instant) -> Self {
        match (view.spec.beats(), view.standing(now)) {
            (Some(agreement), Some(standing)) => Row::of_beats(view, agreement, (&standing, heard), now),
            _ => Row::of_slots(view, now),
        }
    }

    fn of_beats(
        view: &MonitorView,
        agreement: &Agreement,
        (standing, heard): (&Standing, &Heard),
        now: Instant,
    ) -> Self {
        let (shape, word) = shape::of_view(view, Some(standing));
        let track = view.track.as_deref();
        let marks = match &heard.recent {
            Some(recent) => {
                let rows = recent.get(&view.spec.id).map(Vec::as_slice).unwrap_or_default();
                let expected = Expected::of(view, &heard.deaf);
                beats::marks(&pieces(rows, agreement.terms.kind, expected, Some(now)))
            }
            None => track.map(last).unwrap_or_default(),
        };
        let passes = marks.iter().filter(|mark| **mark == Some(Verdict::Pass)).count();
        let judged = marks.iter().filter(|mark| **mark != Some(Verdict::Inconclusive)).count();
        let took = track.and_then(|track| track.duration);
        Row {
            id: view.spec.id.0,
            shape,
            word,
            name: view.spec.name().to_owned(),
            labels: labels(view),
            spark: took
                .map(|took| Markup(format!("<small>{}</small>", words::took(took))))
                .unwrap_or_default(),
            p50: next(standing, now),
            p95: String::new(),
            share: match judged {
                0 => Markup::default(),
                _ => Markup(format!(
                    "<small>of {judged}</small> {}",
                    words::share(passes as f64 / judged as f64)
                )),
            },
            strip: strip::compact(&beats::at_the_end(&marks)),
            since: words::lasting(view.state.since, now),
            beats: true,
        }
    }

    fn of_slots(view: &MonitorView, now: Instant) -> Self {
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
            beats: false,
        }
    }
}

/// The one mark that is known without asking.
fn last(track: &Track) -> Vec<Option<Verdict>> {
    let ended = track.last_beat.map(|_| Some(if track.failed { Verdict::Fail } else { Verdict::Pass }));
    let under_way = track.runs.first().map(|_| Some(Verdict::Inconclusive));
    ended.into_iter().chain(under_way).collect()
}

/// When the next beat is due, or what is under way.
fn next(standing: &Standing, now: Instant) -> String {
    match (standing.status, standing.started, standing.expected) {
        (Status::Paused, ..) => String::new(),
        (_, Some(started), _) => format!("runs for {}", words::short(now.since(started))),
        (_, None, Some(expected)) if expected > now => {
            format!("next in {}", words::short(expected.since(now)))
        }
        (_, None, Some(expected)) => format!("due {} ago", words::short(now.since(expected))),
        (_, None, None) => String::new(),
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
    fn without_asking_the_last_word_and_the_run_under_way_are_known() {
        let at = Instant::from_ms(1_000);
        let run = bw_domain::beat::Run { id: None, at };
        let (pass, fail, open) = (Some(Verdict::Pass), Some(Verdict::Fail), Some(Verdict::Inconclusive));
        let track = |last_beat, failed, runs: &[bw_domain::beat::Run]| Track {
            last_beat,
            failed,
            runs: runs.iter().copied().collect(),
            ..Track::default()
        };
        assert_eq!(last(&track(None, false, &[])), []);
        assert_eq!(last(&track(Some(at), false, &[])), [pass]);
        assert_eq!(last(&track(Some(at), true, &[run])), [fail, open]);
    }

    #[test]
    fn what_is_next_in_few_words() {
        let at = |s: i64| Instant::from_ms(s * 1_000);
        let standing =
            |status, started, expected| Standing { status, started, last: None, expected, deadline: None };
        for (standing, said) in [
            (standing(Status::Up, None, Some(at(700))), "next in 10 min"),
            (standing(Status::Grace, None, Some(at(40))), "due 1 min ago"),
            (standing(Status::Up, Some(at(40)), Some(at(700))), "runs for 1 min"),
            (standing(Status::New, None, None), ""),
            (standing(Status::Paused, Some(at(40)), None), ""),
        ] {
            assert_eq!(next(&standing, at(100)), said);
        }
    }

    #[test]
    fn shares_say_of_how_many() {
        let (pass, fail) = (Some(Verdict::Pass), Some(Verdict::Fail));
        assert_eq!(share(&[pass; 60]).0, "100 %");
        assert_eq!(share(&[pass, fail, None, Some(Verdict::Inconclusive)]).0, "<small>of 2</small> 50 %");
        assert_eq!(share(&[None; 60]).0, "");
    }
}
