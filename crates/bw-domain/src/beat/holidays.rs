//! Holidays out of iCalendar files: every day that an event covers does not count.
//!
//! Read are VEVENTs with DTSTART (a date or a time), DTEND or a DURATION of whole days, RRULE by the year, EXDATE and RDATE;
//! everything else is passed over. A rule that we cannot follow is a mistake, because a holiday that is silently left out
//! wakes somebody on it.

use crate::limits;
use crate::time::{Day, days_in};
use std::ops::RangeInclusive;

/// What is wrong with a file, and in which line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct HolidayMistake {
    /// Counted from 1.
    pub line: usize,
    pub message: String,
}

fn mistake<T>(line: usize, message: impl Into<String>) -> Result<T, HolidayMistake> {
    Err(HolidayMistake { line, message: message.into() })
}

#[derive(Default)]
struct Event {
    start: Option<Day>,
    /// The first day that is not covered.
    end: Option<Day>,
    length: Option<i32>,
    rule: Option<Rule>,
    without: Vec<Day>,
    besides: Vec<Day>,
    cancelled: bool,
}

struct Rule {
    interval: i32,
    count: Option<u32>,
    until: Option<Day>,
    months: Vec<u8>,
    month_days: Vec<i8>,
    /// Which of the month (0: each; negative from the end), and the weekday.
    weekdays: Vec<(i8, u8)>,
}

/// The days of a file that fall into these years, in order, each once.
pub fn holidays(text: &str, years: RangeInclusive<i32>) -> Result<Vec<Day>, HolidayMistake> {
    if text.len() > limits::HOLIDAY_FILE_MAX {
        let message = format!(
            "the file has more than {} bytes: leave out what is no holiday",
            limits::HOLIDAY_FILE_MAX
        );
        return mistake(1, message);
    }
    let mut days = Vec::new();
    let mut event: Option<(usize, Event)> = None;
    // Parts of an event, such as alarms, have times of their own.
    let mut inner = 0usize;
    let mut calendar = false;
    for (line, content) in unfolded(text) {
        let Some((name, parameters, value)) = split(&content) else {
            if content.trim().is_empty() {
                continue;
            }
            return mistake(
                line,
                "this is no iCalendar line: write `NAME:value`, and begin folded lines with a space",
            );
        };
        let value = value.trim();
        match (name.as_str(), &mut event) {
            ("BEGIN", _) if value.eq_ignore_ascii_case("VCALENDAR") => calendar = true,
            ("BEGIN", None) if value.eq_ignore_ascii_case("VEVENT") => event = Some((line, Event::default())),
            ("BEGIN", Some(_)) => inner += 1,
            ("END", Some(_)) if inner > 0 => inner -= 1,
            ("END", Some((begun, _))) if !value.eq_ignore_ascii_case("VEVENT") => {
                return mistake(*begun, "this event has no END:VEVENT: the file is cut off");
            }
            ("END", Some(_)) => {
                if let Some((begun, event)) = event.take() {
                    expand(begun, &event, &years, &mut days)?;
                }
            }
            (_, Some((_, event))) if inner == 0 => property(line, (&name, &parameters, value), event)?,
            _ => {}
        }
    }
    if let Some((line, _)) = event {
        return mistake(line, "this event has no END:VEVENT: the file is cut off");
    }
    if !calendar {
        return mistake(1, "this is no calendar: an iCalendar file begins with BEGIN:VCALENDAR");
    }
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

/// Lines put together again, each with the number of its first.
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some((_, before))) => before.push_str(more),
            _ => lines.push((index + 1, line.to_owned())),
        }
    }
    lines
}

/// Name, parameters and value; a colon in quotes belongs to a parameter.
fn split(content: &str) -> Option<(String, String, &str)> {
    let mut quoted = false;
    let colon = content.find(|c| {
        quoted ^= c == '"';
        c == ':' && !quoted
    })?;
    let (head, value) = (&content[..colon], &content[colon + 1..]);
    let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
    Some((name.trim().to_ascii_uppercase(), parameters.to_ascii_uppercase(), value))
}

