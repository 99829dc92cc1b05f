//! Cron expressions with five fields, or six with seconds first, as Vixie's cron and the clients of Healthchecks write them.
//!
//! Days: where neither day field begins with `*`, one of both is enough. Clocks, as Debian's cron has it: an expression
//! whose minutes or hours begin with `*` follows the clock on the wall (skipped times do not happen, doubled ones happen
//! twice); one with fixed times happens once a day (a skipped one right after the change, a doubled one the first time).

use super::mistake::Mistake;
use super::pattern::{ANY_DAY, ANY_WEEKDAY, Days, Join, Pattern, Seconds};
use crate::limits;
use crate::nearest::nearest;
use crate::time::{Instant, Zone};
use std::fmt;

/// An expression that holds at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    text: String,
    pattern: Pattern,
}

const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

struct Field {
    name: &'static str,
    min: u8,
    max: u8,
    names: &'static [&'static str],
}

const FIELDS: [Field; 6] = [
    Field { name: "second", min: 0, max: 59, names: &[] },
    Field { name: "minute", min: 0, max: 59, names: &[] },
    Field { name: "hour", min: 0, max: 23, names: &[] },
    Field { name: "day of the month", min: 1, max: 31, names: &[] },
    Field { name: "month", min: 1, max: 12, names: &MONTHS },
    Field { name: "day of the week", min: 0, max: 7, names: &WEEKDAYS },
];

impl Cron {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Cron, Mistake> {
        if text.len() > limits::SCHEDULE_TEXT_MAX {
            let message = format!("a schedule has at most {} characters", limits::SCHEDULE_TEXT_MAX);
            return Err(Mistake::new(limits::SCHEDULE_TEXT_MAX, message));
        }
        let trimmed = text.trim();
        let plain = if trimmed.starts_with('@') { nickname(trimmed)? } else { text };
        let words: Vec<(usize, &str)> = words(plain).collect();
        if !(5..=6).contains(&words.len()) {
            let message = format!(
                "a cron expression has 5 fields (minute, hour, day of the month, month, day of the week) or 6 with \
                 seconds first, and here are {}: write `0 3 * * 1-5` for 03:00 on weekdays",
                words.len()
            );
            return Err(Mistake::new(0, message));
        }
        let six = words.len() == 6;
        let word =
            |field: usize| if six { Some(words[field]) } else { field.checked_sub(1).map(|at| words[at]) };
        let mut masks = [0u64; 6];
        masks[0] = 1;
        for field in [0, 1, 2, 4] {
            if let Some(word) = word(field) {
                masks[field] = list(word, &FIELDS[field], &mut |_, _| Ok(false))?;
            }
        }
        let (Some(month), Some(week), Some(minute), Some(hour)) = (word(3), word(5), word(1), word(2)) else {
            return Err(Mistake::new(0, "a cron expression has 5 or 6 fields"));
        };
        let star = |(_, word): (usize, &str)| word.starts_with('*') || word == "?";
        let pattern = Pattern {
            years: Vec::new(),
            months: masks[4] as u16,
            days: days(month, week)?,
            hours: masks[2] as u32,
            minutes: masks[1],
            seconds: Seconds::Whole(masks[0]),
            makes_up: !star(minute) && !star(hour),
            repeats: star(minute) || star(hour),
        };
        if pattern.next(&Zone::UTC, Instant::ZERO).is_none() {
            let message = format!(
                "`{} {}` is no day of any year: write a day that these months have",
                month.1,
                plain_month(&words, six)
            );
            return Err(Mistake::new(month.0, message));
        }
        let text = words.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(" ");
        Ok(Cron { text: if trimmed.starts_with('@') { trimmed.to_owned() } else { text }, pattern })
    }

    /// The first time after this instant.
    pub fn next(&self, zone: &Zone, after: Instant) -> Option<Instant> {
        self.pattern.next(zone, after)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn plain_month<'a>(words: &[(usize, &'a str)], six: bool) -> &'a str {
    words[if six { 4 } else { 3 }].1
}

fn nickname(text: &str) -> Result<&'static str, Mistake> {
    let lower = text.to_ascii_lowercase();
    if let Some((_, plain)) = NICKNAMES.iter().find(|(name, _)| *name == lower) {
        return Ok(plain);
    }
    let hint = match nearest(&lower, NICKNAMES.iter().map(|(name, _)| *name)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "write @hourly, @daily, @weekly, @monthly, @yearly or the five fields".to_owned(),
    };
    Err(Mistake::new(0, format!("`{text}` is no nickname: {hint}")))
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_ascii_whitespace().map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

/// What only one field understands: answers whether it took the item.
type Special<'a> = dyn FnMut(usize, &str) -> Result<bool, Mistake> + 'a;

fn list((at, word): (usize, &str), field: &Field, special: &mut Special<'_>) -> Result<u64, Mistake> {
    let mut mask = 0;
    let mut at = at;
    for item in word.split(',') {
        if item.is_empty() {
            return Err(Mistake::new(
                at,
                format!("a comma of the {} has nothing beside it: remove it", field.name),
            ));
        }
        if !special(at, item)? {
            mask |= range(at, item, field)?;
        }
        at += item.len() + 1;
    }
    Ok(mask)
}

