//! Words that several kinds of message share: what was missed, told in one sentence, and how times and
//! durations read.

use bw_domain::event::Event;
use bw_domain::time::Instant;
use std::sync::Arc;

/// Changes beyond this many are counted, not listed.
const LISTED: usize = 4;

/// What happened before and was never told: `was DOWN 10:02–10:09 UTC, now UP`. Empty when nothing was missed.
pub(crate) fn missed(event: &Event, merged: &[Arc<Event>]) -> String {
    let Some(now) = &event.change else { return String::new() };
    let changes: Vec<(&str, Instant)> =
        merged.iter().filter_map(|earlier| Some((earlier.change.as_ref()?.to.word(), earlier.at))).collect();
    if changes.is_empty() {
        return String::new();
    }
    let ends = changes.iter().skip(1).map(|(_, at)| *at).chain([event.at]);
    let spells: Vec<String> = changes
        .iter()
        .zip(ends)
        .map(|((health, from), to)| format!("{health} {}", between(*from, to)))
        .collect();
    let (left_out, listed) = spells.split_at(spells.len().saturating_sub(LISTED));
    let earlier = match left_out.len() {
        0 => String::new(),
        n => format!("changed {n} more times, then "),
    };
    format!("{earlier}was {}, now {}", listed.join(", "), now.to.word())
}

/// `10:02–10:09 UTC`, with the days where they differ.
fn between(from: Instant, to: Instant) -> String {
    let (from, to) = (from.to_string(), to.to_string());
    let (day, minute) = (|text: &str| text[..10].to_owned(), |text: &str| text[11..16].to_owned());
    if day(&from) == day(&to) {
        format!("{}–{} UTC", minute(&from), minute(&to))
    } else {
        format!("{} {}–{} {} UTC", day(&from), minute(&from), day(&to), minute(&to))
    }
}

/// `0.4 ms`, `31 ms`, `1.24 s`: three figures are what people compare.
pub(crate) fn millis(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.2} s", ms / 1_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        for (ms, text) in [(0.42, "0.4 ms"), (31.2, "31 ms"), (999.4, "999 ms"), (1_240.0, "1.24 s")] {
            assert_eq!(millis(ms), text);
        }
    }

    #[test]
    fn days_are_named_where_they_differ() {
        let at = |text| Instant::parse(text).expect("a time");
        let late = at("2026-11-20T23:58:00Z");
        assert_eq!(between(late, at("2026-11-20T23:59:00Z")), "23:58–23:59 UTC");
        assert_eq!(between(late, at("2026-11-21T00:04:00Z")), "2026-11-20 23:58–2026-11-21 00:04 UTC");
    }
}
