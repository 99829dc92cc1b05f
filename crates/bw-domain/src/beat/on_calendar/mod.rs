//! systemd's OnCalendar expressions, read and written as `systemd-analyze calendar` does.
//!
//! Clocks, as systemd has it: a skipped local time does not happen on that day, and a doubled one happens the first time.
//! A zone at the end of the expression wins over the heartbeat's.

mod write;

use super::mistake::Mistake;
use super::pattern::{ANY_DAY, ANY_WEEKDAY, Chain, Days, Join, Pattern, Seconds};
use crate::limits;
use crate::nearest::nearest;
use crate::time::{Day, Instant, Zone};

/// An expression, with what is needed to write it in its normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCalendar {
    weekdays: u8,
    /// Year, month, day, hour, minute, microsecond; empty is any.
    parts: [Vec<Chain>; 6],
    from_end: bool,
    zone: Option<Zone>,
    pattern: Pattern,
}

const SECOND: u32 = 1_000_000;
const SHORT: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONG: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const SHORTHANDS: [(&str, &str); 13] = [
    ("minutely", "*-*-* *:*:00"),
    ("hourly", "*-*-* *:00:00"),
    ("daily", "*-*-* 00:00:00"),
    ("monthly", "*-*-01 00:00:00"),
    ("weekly", "Mon *-*-* 00:00:00"),
    ("yearly", "*-01-01 00:00:00"),
    ("annually", "*-01-01 00:00:00"),
    ("anually", "*-01-01 00:00:00"),
    ("quarterly", "*-01,04,07,10-01 00:00:00"),
    ("biannually", "*-01,07-01 00:00:00"),
    ("bi-annually", "*-01,07-01 00:00:00"),
    ("semiannually", "*-01,07-01 00:00:00"),
    ("semi-annually", "*-01,07-01 00:00:00"),
];
/// Name, smallest and largest value of each part.
const BOUNDS: [(&str, u32, u32); 6] = [
    ("year", 1970, 2199),
    ("month", 1, 12),
    ("day", 1, 31),
    ("hour", 0, 23),
    ("minute", 0, 59),
    ("second", 0, 60 * SECOND - 1),
];
const EXAMPLE: &str = "write it as in `Mon..Fri *-*-* 03:00:00`";

impl OnCalendar {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<OnCalendar, Mistake> {
        if text.len() > limits::SCHEDULE_TEXT_MAX {
            let message = format!("a schedule has at most {} characters", limits::SCHEDULE_TEXT_MAX);
            return Err(Mistake::new(limits::SCHEDULE_TEXT_MAX, message));
        }
        let (body, zone) = split_zone(text);
        let word = body.trim().to_ascii_lowercase();
        let plain = SHORTHANDS.iter().find(|(name, _)| *name == word).map(|(_, plain)| *plain);
        let mut cursor = Cursor { text: plain.unwrap_or(body), at: 0 };
        cursor.skip_space();
        if cursor.rest().is_empty() {
            return Err(Mistake::new(0, format!("the schedule is empty: {EXAMPLE}")));
        }
        let read = if cursor.rest().starts_with('@') {
            let (parts, zone) = seconds_since_epoch(&cursor)?;
            Read { parts, from_end: false, weekdays: ANY_WEEKDAY, zone: Some(zone) }
        } else {
            let weekdays = weekdays(&mut cursor)?;
            let (parts, from_end) = date_and_time(&mut cursor)?;
            Read { parts, from_end, weekdays, zone }
        };
        read.compile()
    }

    /// The first time after this instant, in its own zone or else this one.
    pub fn next(&self, zone: &Zone, after: Instant) -> Option<Instant> {
        self.pattern.next(self.zone.as_ref().unwrap_or(zone), after)
    }

    /// The zone that the expression names.
    pub fn zone(&self) -> Option<&Zone> {
        self.zone.as_ref()
    }
}

struct Read {
    parts: [Vec<Chain>; 6],
    from_end: bool,
    weekdays: u8,
    zone: Option<Zone>,
}

