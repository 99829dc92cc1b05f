//! Fields, days and clock changes of cron, and what is said about mistakes.

use super::{at, times, zone};
use crate::beat::Cron;
use crate::time::{Day, Instant, Zone};
use proptest::prelude::*;

fn check(text: &str, zone_name: &str, from: &str, expected: &str) {
    let (cron, zone) = (Cron::parse(text).expect(text), zone(zone_name));
    let count = expected.split(' ').count();
    assert_eq!(times(count, from, |after| cron.next(&zone, after)), expected, "{text} {zone_name}");
}

#[test]
fn fields() {
    let from = "2026-11-21T12:00:00Z";
    check("*/20 * * * *", "UTC", from, "2026-11-21T12:20:00Z 2026-11-21T12:40:00Z 2026-11-21T13:00:00Z");
    check("0 3 * * 1-5", "UTC", from, "2026-11-23T03:00:00Z 2026-11-24T03:00:00Z");
    check(
        "0 3 * * MON-fri/2",
        "UTC",
        from,
        "2026-11-23T03:00:00Z 2026-11-25T03:00:00Z 2026-11-27T03:00:00Z 2026-11-30T03:00:00Z",
    );
    check("0 0 * * 7", "UTC", from, "2026-11-22T00:00:00Z 2026-11-29T00:00:00Z");
    check("0 0 * * SAT-SUN", "UTC", from, "2026-11-22T00:00:00Z 2026-11-28T00:00:00Z");
    check("0 0 * * 5-7", "UTC", from, "2026-11-22T00:00:00Z 2026-11-27T00:00:00Z");
    check(
        "15,45 8-10/2 1 jan,JUL *",
        "UTC",
        from,
        "2027-01-01T08:15:00Z 2027-01-01T08:45:00Z 2027-01-01T10:15:00Z 2027-01-01T10:45:00Z 2027-07-01T08:15:00Z",
    );
    check(
        "5/25 * * * *",
        "UTC",
        from,
        "2026-11-21T12:05:00Z 2026-11-21T12:30:00Z 2026-11-21T12:55:00Z 2026-11-21T13:05:00Z",
    );
    check("*/30 0 12 * * *", "UTC", from, "2026-11-21T12:00:30Z 2026-11-22T12:00:00Z");
    check("@daily", "Europe/Berlin", from, "2026-11-21T23:00:00Z 2026-11-22T23:00:00Z");
    check("0 0 29 2 *", "UTC", from, "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z");
}

#[test]
fn days() {
    let from = "2026-11-21T12:00:00Z";
    // Either day field is enough, unless one is a star.
    check(
        "0 0 13 * 5",
        "UTC",
        from,
        "2026-11-27T00:00:00Z 2026-12-04T00:00:00Z 2026-12-11T00:00:00Z 2026-12-13T00:00:00Z",
    );
    check("0 0 */10 * 5", "UTC", from, "2026-12-11T00:00:00Z 2027-01-01T00:00:00Z");
    check("0 0 L * *", "UTC", from, "2026-11-30T00:00:00Z 2026-12-31T00:00:00Z");
    check("0 0 L-2 2 ?", "UTC", from, "2027-02-26T00:00:00Z 2028-02-27T00:00:00Z");
    check("0 0 LW * *", "UTC", "2027-01-01T00:00:00Z", "2027-01-29T00:00:00Z 2027-02-26T00:00:00Z");
    check("0 0 15W * *", "UTC", from, "2026-12-15T00:00:00Z 2027-01-15T00:00:00Z 2027-02-15T00:00:00Z");
    check("0 0 1W 8,11 *", "UTC", "2026-07-01T00:00:00Z", "2026-08-03T00:00:00Z 2026-11-02T00:00:00Z");
    check("0 0 31W 1 *", "UTC", from, "2027-01-29T00:00:00Z");
    check("0 0 * * TUE#2", "UTC", from, "2026-12-08T00:00:00Z 2027-01-12T00:00:00Z");
    check("0 0 * * 5L", "UTC", from, "2026-11-27T00:00:00Z 2026-12-25T00:00:00Z");
}