fn property(
    line: usize,
    (name, parameters, value): (&str, &str, &str),
    event: &mut Event,
) -> Result<(), HolidayMistake> {
    match name {
        "DTSTART" => event.start = Some(date(line, value)?),
        "DTEND" => {
            let day = date(line, value)?;
            // An end in the middle of a day covers it.
            let midnight = parameters.contains("VALUE=DATE") && !parameters.contains("DATE-TIME")
                || value.get(8..).is_none_or(|time| time.is_empty() || time.starts_with("T000000"));
            event.end = Some(if midnight { day } else { Day(day.0 + 1) });
        }
        "DURATION" => {
            let weeks = value.strip_prefix('P').and_then(|rest| rest.strip_suffix('W'));
            let days = value
                .strip_prefix('P')
                .and_then(|rest| rest.split('T').next())
                .and_then(|rest| rest.strip_suffix('D'));
            let number = |text: Option<&str>, factor| {
                text.and_then(|text| text.parse::<u16>().ok()).map(|n| i32::from(n) * factor)
            };
            event.length = number(weeks, 7).or(number(days, 1)).or(Some(1));
        }
        "RRULE" => event.rule = Some(rule(line, value)?),
        "EXDATE" | "RDATE" => {
            for part in value.split(',') {
                let day = date(line, part)?;
                if name == "EXDATE" { event.without.push(day) } else { event.besides.push(day) }
            }
        }
        "STATUS" => event.cancelled = value.eq_ignore_ascii_case("CANCELLED"),
        _ => {}
    }
    Ok(())
}

fn date(line: usize, value: &str) -> Result<Day, HolidayMistake> {
    let digits = value.get(..8).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let day = digits.and_then(|digits| {
        Day::of(digits[..4].parse().ok()?, digits[4..6].parse().ok()?, digits[6..].parse().ok()?)
    });
    match (day, value.as_bytes().get(8)) {
        (Some(day), None | Some(b'T' | b'/')) => Ok(day),
        _ => mistake(line, format!("`{value}` is no date: write it as 20261225")),
    }
}

fn rule(line: usize, value: &str) -> Result<Rule, HolidayMistake> {
    let mut rule = Rule {
        interval: 1,
        count: None,
        until: None,
        months: Vec::new(),
        month_days: Vec::new(),
        weekdays: Vec::new(),
    };
    let mut yearly = false;
    for part in value.split(';').filter(|part| !part.is_empty()) {
        let (key, text) = part.split_once('=').unwrap_or((part, ""));
        let wrong = || HolidayMistake { line, message: format!("`{part}` of the rule cannot be read") };
        match key.to_ascii_uppercase().as_str() {
            "FREQ" if text.eq_ignore_ascii_case("YEARLY") => yearly = true,
            "INTERVAL" => {
                rule.interval = text.parse().ok().filter(|n| (1..=1_000).contains(n)).ok_or_else(wrong)?
            }
            "COUNT" => rule.count = Some(text.parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?),
            "UNTIL" => rule.until = Some(date(line, text)?),
            "BYMONTH" => {
                rule.months =
                    numbers(text).filter(|all| all.iter().all(|n| (1..=12).contains(n))).ok_or_else(wrong)?;
            }
            "BYMONTHDAY" => {
                rule.month_days = numbers(text)
                    .filter(|all| all.iter().all(|n: &i8| (1..=31).contains(&n.unsigned_abs())))
                    .ok_or_else(wrong)?;
            }
            "BYDAY" => {
                rule.weekdays = text.split(',').map(weekday).collect::<Option<_>>().ok_or_else(wrong)?
            }
            "WKST" => {}
            _ => {
                let message = format!(
                    "`{part}` is a rule that is not followed here: write the days one by one, or FREQ=YEARLY with BYMONTH, BYMONTHDAY, BYDAY"
                );
                return mistake(line, message);
            }
        }
    }
    if !yearly {
        return mistake(line, "the rule has no FREQ=YEARLY");
    }
    if !rule.weekdays.is_empty() && rule.months.is_empty() {
        return mistake(line, "a rule with BYDAY needs BYMONTH, as in FREQ=YEARLY;BYMONTH=11;BYDAY=4TH");
    }
    Ok(rule)
}

