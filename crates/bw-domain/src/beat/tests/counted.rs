//! The table of `contracts.md` 1.1.4, and counted time against an oracle that steps through local time.

use super::{at, zone};
use crate::beat::{Counted, Counting};
use crate::time::{Day, Duration, Instant, Zone};
use proptest::prelude::*;

fn rule(saturday: bool) -> Counting {
    let counted = if saturday { Counted::WeekdaysAndSaturday } else { Counted::Weekdays };
    Counting::new(counted, Zone::UTC, [])
}

#[test]
fn the_documented_table() {
    let check = |last: &str, now: &str, saturday: bool, hours: f64, exceeded: bool| {
        let (last, now) = (at(&format!("2026-{last}:00Z")), at(&format!("2026-{now}:00Z")));
        let elapsed = rule(saturday).elapsed(last, now);
        assert!((elapsed.as_secs_f64() / 3_600.0 - hours).abs() < 0.005, "{last} {now}: {elapsed:?}");
        let threshold = Duration::from_secs(24 * 3_600);
        assert_eq!(elapsed > threshold, exceeded, "{last} {now}");
        assert_eq!(now > rule(saturday).exhausted(last, threshold), exceeded, "{last} {now}");
    };
    check("11-20T18:00", "11-21T10:00", false, 6.0, false);
    check("11-20T18:00", "11-22T10:00", false, 6.0, false);
    check("11-20T18:00", "11-23T10:00", false, 16.0, false);
    check("11-20T18:00", "11-23T17:59", false, 23.98, false);
    check("11-20T18:00", "11-23T18:01", false, 24.02, true);
    check("11-20T18:00", "11-21T10:00", true, 16.0, false);
    check("11-20T18:00", "11-22T10:00", true, 30.0, true);
    check("11-20T18:00", "11-23T10:00", true, 40.0, true);
    check("11-21T12:00", "11-23T10:00", false, 10.0, false);
    check("11-21T12:00", "11-23T13:00", false, 13.0, false);
    check("11-22T12:00", "11-23T10:00", false, 10.0, false);
    check("11-18T09:00", "11-19T08:59", false, 23.98, false);
    check("11-18T09:00", "11-19T09:01", false, 24.02, true);
    check("11-20T18:00", "11-30T18:00", false, 144.0, true);
}

#[test]
fn the_end_of_a_week() {
    let two_days = Duration::from_secs(48 * 3_600);
    let counting = rule(false);
    assert_eq!(counting.reached(at("2026-11-19T00:00:00Z"), two_days), at("2026-11-21T00:00:00Z"));
    assert_eq!(counting.exhausted(at("2026-11-19T00:00:00Z"), two_days), at("2026-11-23T00:00:00Z"));
    let holiday = Counting::new(Counted::Weekdays, Zone::UTC, [Day::of(2026, 11, 23).unwrap()]);
    assert_eq!(holiday.exhausted(at("2026-11-19T00:00:00Z"), two_days), at("2026-11-24T00:00:00Z"));
    assert!(
        !holiday.counts(Day::of(2026, 11, 23).unwrap()) && holiday.counts(Day::of(2026, 11, 24).unwrap())
    );
    assert_eq!(counting.reached(at("2026-11-21T10:00:00Z"), Duration::ZERO), at("2026-11-21T10:00:00Z"));
    for counted in [Counted::All, Counted::Weekdays, Counted::WeekdaysAndSaturday] {
        assert_eq!(Counted::parse(counted.word()), Some(counted));
    }
}

#[test]
fn days_of_23_and_25_hours() {
    let counting = Counting::new(
        Counted::All,
        zone("Europe/Berlin"),
        [Day::of(2026, 3, 29).unwrap(), Day::of(2026, 10, 25).unwrap()],
    );
    let hours = |from: &str, to: &str| counting.elapsed(at(from), at(to)).as_secs() / 3_600;
    assert_eq!(hours("2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z"), 72 - 23);
    assert_eq!(hours("2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z"), 72 - 25);
}