impl Read {
    fn compile(self) -> Result<OnCalendar, Mistake> {
        let mut days = Days { of_week: self.weekdays, join: Join::Both, ..Days::ANY };
        if self.from_end {
            days.of_month = 0;
            days.from_end = mask_from_end(&self.parts[2]) as u32;
        } else {
            days.of_month = mask(&self.parts[2], &BOUNDS[2]) as u32;
        }
        let whole = self.parts[5].iter().all(|chain| {
            [chain.start, chain.stop.unwrap_or(0), chain.repeat].iter().all(|part| part % SECOND == 0)
        });
        let seconds = if whole {
            let scale = |chain: &Chain| Chain {
                start: chain.start / SECOND,
                stop: chain.stop.map(|stop| stop / SECOND),
                repeat: chain.repeat / SECOND,
            };
            let chains: Vec<Chain> = self.parts[5].iter().map(scale).collect();
            Seconds::Whole(mask(&chains, &("second", 0, 59)))
        } else {
            Seconds::Parts(self.parts[5].clone())
        };
        let pattern = Pattern {
            years: self.parts[0].clone(),
            months: mask(&self.parts[1], &BOUNDS[1]) as u16,
            days,
            hours: mask(&self.parts[3], &BOUNDS[3]) as u32,
            minutes: mask(&self.parts[4], &BOUNDS[4]),
            seconds,
            makes_up: false,
            repeats: false,
        };
        let Read { parts, from_end, weekdays, zone } = self;
        Ok(OnCalendar { weekdays, parts, from_end, zone, pattern })
    }
}

fn mask(chains: &[Chain], (_, min, max): &(&str, u32, u32)) -> u64 {
    if chains.is_empty() {
        return (*min..=*max).fold(0, |mask, value| mask | 1 << value);
    }
    let mut mask = 0;
    for chain in chains {
        let stop = chain.stop.unwrap_or(if chain.repeat == 0 { chain.start } else { *max });
        for value in (chain.start..=stop).step_by(chain.repeat.max(1) as usize) {
            mask |= 1 << value;
        }
    }
    mask
}

/// Bit n is the n-th last day. A range counts from its far end towards the near one, a repetition towards the last day.
fn mask_from_end(chains: &[Chain]) -> u64 {
    if chains.is_empty() {
        return u64::from(ANY_DAY);
    }
    let mut mask = 0;
    for chain in chains {
        let (from, to) =
            (chain.stop.unwrap_or(chain.start), if chain.stop.is_some() { chain.start } else { 1 });
        let mut value = from;
        loop {
            mask |= 1 << value;
            if chain.repeat == 0 || value < to + chain.repeat {
                break;
            }
            value -= chain.repeat;
        }
    }
    mask
}

/// The zone is the last word, if it is one.
fn split_zone(text: &str) -> (&str, Option<Zone>) {
    let trimmed = text.trim_end();
    let Some((body, last)) = trimmed.rsplit_once(' ') else { return (trimmed, None) };
    if last.bytes().next().is_none_or(|byte| !byte.is_ascii_alphabetic()) {
        return (trimmed, None);
    }
    match Zone::parse(last) {
        Ok(_) if last.eq_ignore_ascii_case("utc") => (body, Some(Zone::UTC)),
        Ok(zone) => (body, Some(zone)),
        Err(_) => (trimmed, None),
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(' ').len();
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn mistake<T>(&self, message: impl Into<String>) -> Result<T, Mistake> {
        Err(Mistake::new(self.at, message))
    }
}

fn seconds_since_epoch(cursor: &Cursor<'_>) -> Result<([Vec<Chain>; 6], Zone), Mistake> {
    let number = cursor.rest().trim_start_matches('@').trim().parse::<i64>().ok();
    let Some(seconds) = number.filter(|seconds| (0..7_258_118_400).contains(seconds)) else {
        return cursor.mistake("after `@` stand the seconds since 1970, as in `@1767225600`");
    };
    let (year, month, day) = Day::of_local(seconds * 1_000).date();
    let time = seconds % 86_400;
    let one = |value: i64| vec![Chain { start: value as u32, stop: None, repeat: 0 }];
    let parts = [
        one(year.into()),
        one(month.into()),
        one(day.into()),
        one(time / 3_600),
        one(time / 60 % 60),
        one(time % 60 * i64::from(SECOND)),
    ];
    Ok((parts, Zone::UTC))
}

fn weekday(cursor: &mut Cursor<'_>) -> Option<usize> {
    let rest = cursor.rest();
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let word = rest[..end].to_ascii_lowercase();
    let found = (0..7).find(|day| LONG[*day] == word || SHORT[*day].eq_ignore_ascii_case(&word))?;
    cursor.at += end;
    Some(found)
}

fn weekdays(cursor: &mut Cursor<'_>) -> Result<u8, Mistake> {
    if !cursor.rest().starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok(ANY_WEEKDAY);
    }
    let mut mask = 0u8;
    loop {
        let at = cursor.at;
        let Some(first) = weekday(cursor) else {
            let rest = cursor.rest().split([' ', ',', '.']).next().unwrap_or_default();
            let names = SHORTHANDS.iter().map(|(name, _)| *name).chain(LONG).chain(SHORT);
            if SHORTHANDS.iter().any(|(name, _)| *name == rest.to_ascii_lowercase()) {
                let message = format!("after `{rest}` stands at most a zone, such as Europe/Berlin");
                return Err(Mistake::new(at + rest.len(), message));
            }
            let hint = match nearest(&rest.to_ascii_lowercase(), names) {
                Some(name) => format!("did you mean `{name}`?"),
                None => {
                    "write Mon to Sun, hourly, daily, weekly or monthly; a zone stands at the end, as in \
                         `daily Europe/Berlin`"
                        .to_owned()
                }
            };
            return cursor.mistake(format!("`{rest}` is no weekday: {hint}"));
        };
        let mut last = first;
        if cursor.take("..") || cursor.take("-") {
            let Some(found) = weekday(cursor) else {
                return cursor.mistake("a range of weekdays ends with one, as in `Mon..Fri`");
            };
            last = found;
        }
        if last < first {
            let (first, last) = (SHORT[first], SHORT[last]);
            let message = format!("weeks begin on Monday here: write `{first}..Sun,Mon..{last}`");
            return Err(Mistake::new(at, message));
        }
        mask |= (first..=last).fold(0, |mask, day| mask | 1 << day);
        if cursor.take(",") {
            if cursor.rest().is_empty() || cursor.rest().starts_with(' ') {
                break;
            }
            continue;
        }
        break;
    }
    if !cursor.rest().is_empty() && !cursor.rest().starts_with(' ') {
        return cursor.mistake("after the weekdays stands a space, then the date or the time");
    }
    cursor.skip_space();
    Ok(mask)
}