#[test]
fn clocks_are_put_forward_and_back() {
    let (spring, autumn) = ("2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z");
    // Fixed: right after what was skipped, and the first of two.
    check("30 2 * * *", "Europe/Berlin", spring, "2026-03-29T01:00:00Z 2026-03-30T00:30:00Z");
    check("30 2 * * *", "Europe/Berlin", autumn, "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z");
    check("0,30 2 * * *", "Europe/Berlin", spring, "2026-03-29T01:00:00Z 2026-03-30T00:00:00Z");
    check("30 2 * * *", "Europe/Berlin", "2026-03-29T00:59:59.999Z", "2026-03-29T01:00:00Z");
    check("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z");
    // With stars: the clock on the wall.
    check("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T00:30:00Z 2026-03-29T01:30:00Z");
    check(
        "30 * * * *",
        "Europe/Berlin",
        "2026-10-25T00:00:00Z",
        "2026-10-25T00:30:00Z 2026-10-25T01:30:00Z 2026-10-25T02:30:00Z",
    );
    check("*/30 2 * * *", "Europe/Berlin", spring, "2026-03-30T00:00:00Z");
    // Midnight itself is skipped.
    check("0 0 * * *", "Africa/Cairo", "2026-04-22T23:00:00Z", "2026-04-23T22:00:00Z 2026-04-24T21:00:00Z");
}

#[test]
fn mistakes() {
    for (text, message) in [
        ("", "at character 1: a cron expression has 5 fields"),
        ("0 3 * *", "and here are 4"),
        ("60 * * * *", "at character 1: `60` is no minute: write a number from 0 to 59"),
        (
            "0 3 * * MOON",
            "at character 9: `MOON` is no day of the week: write a number from 0 to 7, or SUN to SAT",
        ),
        ("0 3 32 * *", "at character 5: `32` is no day of the month"),
        ("0 9-5 * * *", "at character 3: the hour goes backwards from 9 to 5: write `9-23,0-5`"),
        ("*/0 * * * *", "at character 3: `0` is no step of the minute"),
        ("1,,2 * * * *", "at character 3: a comma of the minute has nothing beside it"),
        ("0 0 30 2 *", "is no day of any year"),
        ("0 0 * * 5#6", "at character 11: `#6` is no week of a month"),
        ("0 0 * * L", "write `5L` for the last Friday"),
        ("@dayly", "did you mean `@daily`?"),
        ("? * * * *", "`?` is no minute"),
        ("-1 * * * *", "`nothing` is no minute"),
    ] {
        let mistake = Cron::parse(text).expect_err(text).to_string();
        assert!(mistake.contains(message), "{text}: {mistake}");
    }
}

proptest! {
    /// In UTC, against every minute.
    #[test]
    fn agrees_with_stepping(minute in 0u8..60, step in 1u8..30, hour in 0u8..24, weekday in 0u8..7, start in 0i64..2_000_000_000) {
        let cron = Cron::parse(&format!("{minute}-59/{step} {hour}-23/5 * * {weekday}")).unwrap();
        let from = start * 1_000;
        let holds = |ms: i64| {
            let (of_hour, of_day) = ((ms / 60_000 % 60) as u8, (ms / 3_600_000 % 24) as u8);
            of_hour >= minute && (of_hour - minute).is_multiple_of(step)
                && of_day >= hour && (of_day - hour).is_multiple_of(5)
                && (Day::of_local(ms).weekday() + 1) % 7 == weekday
        };
        let mut slow = (from / 60_000 + 1) * 60_000;
        while !holds(slow) {
            slow += 60_000;
        }
        prop_assert_eq!(cron.next(&Zone::UTC, Instant::from_ms(from)), Some(Instant::from_ms(slow)));
    }

    /// No text makes it panic.
    #[test]
    fn any_text(text in ".{0,40}") {
        if let Ok(cron) = Cron::parse(&text) {
            prop_assert!(cron.next(&Zone::UTC, at("2026-01-01T00:00:00Z")).is_some());
        }
    }
}

#[test]
fn daily_jobs_happen_once_a_day_everywhere() {
    let cron = Cron::parse("30 0 * * *").unwrap();
    let mut zones = 0;
    for name in jiff::tz::db().available().step_by(7) {
        let Ok(zone) = crate::time::Zone::parse(name.as_str()) else { continue };
        zones += 1;
        let mut time = cron.next(&zone, at("2020-01-01T12:00:00Z")).unwrap();
        for _ in 0..900 {
            let next = cron.next(&zone, time).unwrap();
            let hours = next.since(time).as_secs() as f64 / 3_600.0;
            assert!((19.0..=29.0).contains(&hours), "{name}: {time} {next}");
            assert!(zone.day(next).0 - zone.day(time).0 == 1, "{name}: {time} {next}");
            time = next;
        }
    }
    assert!(zones > 50, "{zones}");
}
