//! OnCalendar against a table of what `systemd-analyze calendar` (252) answers, and against the program where it is present.

use super::{at, times, zone};
use crate::beat::OnCalendar;
use crate::time::Zone;
use proptest::prelude::*;
use std::process::Command;

const FROM: &str = "2026-11-21T12:00:00Z";

/// Expression, and the normal form that systemd prints.
const NORMAL: [(&str, &str); 36] = [
    ("Sat,Thu,Mon..Wed,Sat..Sun", "Mon..Thu,Sat,Sun *-*-* 00:00:00"),
    ("Sat,Thu,Mon..Wed,Sat..Sun 1:0:0", "Mon..Thu,Sat,Sun *-*-* 01:00:00"),
    ("Mon-Fri", "Mon..Fri *-*-* 00:00:00"),
    ("Monday,", "Mon *-*-* 00:00:00"),
    ("Mon *-05~07/1", "Mon *-05~07/1 00:00:00"),
    ("*-02~03", "*-02~03 00:00:00"),
    ("*-*~5..10/2", "*-*~05..09/2 00:00:00"),
    ("10-1~1..3", "2010-01~01..03 00:00:00"),
    ("*:*:0/0.5", "*-*-* *:*:00/0.500000"),
    ("12:0:1.5..3.25/0.25", "*-*-* 12:00:01.500000..03.250000/0.250000"),
    ("12:30", "*-*-* 12:30:00"),
    ("03-05", "*-03-05 00:00:00"),
    ("*-*-1..7/2", "*-*-01..07/2 00:00:00"),
    ("99-1-1", "1999-01-01 00:00:00"),
    ("2,1,5:0", "*-*-* 01,02,05:00:00"),
    ("mon,tue 2026-1/3-1 8..17/2:0,30", "Mon,Tue 2026-01/3-01 08..16/2:00,30:00"),
    ("@1700000000", "2023-11-14 22:13:20 UTC"),
    ("Mon 12:30 utc", "Mon *-*-* 12:30:00 UTC"),
    ("quarterly Europe/Berlin", "*-01,04,07,10-01 00:00:00 Europe/Berlin"),
    ("2026-02-30", "2026-02-30 00:00:00"),
    ("*-*-31,30,30", "*-*-30,31 00:00:00"),
    ("*:0..10/20", "*-*-* *:00:00"),
    ("minutely", "*-*-* *:*:00"),
    ("hourly", "*-*-* *:00:00"),
    ("daily", "*-*-* 00:00:00"),
    ("weekly", "Mon *-*-* 00:00:00"),
    ("monthly", "*-*-01 00:00:00"),
    ("yearly", "*-01-01 00:00:00"),
    ("semiannually", "*-01,07-01 00:00:00"),
    ("2003-03-05 05:40", "2003-03-05 05:40:00"),
    ("Wed..Sat,Tue 12-10-15 1:2:3", "Tue..Sat 2012-10-15 01:02:03"),
    ("*-*-* *:*:*", "*-*-* *:*:*"),
    ("Mon..Sun 4:5", "*-*-* 04:05:00"),
    ("Fri *-*-1..7 18:00", "Fri *-*-01..07 18:00:00"),
    ("08:05:40..50/5", "*-*-* 08:05:40..50/5"),
    ("*-*~1 23:59 America/New_York", "*-*~01 23:59:00 America/New_York"),
];

#[test]
fn normal_forms() {
    for (text, normal) in NORMAL {
        let read = OnCalendar::parse(text).expect(text);
        assert_eq!(read.to_string(), normal, "{text}");
        assert_eq!(OnCalendar::parse(normal).expect(normal).to_string(), normal, "twice is once");
    }
}

#[test]
fn next_times() {
    let check = |text: &str, from: &str, expected: &str| {
        let read = OnCalendar::parse(text).expect(text);
        let count = expected.split(' ').count();
        assert_eq!(times(count, from, |after| read.next(&Zone::UTC, after)), expected, "{text}");
    };
    check("Mon *-05~07/1", FROM, "2027-05-31T00:00:00Z 2028-05-29T00:00:00Z");
    check("*-02~03", FROM, "2027-02-26T00:00:00Z 2028-02-27T00:00:00Z");
    check("*-*~5..10/2", FROM, "2026-11-22T00:00:00Z 2026-11-24T00:00:00Z 2026-11-26T00:00:00Z");
    check("*-*-1..7/2", FROM, "2026-12-01T00:00:00Z 2026-12-03T00:00:00Z");
    check("*:*:0/0.5", FROM, "2026-11-21T12:00:00.500Z 2026-11-21T12:00:01Z");
    check("quarterly Europe/Berlin", FROM, "2026-12-31T23:00:00Z 2027-03-31T22:00:00Z");
    check("2026-02-30", FROM, "");
    check("2027..2030/2-6-1", FROM, "2027-06-01T00:00:00Z 2029-06-01T00:00:00Z");
    // Clocks: nothing on the day that skips it, the first where it comes twice.
    check(
        "*-*-* 02:30:00 Europe/Berlin",
        "2026-03-27T12:00:00Z",
        "2026-03-28T01:30:00Z 2026-03-30T00:30:00Z 2026-03-31T00:30:00Z",
    );
    check(
        "*-*-* 02:30:00 Europe/Berlin",
        "2026-10-23T12:00:00Z",
        "2026-10-24T00:30:00Z 2026-10-25T00:30:00Z 2026-10-26T01:30:00Z",
    );
    check(
        "*-*-* *:00/30:00 Europe/Berlin",
        "2026-10-24T23:30:00Z",
        "2026-10-25T00:00:00Z 2026-10-25T00:30:00Z 2026-10-25T02:00:00Z 2026-10-25T02:30:00Z",
    );
    check(
        "*-*-* *:00/30:00 Europe/Berlin",
        "2026-03-29T00:10:00Z",
        "2026-03-29T00:30:00Z 2026-03-29T01:00:00Z 2026-03-29T01:30:00Z",
    );
    let named = OnCalendar::parse("12:00 Asia/Tokyo").unwrap();
    assert_eq!(named.next(&zone("Europe/Berlin"), at(FROM)), Some(at("2026-11-22T03:00:00Z")));
}