fn date_and_time(cursor: &mut Cursor<'_>) -> Result<([Vec<Chain>; 6], bool), Mistake> {
    let mut parts: [Vec<Chain>; 6] = Default::default();
    let mut from_end = false;
    let midnight = Chain { start: 0, stop: None, repeat: 0 };
    let begin = cursor.at;
    let dated = !cursor.rest().is_empty() && {
        let end = cursor.rest().find(' ').unwrap_or(cursor.rest().len());
        !cursor.rest()[..end].contains(':')
    };
    if dated {
        let mut fields = vec![(cursor.at, chain(cursor, false)?)];
        while fields.len() < 3 && !from_end {
            if cursor.take("~") {
                from_end = true;
            } else if !cursor.take("-") {
                break;
            }
            fields.push((cursor.at, chain(cursor, false)?));
        }
        if fields.len() < 2 {
            return Err(Mistake::new(
                begin,
                format!("a date has a month and a day, a time a colon: {EXAMPLE}"),
            ));
        }
        if fields.len() == 3 && from_end && !cursor.text[begin..cursor.at].contains('-') {
            return Err(Mistake::new(begin, "`~` stands only before the day, as in `*-02~01`"));
        }
        let first = 3 - fields.len();
        for (index, (at, chains)) in fields.into_iter().enumerate() {
            parts[first + index] = checked(chains, first + index, at, from_end)?;
        }
        if !cursor.rest().is_empty() && !cursor.rest().starts_with(' ') {
            return cursor.mistake(format!("between the date and the time stands a space: {EXAMPLE}"));
        }
        cursor.skip_space();
    }
    if cursor.rest().is_empty() {
        for part in &mut parts[3..] {
            *part = vec![midnight];
        }
        return Ok((parts, from_end));
    }
    let mut fields = 0;
    for (index, part) in parts.iter_mut().enumerate().skip(3) {
        let at = cursor.at;
        *part = checked(chain(cursor, index == 5)?, index, at, false)?;
        fields += 1;
        if index < 5 && !cursor.take(":") {
            break;
        }
    }
    if fields < 2 {
        return cursor.mistake("a time has hours and minutes, as in `03:00`");
    }
    if fields == 2 {
        parts[5] = vec![midnight];
    }
    cursor.skip_space();
    if !cursor.rest().is_empty() {
        let rest = cursor.rest();
        return cursor.mistake(format!(
            "`{rest}` is too much: after the time stands at most a zone, such as Europe/Berlin"
        ));
    }
    Ok((parts, from_end))
}

