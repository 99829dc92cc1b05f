//! Slots, and the slot that a beat stands for.

use super::{at, times, zone};
use crate::beat::{Cadence, Counted, Counting};
use crate::time::{Day, Duration, Instant, Zone};
use proptest::prelude::*;

const HOUR: Duration = Duration::from_secs(3_600);

fn cadence(texts: &[&str], zone_name: &str) -> Cadence {
    Cadence::at(texts.iter().copied(), Counting::all(zone(zone_name))).expect("a schedule")
}

#[test]
fn several_schedules_are_one() {
    let both = cadence(&["0 3 * * *", "Sat 12:00 America/New_York"], "Europe/Berlin");
    assert_eq!(
        times(3, "2026-11-20T12:00:00Z", |after| both.next(after)),
        "2026-11-21T02:00:00Z 2026-11-21T17:00:00Z 2026-11-22T02:00:00Z"
    );
    assert_eq!(both.period(), Some(9 * HOUR));
    assert_eq!(both.last(at("2026-11-22T01:59:59Z")), Some(at("2026-11-21T17:00:00Z")));
    assert_eq!(both.last(at("2026-11-22T02:00:00Z")), Some(at("2026-11-22T02:00:00Z")));
    let (index, mistake) = Cadence::at(["daily", "dayly"], Counting::all(Zone::UTC)).unwrap_err();
    assert!(index == 1 && mistake.to_string().contains("did you mean `daily`?"), "{mistake}");
    assert!(Cadence::at([], Counting::all(Zone::UTC)).is_err());
    assert!(Cadence::every(Duration::ZERO, Counting::all(Zone::UTC)).is_err());
}

#[test]
fn days_that_do_not_count_expect_nothing() {
    let holiday = Day::of(2026, 11, 23).unwrap();
    let counting = Counting::new(Counted::Weekdays, zone("Europe/Berlin"), [holiday]);
    let daily = Cadence::at(["*/30 3 * * *"], counting.clone()).unwrap();
    assert_eq!(
        times(3, "2026-11-20T02:00:00Z", |after| daily.next(after)),
        "2026-11-20T02:30:00Z 2026-11-24T02:00:00Z 2026-11-24T02:30:00Z"
    );
    let every = Cadence::every(24 * HOUR, counting.clone()).unwrap();
    assert_eq!(every.next(at("2026-11-20T12:00:00Z")), Some(at("2026-11-24T12:00:00Z")));
    let midnight = Cadence::at(["0 0 * * *"], counting.clone()).unwrap();
    assert_eq!(midnight.next(at("2026-11-21T12:00:00Z")), Some(at("2026-11-23T23:00:00Z")));
    let (_, never) = Cadence::at(["Sat *-*-* 03:00"], counting.clone()).unwrap_err();
    assert!(never.to_string().contains("no beat is ever expected"), "{never}");
    assert!(Cadence::at(["2026-02-30"], counting).is_err());
}

#[test]
fn a_beat_belongs_to_the_nearest_slot() {
    let nightly = cadence(&["0 3 * * *"], "UTC");
    let check = |beat: &str, slot: &str, expected: &str| {
        let early = Duration::from_secs(17_280);
        let assigned = nightly.assign(at(beat), None, early).expect("a slot");
        assert_eq!(assigned.slot, at(slot), "{beat}");
        assert_eq!(nightly.after_beat(at(beat), early), Some(at(expected)), "{beat}");
    };
    check("2026-11-21T03:04:00Z", "2026-11-21T03:00:00Z", "2026-11-22T03:00:00Z");
    check("2026-11-21T02:58:00Z", "2026-11-21T03:00:00Z", "2026-11-22T03:00:00Z");
    check("2026-11-21T03:00:00Z", "2026-11-21T03:00:00Z", "2026-11-22T03:00:00Z");
    check("2026-11-21T14:59:00Z", "2026-11-21T03:00:00Z", "2026-11-22T03:00:00Z");
    // By hand in the afternoon: nearer to the coming slot, and still not for it.
    check("2026-11-21T17:00:00Z", "2026-11-21T03:00:00Z", "2026-11-22T03:00:00Z");
    let early = nightly.assign(at("2026-11-21T02:58:00Z"), None, HOUR).unwrap();
    assert_eq!((early.early(), early.late()), (Duration::from_secs(120), Duration::ZERO));
    let every = Cadence::every(HOUR, Counting::all(Zone::UTC)).unwrap();
    let late = every.assign(at("2026-11-21T04:05:00Z"), Some(at("2026-11-21T03:00:00Z")), HOUR).unwrap();
    assert_eq!(late.late(), Duration::from_secs(300));
}

proptest! {
    /// Before and after meet: no slot lies between.
    #[test]
    fn last_is_the_inverse_of_next(ms in 1_577_836_800_000i64..2_082_758_400_000, pick in 0usize..7, place in 0usize..4) {
        let text = ["*/5 * * * *", "30 2 * * *", "0 3 * * 1-5", "0 0 29 2 *", "*-*-* *:*:0/7", "Mon *-05~07/1", "0 0,12 1,15 * *"][pick];
        let cadence = cadence(&[text], ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana"][place]);
        let at = Instant::from_ms(ms);
        let last = cadence.last(at).expect("there is one");
        prop_assert!(last <= at);
        prop_assert!(cadence.next(last).is_none_or(|next| next > at));
        prop_assert_eq!(cadence.next(last - Duration::from_millis(1)), Some(last));
    }
}
