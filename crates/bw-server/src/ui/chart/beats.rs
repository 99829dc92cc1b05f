//! The strip of a heartbeat: a low bar for a run that went well, a tall one for a failure, a hatched one for a run whose
//! end was not told (yet) and for a beat that nobody could hear, and a gap where a beat did not come.

use crate::ui::markup::{Markup, escape};
use crate::ui::words;
use bw_domain::limits::RECENT_SLOTS;
use bw_domain::outcome::Verdict;
use bw_engine::usecase::runs::{Piece, instant};
use std::fmt::Write;

/// As many places as a strip has, the last ones taken.
pub fn at_the_end(marks: &[Option<Verdict>]) -> Vec<Option<Verdict>> {
    let free = RECENT_SLOTS.saturating_sub(marks.len());
    std::iter::repeat_n(None, free).chain(marks.iter().copied()).collect()
}

/// Pieces as the marks of a strip, oldest first; newest first is how they come. Notes change nothing and are none.
pub fn marks(pieces: &[Piece]) -> Vec<Option<Verdict>> {
    let mut marks: Vec<_> = pieces.iter().filter_map(mark).take(RECENT_SLOTS).collect();
    marks.reverse();
    marks
}

fn mark(piece: &Piece) -> Option<Option<Verdict>> {
    match piece {
        Piece::Note(_) => None,
        Piece::Absent { heard: true, .. } => Some(None),
        Piece::Absent { heard: false, .. } => Some(Some(Verdict::Inconclusive)),
        Piece::Run(run) => Some(Some(match &run.end {
            None => Verdict::Inconclusive,
            Some(end) if end.signal.is_success() => Verdict::Pass,
            Some(_) => Verdict::Fail,
        })),
    }
}

/// The large strip, each mark with its instant on hover.
pub fn detailed(pieces: &[Piece]) -> Markup {
    const WIDTH: usize = 10;
    let mut shown: Vec<&Piece> =
        pieces.iter().filter(|piece| mark(piece).is_some()).take(RECENT_SLOTS).collect();
    shown.reverse();
    let mut out = format!(
        "<svg class=strip viewBox=\"0 0 {} 28\" preserveAspectRatio=none role=img aria-label=\"{}\">",
        RECENT_SLOTS * WIDTH,
        tally(pieces)
    );
    let free = RECENT_SLOTS - shown.len();
    for (index, piece) in shown.into_iter().enumerate() {
        let x = (free + index) * WIDTH;
        let bar = match mark(piece).flatten() {
            Some(Verdict::Pass) => format!("<rect class=p x={x} y=8 width=8 height=12 />"),
            Some(Verdict::Fail) => format!("<rect class=f x={x} y=0 width=8 height=28 />"),
            Some(Verdict::Inconclusive) => {
                format!("<rect fill=\"url(#hatch)\" x={x} y=4 width=8 height=20 />")
            }
            None => String::new(),
        };
        let title = escape(&said(piece));
        write!(out, "<g>{bar}<rect class=hit x={x} width=10 height=28><title>{title}</title></rect></g>")
            .expect("writing to a string cannot fail");
    }
    out.push_str("</svg>");
    Markup(out)
}

fn said(piece: &Piece) -> String {
    match piece {
        Piece::Note(row) => words::instant(instant(row)),
        Piece::Absent { expected, heard: true } => format!("{} missed", words::instant(*expected)),
        Piece::Absent { expected, heard: false } => {
            format!("{} could not be heard", words::instant(*expected))
        }
        Piece::Run(run) => match (run.ended(), run.began()) {
            (Some(ended), _) => {
                let word = run.end.as_ref().map_or("", |end| end.signal.word());
                let took = run.took().map(|took| format!(", {}", words::took(took))).unwrap_or_default();
                format!("{} {word}{took}", words::instant(ended))
            }
            (None, Some(began)) => format!("{} began, no end told", words::instant(began)),
            (None, None) => String::new(),
        },
    }
}

/// `12 succeeded, 1 failed, 2 missed`: the strip in words.
pub fn tally(pieces: &[Piece]) -> String {
    let marks = marks(pieces);
    let count = |wanted: Option<Verdict>| marks.iter().filter(|mark| **mark == wanted).count();
    let mut parts = vec![format!("{} succeeded", count(Some(Verdict::Pass)))];
    for (wanted, word) in
        [(Some(Verdict::Fail), "failed"), (None, "missed"), (Some(Verdict::Inconclusive), "without an end")]
    {
        parts.extend((count(wanted) > 0).then(|| format!("{} {word}", count(wanted))));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::beat::{Signal, Via};
    use bw_domain::id::MonitorId;
    use bw_domain::port::store::BeatRow;
    use bw_domain::time::Instant;
    use bw_engine::usecase::runs::Run;

    fn run(signal: Signal) -> Piece {
        let row = BeatRow {
            monitor: MonitorId(1),
            number: 1,
            at: Instant::ZERO,
            happened: None,
            signal,
            ignored: false,
            run: None,
            duration: None,
            slot: None,
            via: Via::default(),
            body_bytes: 0,
        };
        match signal {
            Signal::Start => Piece::Run(Run { start: Some(row), end: None }),
            Signal::Log => Piece::Note(row),
            _ => Piece::Run(Run { start: None, end: Some(row) }),
        }
    }

    #[test]
    fn what_did_not_come_is_a_gap_and_what_was_not_heard_is_not() {
        let absent = |heard| Piece::Absent { expected: Instant::ZERO, heard };
        let newest_first = [
            run(Signal::Start),
            absent(true),
            absent(false),
            run(Signal::Log),
            run(Signal::Exit(2)),
            run(Signal::Success),
        ];
        let blind = Some(Verdict::Inconclusive);
        assert_eq!(marks(&newest_first), [Some(Verdict::Pass), Some(Verdict::Fail), blind, None, blind]);
        assert_eq!(tally(&newest_first), "1 succeeded, 1 failed, 1 missed, 2 without an end");
        let drawn = detailed(&newest_first).0;
        assert_eq!((drawn.matches("<title>").count(), drawn.matches("class=f ").count()), (5, 1), "{drawn}");
    }
}