#[test]
fn mistakes() {
    for (text, message) in [
        ("", "the schedule is empty"),
        ("12", "a date has a month and a day, a time a colon"),
        ("foo", "at character 1: `foo` is no weekday"),
        ("dayly", "did you mean `daily`?"),
        ("Fri..Mon", "at character 1: weeks begin on Monday here: write `Fri..Sun,Mon..Mon`"),
        ("Mon..", "at character 6: a range of weekdays ends with one"),
        ("*:0/0", "at character 5: a repetition of 0 never ends"),
        ("*-13-1", "at character 3: `13` is no month: write a number from 1 to 12"),
        ("*:70", "at character 3: `70` is no minute"),
        ("*:5..3", "at character 3: the range goes backwards from 5 to 3"),
        ("*-*-* 10", "a time has hours and minutes"),
        ("*-*-*T", "at character 6: between the date and the time stands a space"),
        ("*-*~29", "`29` is no day: write a number from 1 to 28"),
        ("0:0:0..0.5", "a range below a second says its step"),
        ("daily Europe/Bonn", "after `daily` stands at most a zone"),
        ("12:00 Europe/Bonn", "at character 7: `Europe/Bonn` is too much"),
        ("*:50/20", "never comes to its second minute"),
    ] {
        let mistake = OnCalendar::parse(text).expect_err(text).to_string();
        assert!(mistake.contains(message), "{text}: {mistake}");
    }
}

/// What systemd refuses; we do, too.
const REFUSED: [&str; 15] = [
    "Fri..Mon",
    "12",
    "*:0/0",
    "*-13-1",
    "*:70",
    "foo",
    "Mon..",
    "1..3..5:0",
    "*-*-* 10",
    "*:5..3",
    "*-*-*T1:2",
    "0:0:0..0.5",
    "*:50/20",
    "*-*~29",
    "24:00",
];

#[test]
fn agrees_with_systemd() {
    for text in REFUSED {
        assert!(OnCalendar::parse(text).is_err(), "{text}");
    }
    let run = |text: &str| {
        Command::new("systemd-analyze")
            .env("TZ", "UTC")
            .args(["calendar", "--iterations=6", "--base-time=2026-11-21 12:00:00 UTC", text])
            .output()
    };
    // Where the program is missing, the table above stands for it.
    let Ok(_) = run("daily") else { return };
    for text in REFUSED {
        assert!(!run(text).unwrap().status.success(), "systemd takes {text}");
    }
    for (text, normal) in NORMAL {
        let output = run(text).unwrap();
        let answer = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}: {answer}");
        let after =
            |line: &str, key: &str| line.trim_start().strip_prefix(key).map(|rest| rest.trim().to_owned());
        let printed = answer.lines().find_map(|line| after(line, "Normalized form:"));
        // What is normal already is not printed again.
        assert_eq!(printed.as_deref().unwrap_or(text), normal, "{text}");
        let theirs: Vec<String> = answer
            .lines()
            .filter_map(|line| {
                after(line, "Next elapse:").or_else(|| {
                    line.trim()
                        .strip_prefix("Iter. #")?
                        .split_once(": ")
                        .map(|(_, time)| time.trim().to_owned())
                })
            })
            .filter(|time| time != "never")
            .map(|time| {
                let words: Vec<&str> = time.split(' ').collect();
                format!("{}T{}Z", words[1], words[2])
            })
            .collect();
        let read = OnCalendar::parse(text).unwrap();
        // It prints whole seconds.
        let ours = times(6, FROM, |after| read.next(&Zone::UTC, after));
        let ours: Vec<String> =
            ours.split(' ').filter(|time| !time.is_empty()).map(|time| format!("{}Z", &time[..19])).collect();
        if !text.contains("0/0.5") {
            assert_eq!(ours, theirs, "{text}");
        }
    }
}

proptest! {
    #[test]
    fn any_text(text in "[A-Za-z0-9*.,:/~ @-]{0,30}") {
        if let Ok(read) = OnCalendar::parse(&text) {
            let normal = read.to_string();
            prop_assert_eq!(OnCalendar::parse(&normal).map(|again| again.to_string()), Ok(normal));
            let next = read.next(&Zone::UTC, at(FROM));
            prop_assert!(next.is_none_or(|next| next > at(FROM)));
        }
    }
}
