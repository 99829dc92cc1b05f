//! A heartbeat's past as people read it: beats joined to runs, and between them the beats that did not come.
//!
//! What is called missed must be: only beats that the agreement in force now expected, since it came into force, and
//! that we could have heard. Everything else is no piece, or one that says that nobody was there to hear.

use super::monitors::MonitorView;
use bw_domain::beat::{Deaf, Kind, Signal, Terms};
use bw_domain::limits::RUN_MAX;
use bw_domain::port::store::BeatRow;
use bw_domain::time::{Duration, Instant};

/// Absent beats between two that came: beyond so many the picture says no more.
const MISSED_MAX: usize = 60;

/// One piece of the past.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    Run(Run),
    /// A log line, or a beat that was kept and changed nothing.
    Note(BeatRow),
    /// A beat was expected by then and did not come. `heard` is false where we could not have heard it.
    Absent {
        expected: Instant,
        heard: bool,
    },
}

/// A run of the job: at least one of its beats came.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub start: Option<BeatRow>,
    pub end: Option<BeatRow>,
}

impl Run {
    /// When it began, where that is known.
    pub fn began(&self) -> Option<Instant> {
        let told = self.start.as_ref().map(instant);
        told.or_else(|| self.end.as_ref().and_then(|end| end.duration.map(|took| instant(end) - took)))
    }

    /// When it ended.
    pub fn ended(&self) -> Option<Instant> {
        self.end.as_ref().map(instant)
    }

    /// How long it took.
    pub fn took(&self) -> Option<Duration> {
        let end = self.end.as_ref()?;
        let apart = || self.start.as_ref().map(|start| instant(end).since(instant(start)));
        end.duration.or_else(|| apart().filter(|took| *took <= RUN_MAX))
    }

    /// The end's distance from the slot that it stands for, in milliseconds; negative before it.
    pub fn late_ms(&self) -> Option<i64> {
        self.end.as_ref().and_then(late_ms)
    }
}

/// The instant of a beat that counts.
pub fn instant(row: &BeatRow) -> Instant {
    row.happened.map_or(row.at, |happened| happened.min(row.at))
}

/// How far a beat is from the slot that it stands for, in milliseconds; negative before it.
pub fn late_ms(row: &BeatRow) -> Option<i64> {
    row.slot.map(|slot| instant(row).ms() - slot.ms())
}

/// What the beats mean for the reader.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    terms: Option<&'a Terms>,
    /// From when on the agreement is in force.
    since: Instant,
    deaf: &'a [Deaf],
}

impl<'a> Expected<'a> {
    /// What is expected of a heartbeat now; nothing while it is paused.
    pub fn of(view: &'a MonitorView, deaf: &'a [Deaf]) -> Self {
        let terms = view.spec.beats().map(|agreement| &agreement.terms).filter(|_| view.spec.enabled);
        // Before the first agreement there was no other.
        let agreed = if view.spec.revision == 1 { Instant::ZERO } else { view.spec.effective_from };
        Expected { terms, since: agreed.max(view.state.base.unwrap_or(Instant::ZERO)), deaf }
    }

    /// The beats that should have come after `last` and were missed by `until`; the one of `slot` came.
    fn absent(&self, last: Instant, until: Instant, slot: Option<Instant>, out: &mut Vec<Piece>) {
        let Some(terms) = self.terms.filter(|_| last >= self.since) else { return };
        let slot = slot.filter(|_| terms.cadence.interval().is_none());
        let mut last = last;
        for _ in 0..MISSED_MAX {
            let Some(expected) = terms.expected(last) else { return };
            // As it was decided: told once the held clock had passed, and never where the beat may have come unheard.
            let Some(held) = terms.missed_held(last, self.deaf) else { return };
            let heard = held.unheard.is_none();
            let Some(missed) = Some(held.deadline).filter(|_| heard).or_else(|| terms.missed(last)) else {
                return;
            };
            if missed > until || slot.is_some_and(|slot| expected >= slot) {
                return;
            }
            out.push(Piece::Absent { expected, heard });
            last = expected.max(last + Duration::from_millis(1));
        }
    }
}

