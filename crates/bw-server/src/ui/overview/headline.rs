//! The first line: is anything wrong? Names while they fit, numbers beyond.

use crate::ui::words;
use bw_domain::time::{Duration, Instant};
use bw_engine::usecase::monitors::Shown;

/// The answer in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    pub icon: &'static str,
    pub text: String,
    pub detail: String,
}

/// A monitor that is down, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub name: String,
    pub since: Instant,
}

impl Headline {
    /// Reads it off the counts of all monitors. `broken`: some of those that are down; `told`: who knows of it.
    pub fn of(count: impl Fn(Shown) -> usize, broken: &[Broken], told: &str, now: Instant) -> Self {
        let all = Shown::ALL.into_iter().map(&count).sum();
        let (up, down, unknown) = (count(Shown::Up), count(Shown::Down), count(Shown::Unknown));
        let mut detail = if up == all { String::new() } else { tally(&count, all) };
        if down > 0 {
            if !told.is_empty() {
                detail = format!("{detail} {}.", words::sentence(told));
            }
            return Headline { icon: "down", text: trouble(down, broken, now), detail };
        }
        let (icon, text) = if all == 0 {
            ("unknown", "Nothing is watched yet".to_owned())
        } else if up == all {
            let text = if all == 1 {
                "The one monitor is up".to_owned()
            } else {
                format!("All {} are up", words::counted(all, "monitor"))
            };
            ("up", text)
        } else if unknown > 0 {
            ("unknown", format!("Nothing is known to be down, {} not known", unseen(unknown)))
        } else if up > 0 {
            ("up", "Everything that is watched is up".to_owned())
        } else {
            ("paused", "Nothing is watched at present".to_owned())
        };
        Headline { icon, text, detail }
    }
}

fn trouble(down: usize, broken: &[Broken], now: Instant) -> String {
    match broken {
        [only] if down == 1 => format!("{} has been down for {}", only.name, words::long(lasted(only, now))),
        some if some.len() == down && down <= 3 => {
            let names: Vec<&str> = some.iter().map(|broken| broken.name.as_str()).collect();
            format!("{} are down", words::listed(&names, 3))
        }
        _ => format!("{} are down", words::counted(down, "monitor")),
    }
}

fn unseen(unknown: usize) -> String {
    if unknown == 1 {
        "1 monitor is".to_owned()
    } else {
        format!("{} are", words::counted(unknown, "monitor"))
    }
}

fn lasted(broken: &Broken, now: Instant) -> Duration {
    now.since(broken.since)
}

/// `214 of 217 up, 1 unknown, 2 paused.`
fn tally(count: impl Fn(Shown) -> usize, all: usize) -> String {
    let number = |shown| words::number(count(shown) as u64);
    let mut text = format!("{} of {} up", number(Shown::Up), words::number(all as u64));
    for shown in [Shown::Unknown, Shown::Maintenance, Shown::Paused] {
        if count(shown) > 0 {
            text.push_str(&format!(", {} {}", number(shown), shown.word().to_lowercase()));
        }
    }
    text.push('.');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts in the order down, unknown, maintenance, up, paused; who is broken; the line and its detail.
    fn check(counts: [usize; 5], broken: &[&str], text: &str, detail: &str) {
        let now = Instant::from_ms(1_000_000);
        let broken: Vec<Broken> = broken
            .iter()
            .map(|name| Broken { name: (*name).into(), since: now - Duration::from_secs(250) })
            .collect();
        let seen = Headline::of(|shown| counts[shown as usize], &broken, "ops was told at 10:31 UTC", now);
        assert_eq!((seen.text.as_str(), seen.detail.as_str()), (text, detail));
    }

    #[test]
    fn first_lines() {
        let told = "1 of 3 up. Ops was told at 10:31 UTC.";
        check([0; 5], &[], "Nothing is watched yet", "");
        check([0, 0, 0, 1, 0], &[], "The one monitor is up", "");
        check([0, 0, 0, 217, 0], &[], "All 217 monitors are up", "");
        check(
            [1, 0, 0, 214, 2],
            &["Shop"],
            "Shop has been down for 4 minutes",
            "214 of 217 up, 2 paused. Ops was told at 10:31 UTC.",
        );
        check([2, 0, 0, 1, 0], &["Shop", "Mail"], "Shop and Mail are down", told);
        check(
            [40, 0, 0, 1, 0],
            &["Shop", "Mail"],
            "40 monitors are down",
            "1 of 41 up. Ops was told at 10:31 UTC.",
        );
        check(
            [0, 1, 0, 1, 0],
            &[],
            "Nothing is known to be down, 1 monitor is not known",
            "1 of 2 up, 1 unknown.",
        );
        check(
            [0, 0, 1, 1, 1],
            &[],
            "Everything that is watched is up",
            "1 of 3 up, 1 maintenance, 1 paused.",
        );
        check([0, 0, 0, 0, 2], &[], "Nothing is watched at present", "0 of 2 up, 2 paused.");
    }
}