fn range(at: usize, item: &str, field: &Field) -> Result<u64, Mistake> {
    let (span, step) = match item.split_once('/') {
        Some((span, step)) => (span, Some((at + span.len() + 1, step))),
        None => (item, None),
    };
    // 7 is Sunday a second time: a week ends with 6.
    let top = if field.max == 7 { 6 } else { field.max };
    let (first, last) = match span.split_once('-') {
        _ if span == "*" || (span == "?" && matches!(field.max, 7 | 31)) => (field.min, top),
        Some((first, last)) => (value(at, first, field)?, value(at + first.len() + 1, last, field)?),
        None => {
            let only = value(at, span, field)?;
            (only, if step.is_some() { top.max(only) } else { only })
        }
    };
    // Sunday is 0 and 7: `5-7` and `SAT-SUN` end with it.
    let last = if field.max == 7 && last == 0 && first > 0 { 7 } else { last };
    if first > last {
        let message = format!(
            "the {} goes backwards from {first} to {last}: write `{first}-{},{}-{last}`",
            field.name, field.max, field.min
        );
        return Err(Mistake::new(at, message));
    }
    let step = match step {
        None => 1,
        Some((at, text)) => {
            text.parse::<u8>().ok().filter(|step| (1..=field.max).contains(step)).ok_or_else(|| {
                Mistake::new(
                    at,
                    format!(
                        "`{text}` is no step of the {}: write a number from 1 to {}, as in `*/5`",
                        field.name, field.max
                    ),
                )
            })?
        }
    };
    let mut mask = 0u64;
    for number in (first..=last).step_by(usize::from(step)) {
        mask |= 1 << number;
    }
    Ok(mask)
}

fn value(at: usize, text: &str, field: &Field) -> Result<u8, Mistake> {
    let upper = text.to_ascii_uppercase();
    if let Some(found) = field.names.iter().position(|name| *name == upper) {
        return Ok(found as u8 + u8::from(field.max == 12));
    }
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u8>().ok()).flatten();
    number.filter(|number| (field.min..=field.max).contains(number)).ok_or_else(|| {
        let names = match (field.names.first(), field.names.last()) {
            (Some(first), Some(last)) => format!(", or {first} to {last}"),
            _ => String::new(),
        };
        let what = if text.is_empty() { "nothing" } else { text };
        Mistake::new(
            at,
            format!(
                "`{what}` is no {}: write a number from {} to {}{names}",
                field.name, field.min, field.max
            ),
        )
    })
}

fn days(month: (usize, &str), week: (usize, &str)) -> Result<Days, Mistake> {
    let mut days = Days { of_month: 0, of_week: 0, ..Days::ANY };
    let field = &FIELDS[3];
    let of_month = list(month, field, &mut |at, item| month_special(at, item, &mut days))?;
    let of_week = list(week, &FIELDS[5], &mut |at, item| week_special(at, item, &mut days))?;
    days.of_month = of_month as u32 & ANY_DAY;
    // Cron counts from Sunday, we from Monday; 7 is Sunday again.
    let sundays = (of_week & 1) | (of_week >> 7 & 1);
    days.of_week = ((of_week >> 1) as u8 & 0x3f) | (sundays as u8) << 6;
    let star = |word: &str| word.starts_with('*') || word == "?";
    days.join = if star(month.1) || star(week.1) { Join::Both } else { Join::Either };
    if week.1 == "?" {
        days.of_week = ANY_WEEKDAY;
    }
    Ok(days)
}

fn month_special(at: usize, item: &str, days: &mut Days) -> Result<bool, Mistake> {
    let upper = item.to_ascii_uppercase();
    if upper == "L" {
        days.from_end |= 1 << 1;
    } else if upper == "LW" {
        days.last_working = true;
    } else if let Some(back) = upper.strip_prefix("L-") {
        let back = back.parse::<u8>().ok().filter(|back| *back <= 27).ok_or_else(|| {
            Mistake::new(at, format!("`{item}` is no day before the last: write `L-1` to `L-27`"))
        })?;
        days.from_end |= 1 << (back + 1);
    } else if let Some(day) = upper.strip_suffix('W') {
        days.nearest |= 1 << value(at, day, &FIELDS[3])?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn week_special(at: usize, item: &str, days: &mut Days) -> Result<bool, Mistake> {
    let field = &FIELDS[5];
    let (day, bit) = if let Some((day, nth)) = item.split_once('#') {
        let place = at + day.len() + 1;
        let bit = match nth {
            "L" | "l" => Some(6),
            _ => nth.parse::<u8>().ok().filter(|nth| (1..=5).contains(nth)),
        };
        (
            day,
            bit.ok_or_else(|| {
                Mistake::new(place, format!("`#{nth}` is no week of a month: write `#1` to `#5`"))
            })?,
        )
    } else if item.eq_ignore_ascii_case("L") {
        return Err(Mistake::new(
            at,
            "`L` alone is no weekday: write `5L` for the last Friday, or 6 for Saturdays",
        ));
    } else if let Some(day) = item.strip_suffix(['L', 'l']) {
        (day, 6)
    } else {
        return Ok(false);
    };
    let weekday = (value(at, day, field)? + 6) % 7;
    days.nth[usize::from(weekday)] |= 1 << bit;
    Ok(true)
}
