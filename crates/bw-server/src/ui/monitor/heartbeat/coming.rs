//! The calendar of the next beats, in the zone of the heartbeat and in UTC.

use super::timeline::on_the_wall;
use crate::ui::markup::Markup;
use crate::ui::words;
use bw_domain::beat::{Standing, Terms};
use bw_domain::time::Instant;

/// Beats shown.
const SHOWN: usize = 5;

/// One expected beat.
pub struct Coming {
    pub wall: String,
    pub utc: String,
    pub ahead: Markup,
}

/// The next beats: after the one that is waited for, those after it if each comes when it is due.
pub fn next(terms: &Terms, standing: &Standing, now: Instant) -> Vec<Coming> {
    let scheduled = || terms.cadence.interval().is_none().then(|| terms.cadence.next(now)).flatten();
    let first = standing.expected.filter(|expected| *expected > now).or_else(scheduled);
    let after = |at: &Instant| terms.expected(*at).filter(|next| next > at);
    let coming = |at: Instant| Coming {
        wall: on_the_wall(terms, at),
        utc: words::instant(at),
        ahead: words::ahead(at, now),
    };
    std::iter::successors(first, after).take(SHOWN).map(coming).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::beat::{Cadence, Counting, Kind, Status};
    use bw_domain::time::{Duration, Zone};

    #[test]
    fn the_next_five_across_a_change_of_clocks() {
        let zone = Zone::parse("Europe/Berlin").expect("a zone");
        let cadence = Cadence::at(["0 3 * * *"], Counting::all(zone)).expect("a schedule");
        let terms = Terms::new(Kind::Own, cadence, None);
        let now = Instant::parse("2026-10-23T12:00:00Z").expect("an instant");
        let standing =
            Standing { status: Status::Up, started: None, last: None, expected: None, deadline: None };
        let coming = next(&terms, &standing, now);
        let walls: Vec<&str> = coming.iter().map(|coming| coming.wall.as_str()).collect();
        assert_eq!(walls.len(), 5);
        assert!(walls.iter().all(|wall| wall.ends_with("03:00:00")), "{walls:?}");
        assert_eq!(
            (coming[0].utc.as_str(), coming[2].utc.as_str()),
            ("2026-10-24 01:00:00Z", "2026-10-26 02:00:00Z")
        );
    }

    #[test]
    fn a_silent_one_that_beats_every_so_often_has_no_calendar() {
        let cadence = Cadence::every(Duration::from_secs(60), Counting::all(Zone::UTC)).expect("good");
        let terms = Terms::new(Kind::Own, cadence, None);
        let standing = Standing {
            status: Status::Down,
            started: None,
            last: Some(Instant::ZERO),
            expected: Some(Instant::from_ms(60_000)),
            deadline: None,
        };
        assert!(next(&terms, &standing, Instant::from_ms(999_000)).is_empty());
    }
}