fn chain(cursor: &mut Cursor<'_>, fine: bool) -> Result<Vec<Chain>, Mistake> {
    if cursor.take("*") {
        return Ok(if fine { vec![Chain { start: 0, stop: None, repeat: SECOND }] } else { Vec::new() });
    }
    let mut chains = Vec::new();
    loop {
        let at = cursor.at;
        let start = number(cursor, fine)?;
        let mut found = Chain { start, stop: None, repeat: 0 };
        if cursor.take("..") {
            found.stop = Some(number(cursor, fine)?);
            found.repeat = if fine { SECOND } else { 1 };
        }
        if cursor.take("/") {
            let at = cursor.at;
            found.repeat = number(cursor, fine)?;
            if found.repeat == 0 {
                return Err(Mistake::new(
                    at,
                    "a repetition of 0 never ends: write how far apart, as in `0/15`",
                ));
            }
        }
        if let Some(stop) = found.stop {
            let (from, to) = if fine { (start / SECOND, stop / SECOND) } else { (start, stop) };
            if stop < start {
                let message = format!("the range goes backwards from {from} to {to}: write `{to}..{from}`");
                return Err(Mistake::new(at, message));
            }
            if stop - start < found.repeat && cursor.text.as_bytes()[cursor.at - 1] != b'/' {
                if fine && !cursor.text[at..cursor.at].contains('/') {
                    return Err(Mistake::new(at, "a range below a second says its step, as in `0..0.5/0.1`"));
                }
                (found.stop, found.repeat) = (None, 0);
            } else {
                found.stop = Some(stop - (stop - start) % found.repeat);
            }
        }
        chains.push(found);
        if !cursor.take(",") {
            break;
        }
    }
    chains.sort_unstable_by_key(|chain| (chain.start, chain.stop, chain.repeat));
    chains.dedup();
    Ok(chains)
}

/// A number, in microseconds where it is fine.
fn number(cursor: &mut Cursor<'_>, fine: bool) -> Result<u32, Mistake> {
    let rest = cursor.rest();
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let Some(whole) = rest[..end].parse::<u32>().ok().filter(|whole| *whole <= 9_999) else {
        return cursor.mistake(if end > 4 {
            "this number is too large".to_owned()
        } else {
            format!("a number or `*` is missing here: {EXAMPLE}")
        });
    };
    cursor.at += end;
    if !fine {
        return Ok(whole);
    }
    if whole > 60 {
        cursor.at -= end;
        return cursor.mistake(format!("`{whole}` is no second: write a number from 0 to 59"));
    }
    let mut value = whole * SECOND;
    if cursor.rest().starts_with('.') && !cursor.rest().starts_with("..") {
        cursor.at += 1;
        let rest = cursor.rest();
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if end == 0 {
            return cursor.mistake("after the point stand digits, as in `0.5`");
        }
        let digits = rest[..end].bytes().chain(std::iter::repeat(b'0')).take(6);
        value += digits.fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        cursor.at += end;
    }
    Ok(value)
}

fn checked(mut chains: Vec<Chain>, part: usize, at: usize, from_end: bool) -> Result<Vec<Chain>, Mistake> {
    let (name, min, mut max) = BOUNDS[part];
    // No month is shorter than 28 days.
    if from_end && part == 2 {
        max = 28;
    }
    for chain in &mut chains {
        if part == 0 {
            chain.start = full_year(chain.start);
            chain.stop = chain.stop.map(full_year);
        }
        let shown = if part == 5 { SECOND } else { 1 };
        for value in [Some(chain.start), chain.stop].into_iter().flatten() {
            if !(min..=max).contains(&value) {
                let (value, max) = (value / shown, max / shown);
                let message = format!("`{value}` is no {name}: write a number from {min} to {max}");
                return Err(Mistake::new(at, message));
            }
        }
        let room = match (chain.stop, from_end && part == 2) {
            (Some(stop), _) => stop - chain.start,
            (None, true) => chain.start - min,
            (None, false) => max - chain.start,
        };
        if chain.repeat > room {
            let (start, repeat) = (chain.start / shown, chain.repeat / shown);
            let message =
                format!("`{start}/{repeat}` never comes to its second {name}: write `{start}` alone");
            return Err(Mistake::new(at, message));
        }
    }
    Ok(chains)
}

fn full_year(year: u32) -> u32 {
    match year {
        0..70 => year + 2_000,
        70..100 => year + 1_900,
        _ => year,
    }
}
