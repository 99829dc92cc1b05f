//! The runs of a job as a table: when each began and ended, how it ended, how far from its slot, and what did not come.

use crate::ui::markup::Markup;
use crate::ui::words;
use bw_domain::beat::{Signal, Terms, Track};
use bw_domain::port::store::BeatRow;
use bw_domain::time::{Duration, Instant};
use bw_engine::usecase::runs::{Piece, Run, instant};

/// A row of the table. What is empty is not known.
#[derive(Default)]
pub struct Line {
    pub shape: &'static str,
    pub word: String,
    pub began: Markup,
    pub ended: Markup,
    pub took: String,
    pub exit: String,
    /// The slot that it stands for, in the zone of the heartbeat.
    pub slot: String,
    /// How far it was from that.
    pub apart: String,
    pub late: bool,
    /// The beat that has more to say: its number, and the size of its body.
    pub beat: Option<(u64, String)>,
}

/// What rows are judged by.
pub struct Judge<'a> {
    pub terms: &'a Terms,
    pub track: Option<&'a Track>,
    pub now: Instant,
    /// Slots before it was declared stand for nothing that anybody expected.
    pub declared: Instant,
}

impl Judge<'_> {
    /// The row of one piece.
    pub fn line(&self, piece: &Piece) -> Line {
        match piece {
            Piece::Run(run) => self.run(run),
            Piece::Note(row) => Line {
                shape: "note",
                word: if row.ignored { "ignored".to_owned() } else { "log".to_owned() },
                ended: words::ago(instant(row), self.now),
                beat: Some(link(row)),
                ..Line::default()
            },
            Piece::Absent { expected, heard } => Line {
                shape: if *heard { "missed" } else { "unknown" },
                word: if *heard { "missed".to_owned() } else { "not heard".to_owned() },
                slot: self.slot(*expected),
                apart: if *heard { String::new() } else { "nobody could hear it".to_owned() },
                ..Line::default()
            },
        }
    }

    fn run(&self, run: &Run) -> Line {
        let ago = |at: Option<Instant>| at.map(|at| words::ago(at, self.now)).unwrap_or_default();
        let Some(end) = &run.end else { return self.unended(run) };
        let late = run.late_ms();
        Line {
            shape: if end.signal.is_success() { "up" } else { "down" },
            word: end.signal.word().to_owned(),
            began: ago(run.began()),
            ended: ago(run.ended()),
            took: run.took().map(words::took).unwrap_or_default(),
            exit: match end.signal {
                Signal::Exit(status) => status.to_string(),
                _ => String::new(),
            },
            slot: end.slot.map(|slot| self.slot(slot)).unwrap_or_default(),
            apart: late.map(apart).unwrap_or_default(),
            late: end.slot.is_some_and(|slot| slot >= self.declared)
                && late.is_some_and(|late| late > self.terms.grace.as_millis() as i64),
            beat: Some(link(end)),
        }
    }

    fn unended(&self, run: &Run) -> Line {
        let Some(start) = &run.start else { return Line::default() };
        let under_way = self.is_under_way(start);
        let began = instant(start);
        Line {
            shape: if under_way { "run" } else { "unknown" },
            word: if under_way { "under way".to_owned() } else { "no end told".to_owned() },
            began: words::ago(began, self.now),
            took: if under_way {
                format!("{} so far", words::exact(self.now.since(began)))
            } else {
                String::new()
            },
            beat: Some(link(start)),
            ..Line::default()
        }
    }

    /// Whether the end of a run is still waited for.
    pub fn is_under_way(&self, start: &BeatRow) -> bool {
        let is_it = |run: &bw_domain::beat::Run| run.id == start.run && run.at == instant(start);
        self.track.is_some_and(|track| track.runs.iter().any(is_it))
    }

    /// `Sat 03:00:00` in the zone of the heartbeat.
    fn slot(&self, slot: Instant) -> String {
        on_the_wall(self.terms, slot)
    }
}

fn link(row: &BeatRow) -> (u64, String) {
    let size = if row.body_bytes == 0 { String::new() } else { words::bytes(u64::from(row.body_bytes)) };
    (row.number, size)
}

/// `Sat Nov 21 03:00:00` as the wall of a heartbeat's zone shows it.
pub fn on_the_wall(terms: &Terms, at: Instant) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let zone = terms.cadence.counting().zone();
    let wall = Instant::from_ms(zone.local(at));
    let weekday = DAYS[usize::from(zone.day(at).weekday()) % 7];
    format!("{weekday} {} {}", words::day(wall), words::clock(wall))
}

/// `2 min after`, `30 s before`, `on time`.
pub fn apart(late_ms: i64) -> String {
    let by = words::exact(Duration::from_millis(late_ms.unsigned_abs()));
    match late_ms {
        -999..=999 => "on time".to_owned(),
        1_000.. => format!("{by} after"),
        _ => format!("{by} before"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::beat::{Cadence, Counting, Kind};
    use bw_domain::time::Zone;

    #[test]
    fn distances_in_words() {
        for (ms, said) in
            [(0, "on time"), (-999, "on time"), (120_000, "2 min after"), (-30_000, "30 s before")]
        {
            assert_eq!(apart(ms), said);
        }
    }

    #[test]
    fn slots_are_those_of_the_wall() {
        let zone = Zone::parse("Europe/Berlin").expect("a zone");
        let cadence = Cadence::at(["0 3 * * *"], Counting::all(zone)).expect("a schedule");
        let terms = Terms::new(Kind::Own, cadence, None);
        let at = Instant::parse("2026-07-31T23:30:00Z").expect("an instant");
        assert_eq!(on_the_wall(&terms, at), "Sat Aug 1 01:30:00");
    }
}
