//! Files as calendars publish them, and what is said about broken ones.

use crate::beat::holidays;
use proptest::prelude::*;

fn file(events: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n", events.replace('\n', "\r\n"))
}

fn check(event: &str, expected: &str) {
    let text = file(&format!("BEGIN:VEVENT\nUID:1\n{event}\nEND:VEVENT\n"));
    let found: Vec<String> =
        holidays(&text, 2025..=2028).expect(event).iter().map(ToString::to_string).collect();
    assert_eq!(found.join(" "), expected, "{event}");
}

#[test]
fn events() {
    check("DTSTART;VALUE=DATE:20261225", "2026-12-25");
    check("DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261227", "2026-12-25 2026-12-26");
    check("DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270102", "2026-12-31 2027-01-01");
    check("DTSTART:20261224T120000Z\nDTEND:20261225T120000Z", "2026-12-24 2026-12-25");
    check("DTSTART;TZID=\"a:b\":20261224T000000\nDTEND:20261225T000000", "2026-12-24");
    check("DTSTART:20261224\nDURATION:P2D", "2026-12-24 2026-12-25");
    check("DTSTART:20240501\nRRULE:FREQ=YEARLY", "2025-05-01 2026-05-01 2027-05-01 2028-05-01");
    check("DTSTART:20240501\nRRULE:FREQ=YEARLY;INTERVAL=2", "2026-05-01 2028-05-01");
    check("DTSTART:20240501\nRRULE:FREQ=YEARLY;COUNT=3", "2025-05-01 2026-05-01");
    check("DTSTART:20240501\nRRULE:FREQ=YEARLY;UNTIL=20270430", "2025-05-01 2026-05-01");
    check("DTSTART:20240501\nRRULE:FREQ=YEARLY\nEXDATE:20250501,20270501", "2026-05-01 2028-05-01");
    check("DTSTART:20240501\nRDATE:20260502", "2026-05-02");
    check("DTSTART:20240229\nRRULE:FREQ=YEARLY", "2028-02-29");
    check(
        "DTSTART:20241128\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
        "2025-11-27 2026-11-26 2027-11-25 2028-11-23",
    );
    check(
        "DTSTART:20240527\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO",
        "2025-05-26 2026-05-25 2027-05-31 2028-05-29",
    );
    check(
        "DTSTART:20240101\nRRULE:FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=1;UNTIL=20250801",
        "2025-01-01 2025-07-01",
    );
    check("DTSTART:20261225\nSTATUS:CANCELLED", "");
    check("DTSTART;VALUE=DA\n TE:2026\n\t1225\nSUMMARY:folded: yes", "2026-12-25");
    check("DTSTART:20261225\nBEGIN:VALARM\nDTSTART:20260101\nEND:VALARM", "2026-12-25");
}

#[test]
fn what_is_no_event_is_passed_over() {
    let text = file(
        "BEGIN:VTIMEZONE\nBEGIN:DAYLIGHT\nDTSTART:19700329T020000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\nBEGIN:VEVENT\nDTSTART:20261225\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART:20261225\nEND:VEVENT\n",
    );
    assert_eq!(holidays(&text, 2020..=2035).unwrap().len(), 1);
}

#[test]
fn mistakes_name_the_line() {
    let check = |event: &str, message: &str| {
        let mistake = holidays(&file(event), 2020..=2035).expect_err(event).to_string();
        assert!(mistake.contains(message), "{event}: {mistake}");
    };
    check("BEGIN:VEVENT\nDTSTART:20261325\nEND:VEVENT\n", "line 4: `20261325` is no date");
    check("BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n", "line 3: this event has no DTSTART");
    check(
        "BEGIN:VEVENT\nDTSTART:20261225\nRRULE:FREQ=MONTHLY\nEND:VEVENT\n",
        "line 5: `FREQ=MONTHLY` is a rule that is not followed",
    );
    check(
        "BEGIN:VEVENT\nDTSTART:20261225\nRRULE:FREQ=YEARLY;BYDAY=1MO\nEND:VEVENT\n",
        "line 5: a rule with BYDAY needs BYMONTH",
    );
    check("BEGIN:VEVENT\nDTSTART:20261225\nhello\nEND:VEVENT\n", "line 5: this is no iCalendar line");
    check("BEGIN:VEVENT\nDTSTART:20261225\n", "line 3: this event has no END:VEVENT");
    check("BEGIN:VEVENT\nDTSTART:20200101\nDTEND:20350101\nEND:VEVENT\n", "covers more than a year");
    assert!(holidays("<html>", 2020..=2035).unwrap_err().to_string().starts_with("line 1: "));
    assert!(holidays("", 2020..=2035).unwrap_err().to_string().contains("BEGIN:VCALENDAR"));
    assert!(
        holidays(&"x".repeat(2 << 20), 2020..=2035)
            .unwrap_err()
            .to_string()
            .contains("more than 1048576 bytes")
    );
}

proptest! {
    #[test]
    fn any_text(text in "(BEGIN:VEVENT\n|END:VEVENT\n|DTSTART:|RRULE:FREQ=YEARLY;BYDAY=|[0-9]{8}|\n|[ -~é]{0,9}){0,12}") {
        if let Ok(days) = holidays(&file(&text), 2020..=2030) {
            prop_assert!(days.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