fn numbers<T: std::str::FromStr>(text: &str) -> Option<Vec<T>> {
    text.split(',').map(|part| part.parse().ok()).collect()
}

fn weekday(text: &str) -> Option<(i8, u8)> {
    let split = text.len().checked_sub(2).filter(|at| text.is_char_boundary(*at))?;
    let (which, day) = text.split_at(split);
    let day =
        ["MO", "TU", "WE", "TH", "FR", "SA", "SU"].iter().position(|name| name.eq_ignore_ascii_case(day))?;
    let which =
        if which.is_empty() { 0 } else { which.parse::<i8>().ok().filter(|n| *n != 0 && n.abs() <= 5)? };
    Some((which, day as u8))
}

fn expand(
    line: usize,
    event: &Event,
    years: &RangeInclusive<i32>,
    days: &mut Vec<Day>,
) -> Result<(), HolidayMistake> {
    if event.cancelled {
        return Ok(());
    }
    let Some(start) = event.start else {
        return mistake(line, "this event has no DTSTART: say when it is, as in DTSTART;VALUE=DATE:20261225");
    };
    let length = event.end.map(|end| end.0 - start.0).or(event.length).unwrap_or(1).max(1);
    if length > 366 {
        return mistake(line, "this event covers more than a year: a holiday is a few days");
    }
    let mut begins = match &event.rule {
        None => vec![start],
        Some(rule) => yearly(start, rule, *years.end()),
    };
    begins.retain(|day| !event.without.contains(day));
    begins.extend(&event.besides);
    for begin in begins {
        days.extend((begin.0..begin.0 + length).map(Day).filter(|day| years.contains(&day.date().0)));
        if days.len() > limits::HOLIDAYS_MAX {
            return mistake(line, format!("these are more than {} days", limits::HOLIDAYS_MAX));
        }
    }
    Ok(())
}

fn yearly(start: Day, rule: &Rule, last: i32) -> Vec<Day> {
    let (first, month, of_month) = start.date();
    let mut found = Vec::new();
    let mut year = first;
    while year <= last {
        let mut these = Vec::new();
        let only = [month];
        for month in if rule.months.is_empty() { &only[..] } else { &rule.months[..] } {
            of_rule((year, *month), of_month, rule, &mut these);
        }
        these.sort_unstable();
        these.dedup();
        for day in these.into_iter().filter(|day| *day >= start) {
            if rule.until.is_some_and(|until| day > until)
                || rule.count.is_some_and(|count| found.len() >= count as usize)
            {
                return found;
            }
            found.push(day);
        }
        year += rule.interval;
    }
    found
}

fn of_rule((year, month): (i32, u8), of_month: u8, rule: &Rule, found: &mut Vec<Day>) {
    let length = days_in(year, month);
    if rule.weekdays.is_empty() && rule.month_days.is_empty() {
        found.extend(Day::of(year, month, of_month));
        return;
    }
    for number in 1..=length {
        let Some(day) = Day::of(year, month, number) else { continue };
        let counted = |n: i8| if n > 0 { number == n as u8 } else { length + 1 - number == n.unsigned_abs() };
        let week = |n: i8| match n {
            0 => true,
            1.. => (number - 1) / 7 + 1 == n as u8,
            _ => (length - number) / 7 + 1 == n.unsigned_abs(),
        };
        let on_day = rule.month_days.is_empty() || rule.month_days.iter().any(|n| counted(*n));
        let on_week = rule.weekdays.is_empty()
            || rule.weekdays.iter().any(|(n, weekday)| *weekday == day.weekday() && week(*n));
        if on_day && on_week {
            found.push(day);
        }
    }
}