/// Joins beats, newest first as they are listed, to pieces in the same order. `now`: they are the newest ones, and
/// what was expected since is looked at, too.
pub fn pieces(rows: &[BeatRow], kind: Kind, expected: Expected<'_>, now: Option<Instant>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::with_capacity(rows.len());
    // Starts whose end has not come, with their places.
    let mut open: Vec<usize> = Vec::new();
    let mut last: Option<Instant> = None;
    for row in rows.iter().rev() {
        if row.ignored || row.signal == Signal::Log {
            out.push(Piece::Note(row.clone()));
            continue;
        }
        let id_at = |out: &[Piece], place: usize| match &out[place] {
            Piece::Run(Run { start: Some(start), .. }) => start.run,
            _ => None,
        };
        if row.signal == Signal::Start {
            if kind == Kind::Healthchecks {
                open.clear();
            }
            open.push(out.len());
            out.push(Piece::Run(Run { start: Some(row.clone()), end: None }));
            continue;
        }
        let at = instant(row);
        if let Some(last) = last {
            expected.absent(last, at, row.slot, &mut out);
        }
        last = last.max(Some(at));
        let own = open.iter().rposition(|place| id_at(&out, *place) == row.run);
        let start = own.map(|own| open.remove(own)).and_then(|place| {
            // The run stands where it ended; those behind move up.
            open.iter_mut().filter(|other| **other > place).for_each(|other| *other -= 1);
            match out.remove(place) {
                Piece::Run(run) => run.start,
                _ => None,
            }
        });
        if row.run.is_none() || kind == Kind::Healthchecks && row.signal.is_failure() {
            open.clear();
        }
        out.push(Piece::Run(Run { start, end: Some(row.clone()) }));
    }
    if let (Some(now), Some(last)) = (now, last) {
        expected.absent(last, now, None, &mut out);
    }
    out.reverse();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::beat::{Cadence, Counting, RunId, Via};
    use bw_domain::id::MonitorId;
    use bw_domain::time::Zone;

    fn row(number: u64, at_s: i64, signal: Signal, run: Option<u128>) -> BeatRow {
        BeatRow {
            monitor: MonitorId(1),
            number,
            at: Instant::from_ms(at_s * 1_000),
            happened: None,
            signal,
            ignored: false,
            run: run.map(RunId),
            duration: None,
            slot: None,
            via: Via::default(),
            body_bytes: 0,
        }
    }

    fn hourly() -> Terms {
        let cadence =
            Cadence::every(Duration::from_secs(3_600), Counting::all(Zone::UTC)).expect("a good cadence");
        Terms::new(Kind::Own, cadence, Some(Duration::from_secs(600)))
    }

    /// Pieces oldest first: `10-20` a run, `?-20` an end alone, `10-?` a start alone, `!30` absent, `~30` unheard,
    /// `.40` a note.
    fn check(rows: &[BeatRow], deaf: &[Deaf], now: Option<i64>, wanted: &str) {
        let terms = hourly();
        let expected = Expected { terms: Some(&terms), since: Instant::ZERO, deaf };
        let newest_first: Vec<BeatRow> = rows.iter().rev().cloned().collect();
        let now = now.map(|s| Instant::from_ms(s * 1_000));
        let said: Vec<String> = pieces(&newest_first, Kind::Own, expected, now)
            .iter()
            .rev()
            .map(|piece| match piece {
                Piece::Run(run) => {
                    let at = |row: &Option<BeatRow>| {
                        row.as_ref().map_or("?".to_owned(), |row| (row.at.ms() / 1_000).to_string())
                    };
                    format!("{}-{}", at(&run.start), at(&run.end))
                }
                Piece::Note(row) => format!(".{}", row.at.ms() / 1_000),
                Piece::Absent { expected, heard } => {
                    format!("{}{}", if *heard { '!' } else { '~' }, expected.ms() / 1_000)
                }
            })
            .collect();
        assert_eq!(said.join(" "), wanted);
    }

    #[test]
    fn starts_and_ends_are_joined() {
        let (s, e) = (Signal::Start, Signal::Success);
        check(&[row(1, 10, s, None), row(2, 20, e, None)], &[], None, "10-20");
        check(&[row(1, 10, e, None), row(2, 20, Signal::Exit(3), None)], &[], None, "?-10 ?-20");
        // Overlapping runs, and one that never ended.
        let rows = [
            row(1, 10, s, Some(1)),
            row(2, 11, s, Some(2)),
            row(3, 12, s, Some(3)),
            row(4, 20, e, Some(1)),
            row(5, 30, Signal::Fail, Some(3)),
        ];
        check(&rows, &[], None, "11-? 10-20 12-30");
        // One without an id ends whatever is under way.
        let rows = [row(1, 10, s, Some(1)), row(2, 20, e, None), row(3, 30, e, Some(1))];
        check(&rows, &[], None, "10-? ?-20 ?-30");
        check(
            &[row(1, 10, s, None), row(2, 15, Signal::Log, None), row(3, 20, e, None)],
            &[],
            None,
            ".15 10-20",
        );
    }

    #[test]
    fn what_did_not_come_is_missed_only_where_it_was_expected_and_could_be_heard() {
        let e = Signal::Success;
        let at = |s: i64| Instant::from_ms(s * 1_000);
        let rows = [row(1, 0, e, None), row(2, 3_700, e, None), row(3, 12_000, e, None)];
        check(&rows, &[], None, "?-0 ?-3700 !7300 !10900 ?-12000");
        check(&rows, &[], Some(16_200), "?-0 ?-3700 !7300 !10900 ?-12000 !15600");
        check(&rows, &[], Some(16_199), "?-0 ?-3700 !7300 !10900 ?-12000");
        let deaf = [Deaf { from: at(6_900), to: at(7_800) }];
        check(&rows, &deaf, None, "?-0 ?-3700 ~7300 !10900 ?-12000");
        let terms = hourly();
        let edited = Expected { terms: Some(&terms), since: at(4_000), deaf: &[] };
        let newest_first: Vec<BeatRow> = rows.iter().rev().cloned().collect();
        assert_eq!(pieces(&newest_first, Kind::Own, edited, None).len(), 3, "another agreement was in force");
        let paused = Expected { terms: None, since: at(0), deaf: &[] };
        assert_eq!(pieces(&newest_first, Kind::Own, paused, Some(at(99_999))).len(), 3);
    }

    #[test]
    fn a_late_beat_of_a_schedule_is_late_and_not_missed() {
        let cadence = Cadence::at(["0 * * * *"], Counting::all(Zone::UTC)).expect("a good schedule");
        let terms = Terms::new(Kind::Own, cadence, Some(Duration::from_secs(600)));
        let expected = Expected { terms: Some(&terms), since: Instant::ZERO, deaf: &[] };
        let slot = |row: BeatRow, s: i64| BeatRow { slot: Some(Instant::from_ms(s * 1_000)), ..row };
        let rows = [
            slot(row(2, 10_800 + 1_500, Signal::Success, None), 10_800),
            slot(row(1, 5, Signal::Success, None), 0),
        ];
        let seen = pieces(&rows, Kind::Own, expected, None);
        let absent: Vec<i64> = seen
            .iter()
            .filter_map(|piece| match piece {
                Piece::Absent { expected, .. } => Some(expected.ms() / 1_000),
                _ => None,
            })
            .collect();
        assert_eq!(absent, [7_200, 3_600], "the one of three o'clock came, late");
    }

    #[test]
    fn durations_come_from_the_client_or_from_the_start() {
        let mut end = row(2, 100, Signal::Success, None);
        assert_eq!(Run { start: None, end: Some(end.clone()) }.took(), None);
        end.duration = Some(Duration::from_secs(30));
        let run = Run { start: None, end: Some(end) };
        assert_eq!(
            (run.took(), run.began()),
            (Some(Duration::from_secs(30)), Some(Instant::from_ms(70_000)))
        );
    }
}
