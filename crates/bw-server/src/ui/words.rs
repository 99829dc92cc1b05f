//! How numbers, durations and instants are written: units always, no more digits than carry meaning, and never a
//! figure that is better than the truth.

use super::markup::Markup;
use bw_domain::time::{Duration, Instant};

/// A duration for tables: its largest unit, rounded down. `42 s`, `4 min`, `3 h`, `12 d`.
pub fn short(duration: Duration) -> String {
    let (count, unit) = largest(duration);
    let short = ["d", "h", "min", "s"][unit];
    format!("{count} {short}")
}

/// A duration for sentences: `42 seconds`, `1 minute`, `3 hours`, `12 days`.
pub fn long(duration: Duration) -> String {
    let (count, unit) = largest(duration);
    counted(count as usize, ["day", "hour", "minute", "second"][unit])
}

/// A duration that is read exactly: its two largest units. `4 min 12 s`, `2 d 3 h`.
pub fn exact(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let shown: Vec<String> = parts[first..]
        .iter()
        .take(2)
        .enumerate()
        .filter(|(index, (count, _))| *index == 0 || *count > 0)
        .map(|(_, (count, unit))| format!("{count} {unit}"))
        .collect();
    shown.join(" ")
}

fn largest(duration: Duration) -> (u64, usize) {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => (seconds, 3),
        60..3_600 => (seconds / 60, 2),
        3_600..172_800 => (seconds / 3_600, 1),
        _ => (seconds / 86_400, 0),
    }
}

/// `1 monitor`, `214 monitors`, `10 000 monitors`.
pub fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", number(count as u64))
}

/// Groups of three, parted by thin spaces.
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + 4);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A latency with three digits at most: `0.84 ms`, `4.2 ms`, `42 ms`, `1.24 s`.
pub fn latency(us: u32) -> String {
    let ms = f64::from(us) / 1e3;
    match us {
        0 => "0 ms".to_owned(),
        1..1_000 => format!("{:.2} ms", ms.max(0.01)),
        1_000..9_950 => format!("{ms:.1} ms"),
        9_950..999_500 => format!("{ms:.0} ms"),
        _ => format!("{:.2} s", ms / 1e3),
    }
}

/// A share, rounded down: 99.996 % never looks like 100 %. `100 %`, `99.98 %`, `0 %`.
pub fn share(ratio: f64) -> String {
    let hundredths = (ratio.clamp(0.0, 1.0) * 10_000.0 + 1e-9).floor() as u64;
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => format!("{whole} %"),
        (whole, rest) if rest % 10 == 0 => format!("{whole}.{} %", rest / 10),
        (whole, rest) => format!("{whole}.{rest:02} %"),
    }
}

/// A size: `12.4 MB`.
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.2} GB", count as f64 / 1e9),
    }
}

/// `Shop`, `Shop and Mail`, `Shop, Mail and Wiki`, `Shop, Mail and 3 more`.
pub fn listed(names: &[&str], at_most: usize) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [most @ .., last] if names.len() <= at_most => format!("{} and {last}", most.join(", ")),
        _ => format!("{} and {} more", names[..at_most - 1].join(", "), names.len() + 1 - at_most),
    }
}

/// With a capital letter.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `2026-11-21 12:00:00Z`: exact, with its zone, and what the attribute `datetime` takes.
pub fn instant(at: Instant) -> String {
    let text = at.to_string();
    format!("{} {}Z", &text[..10], &text[11..19])
}

/// `12:00:00` of an instant, in UTC.
pub fn clock(at: Instant) -> String {
    at.to_string()[11..19].to_owned()
}

/// `12:00` of an instant, in UTC.
pub fn hour(at: Instant) -> String {
    at.to_string()[11..16].to_owned()
}

/// `Nov 21` of an instant, in UTC.
pub fn day(at: Instant) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = at.to_string();
    let month = text[5..7].parse::<usize>().ok().and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    format!("{} {}", month.copied().unwrap_or("?"), text[8..10].trim_start_matches('0'))
}

/// A time element: what is written, and the exact instant for hover and focus.
pub fn time(at: Instant, text: &str) -> Markup {
    Markup(format!("<time datetime=\"{}\">{text}</time>", instant(at)))
}

/// `4 min ago` as a time element.
pub fn ago(at: Instant, now: Instant) -> Markup {
    time(at, &format!("{} ago", short(now.since(at))))
}

/// `in 3 h` as a time element.
pub fn ahead(at: Instant, now: Instant) -> Markup {
    time(at, &format!("in {}", short(at.since(now))))
}

/// How long a run took: as a latency while that says more. `0.84 ms`, `4.20 s`, `42 s`, `4 min 12 s`.
pub fn took(duration: Duration) -> String {
    match duration.as_micros() {
        us @ 0..10_000_000 => latency(us as u32),
        _ => exact(duration),
    }
}

/// `4 min` as a time element: how long something has lasted.
pub fn lasting(since: Instant, now: Instant) -> Markup {
    time(since, &short(now.since(since)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn durations() {
        for (seconds, brief, sentence, both) in [
            (0, "0 s", "0 seconds", "0 s"),
            (1, "1 s", "1 second", "1 s"),
            (59, "59 s", "59 seconds", "59 s"),
            (252, "4 min", "4 minutes", "4 min 12 s"),
            (3_600, "1 h", "1 hour", "1 h"),
            (100_000, "27 h", "27 hours", "1 d 3 h"),
            (172_800, "2 d", "2 days", "2 d"),
        ] {
            assert_eq!(
                (short(s(seconds)), long(s(seconds)), exact(s(seconds))),
                (brief.into(), sentence.into(), both.into())
            );
        }
    }

    #[test]
    fn figures_are_never_better_than_the_truth() {
        let cases = [(1.0, "100 %"), (0.999_96, "99.99 %"), (0.983, "98.3 %"), (0.5, "50 %"), (0.0, "0 %")];
        for (ratio, text) in cases {
            assert_eq!(share(ratio), text);
        }
    }

    #[test]
    fn numbers_carry_their_units() {
        let seen: Vec<String> = [840, 4_240, 42_000, 999_499, 1_240_000].into_iter().map(latency).collect();
        assert_eq!(seen, ["0.84 ms", "4.2 ms", "42 ms", "999 ms", "1.24 s"]);
        assert_eq!(counted(1, "monitor"), "1 monitor");
        assert_eq!(counted(10_000, "monitor"), "10\u{202f}000 monitors");
        assert_eq!(bytes(12_400_000), "12.4 MB");
        assert_eq!(listed(&["a", "b", "c", "d"], 3), "a, b and 2 more");
        assert_eq!(listed(&["a", "b", "c"], 3), "a, b and c");
    }

    #[test]
    fn runs_are_timed_as_exactly_as_it_matters() {
        let ms = Duration::from_millis;
        let seen: Vec<String> =
            [0, 840, 4_200, 42_900, 252_000].into_iter().map(|span| took(ms(span))).collect();
        assert_eq!(seen, ["0 ms", "840 ms", "4.20 s", "42 s", "4 min 12 s"]);
    }

    #[test]
    fn instants_show_their_zone() {
        let at = Instant::from_ms(1_768_905_000_000);
        assert_eq!(instant(at), "2026-01-20 10:30:00Z");
        assert_eq!((hour(at), day(at)), ("10:30".into(), "Jan 20".into()));
        assert_eq!(ago(at, at + s(250)).0, "<time datetime=\"2026-01-20 10:30:00Z\">4 min ago</time>");
    }
}