/// Every zone of the bundled database once, around one of its changes or at some other time of 2020–2035.
#[test]
fn every_zone_against_the_oracle() {
    const STEP: i64 = 15 * 60_000;
    let begin = at("2020-01-01T00:00:00Z").ms();
    let mut zones = 0i64;
    for name in jiff::tz::db().available() {
        let Ok(zone) = Zone::parse(name.as_str()) else { continue };
        zones += 1;
        // A different week of the sixteen years for every zone; then the week around the change that follows.
        let some = begin + (zones * 7_919 % 5_800) * 86_400_000;
        let change =
            zone.stretch(Instant::from_ms(some)).until.map_or(some, |until| until.ms() - 2 * 86_400_000);
        for (turn, start) in [some, change.min(at("2035-12-01T00:00:00Z").ms())].into_iter().enumerate() {
            let start = start - start.rem_euclid(STEP);
            let holiday = zone.day(Instant::from_ms(start + 3 * 86_400_000));
            let counted = if turn == 0 { Counted::Weekdays } else { Counted::WeekdaysAndSaturday };
            let counting = Counting::new(counted, zone.clone(), [holiday]);
            let mut slow = 0u64;
            let mut now = start;
            let end = start + 6 * 86_400_000;
            while now < end {
                // Steps that cross a midnight or a change off the quarter hour are walked by the second.
                let (first, last) =
                    (zone.local(Instant::from_ms(now)), zone.local(Instant::from_ms(now + STEP - 1)));
                let day = Day::of_local(first);
                if last - first == STEP - 1 && day == Day::of_local(last) {
                    slow += if counts(counted, day, holiday) { STEP as u64 } else { 0 };
                } else {
                    for second in (now..now + STEP).step_by(1_000) {
                        let day = zone.day(Instant::from_ms(second));
                        slow += if counts(counted, day, holiday) { 1_000 } else { 0 };
                    }
                }
                now += STEP;
                if (now - start) % (6 * 3_600_000) == 0 {
                    let (from, to) = (Instant::from_ms(start), Instant::from_ms(now));
                    let elapsed = counting.elapsed(from, to);
                    assert_eq!(elapsed.as_millis() as u64, slow, "{name} {from} {to}");
                    let (reached, exhausted) =
                        (counting.reached(from, elapsed), counting.exhausted(from, elapsed));
                    assert!(reached <= to && to <= exhausted, "{name} {reached} {to} {exhausted}");
                }
            }
        }
    }
    assert!(zones > 400, "{zones}");
}

fn counts(counted: Counted, day: Day, holiday: Day) -> bool {
    let days = if counted == Counted::Weekdays { 5 } else { 6 };
    day.weekday() < days && day != holiday
}

proptest! {
    /// The inverse is the inverse, and time adds up.
    #[test]
    fn there_and_back(start in 1_577_836_800_000i64..2_082_758_400_000, amount in 1u64..20_000_000_000, pick in 0usize..5, part in 0.0f64..1.0) {
        let zone = zone(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"][pick]);
        let holidays = (0..40).map(|n| Day(18_262 + n * 137));
        let counting = Counting::new(Counted::Weekdays, zone, holidays);
        let (from, amount) = (Instant::from_ms(start), Duration::from_millis(amount));
        let (reached, exhausted) = (counting.reached(from, amount), counting.exhausted(from, amount));
        prop_assert_eq!(counting.elapsed(from, reached), amount);
        prop_assert_eq!(counting.elapsed(from, exhausted), amount);
        let ms = Duration::from_millis(1);
        prop_assert!(counting.elapsed(from, reached - ms) < amount, "the first");
        prop_assert!(counting.elapsed(from, exhausted + ms) > amount, "the last");
        let middle = from + reached.since(from).mul_f64(part);
        prop_assert_eq!(counting.elapsed(from, middle) + counting.elapsed(middle, reached), amount);
    }
}
