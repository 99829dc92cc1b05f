//! Beats that fit another zone, beats that fit, and beats that say nothing.

use super::{at, zone};
use crate::beat::{Cadence, Counting, guess};
use crate::time::Instant;

fn check(texts: &[&str], zone_name: &str, beats: &[&str], expected: Option<&str>) {
    let cadence = Cadence::at(texts.iter().copied(), Counting::all(zone(zone_name))).expect("a schedule");
    let beats: Vec<Instant> = beats.iter().map(|beat| at(beat)).collect();
    assert_eq!(
        guess(&cadence, &beats).map(|guess| guess.to_string()).as_deref(),
        expected,
        "{texts:?} {beats:?}"
    );
}

#[test]
fn guesses() {
    let utc = ["2026-11-19T03:00:09Z", "2026-11-20T03:04:00Z", "2026-11-21T03:00:08Z"];
    let berlin = "the first beats fit UTC, but the zone of this heartbeat is at UTC+01:00";
    check(&["0 3 * * *"], "Europe/Berlin", &utc, Some(berlin));
    check(&["*-*-* 03:00"], "Europe/Berlin", &utc, Some(berlin));
    check(&["0 3 * * *"], "UTC", &utc, None);
    check(&["0 3 * * *"], "Europe/Berlin", &utc[..2], None);
    // Across the end of summer time the job stays where it is.
    let across = ["2026-10-24T03:00:09Z", "2026-10-25T03:00:09Z", "2026-10-26T03:00:08Z"];
    check(&["0 3 * * *"], "Europe/Berlin", &across, Some(berlin));
    let india = ["2026-11-18T21:30:01Z", "2026-11-19T21:30:01Z", "2026-11-20T21:30:01Z"];
    check(
        &["0 3 * * *"],
        "UTC",
        &india,
        Some("the first beats fit UTC+05:30, but the zone of this heartbeat is at UTC"),
    );
    // Hourly jobs fit everywhere, jobs by hand nowhere, and one that fits is enough for silence.
    check(&["0 * * * *"], "Europe/Berlin", &utc, None);
    check(
        &["0 3 * * *"],
        "Europe/Berlin",
        &["2026-11-19T03:00:09Z", "2026-11-20T14:44:00Z", "2026-11-21T03:00:08Z"],
        None,
    );
    check(
        &["0 3 * * *"],
        "Europe/Berlin",
        &["2026-11-19T02:00:09Z", "2026-11-20T03:00:00Z", "2026-11-21T03:00:08Z"],
        None,
    );
}
