//! When a check went up and down.

use super::mistake::Mistake;
use super::times;
use crate::App;
use bw_domain::id::MonitorId;
use bw_domain::limits::PAGE_MAX;
use bw_domain::state::Health;
use bw_domain::time::{Duration, Instant};
use bw_engine::usecase::outcomes;
use serde::Serialize;

/// The largest `seconds`: a year.
const SECONDS_MAX: i64 = 31_536_000;
/// The latest `start` and `end`: in the year 2286, as the original has it.
const STAMP_MAX: i64 = 10_000_000_000;

/// `{"flips": […]}`, newest first. The documentation of the original shows the bare list; its server sends this.
#[derive(Serialize)]
pub struct Flips {
    flips: Vec<Flip>,
}

#[derive(Serialize)]
struct Flip {
    timestamp: String,
    up: u8,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    from: Instant,
    before: Instant,
}

impl Filter {
    /// Reads the query; other parameters are passed over, and of one that is given twice the last counts.
    pub fn read(query: &str, now: Instant) -> Result<Filter, Mistake> {
        let mut filter = Filter { from: Instant::ZERO, before: Instant::MAX };
        let (mut start, mut end, mut seconds) = (None, None, None);
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "start" => start = Some(value),
                "end" => end = Some(value),
                "seconds" => seconds = Some(value),
                _ => {}
            }
        }
        let number = |text: &str, most: i64| {
            let number = text.trim().parse::<i64>().ok().filter(|number| (0..=most).contains(number));
            number.ok_or(Mistake::BadFilter)
        };
        if let Some(text) = start {
            filter.from = Instant::from_ms(number(&text, STAMP_MAX)? * 1_000);
        }
        if let Some(text) = end {
            filter.before = Instant::from_ms(number(&text, STAMP_MAX)? * 1_000);
        }
        if let Some(text) = seconds.filter(|text| !text.is_empty()) {
            let ago = Duration::from_secs(number(&text, SECONDS_MAX)? as u64);
            // None at all is no filter there.
            filter.from = if ago.is_zero() { filter.from } else { filter.from.max(now - ago) };
        }
        Ok(filter)
    }
}

/// The flips of a check. That nothing is known of it is none.
pub async fn list(app: &App, id: MonitorId, filter: Filter) -> Result<Flips, Mistake> {
    let rows = outcomes::transitions(&app.services, id, PAGE_MAX).await?;
    let flips = rows.into_iter().filter(|row| row.since >= filter.from && row.since < filter.before);
    let flip = |(at, health)| match health {
        Health::Up => Some(Flip { timestamp: times::whole(at), up: 1 }),
        Health::Down => Some(Flip { timestamp: times::whole(at), up: 0 }),
        Health::Unknown => None,
    };
    Ok(Flips { flips: flips.filter_map(|row| flip((row.since, row.to))).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        let now = Instant::from_ms(1_000_000_000_000);
        let at = Instant::from_ms;
        for (query, expected) in [
            ("", Some((0, Instant::MAX.ms()))),
            ("start=5&end=7", Some((5_000, 7_000))),
            ("seconds=10&x=y", Some((999_999_990_000, Instant::MAX.ms()))),
            ("seconds=", Some((0, Instant::MAX.ms()))),
            ("seconds=0", Some((0, Instant::MAX.ms()))),
            ("start=1&start=2", Some((2_000, Instant::MAX.ms()))),
            ("start=", None),
            ("start=yesterday", None),
            ("start=-1", None),
            ("end=10000000001", None),
            ("seconds=31536001", None),
            ("seconds=1.5", None),
        ] {
            let expected = expected.map(|(from, before)| Filter { from: at(from), before: at(before) });
            assert_eq!(Filter::read(query, now).ok(), expected, "{query}");
        }
    }
}
