//! One pulse as the dashboard and the edit page show it. Overdue means what the original's documentation said: more
//! than the threshold of counted time has passed since the last pulse. While the clock is held because we could not
//! hear, nothing becomes overdue.

use crate::ui::markup::Markup;
use crate::ui::words;
use bw_domain::beat::{Counted, PulseKey};
use bw_domain::id::Uuid;
use bw_domain::monitor::Spec;
use bw_domain::time::{Day, Duration, Instant};
use bw_engine::usecase::monitors::MonitorView;
use std::sync::Arc;

/// Milliseconds of the unit in which thresholds are written.
const HOUR_MS: u64 = 3_600_000;

/// One pulse.
pub(super) struct Row {
    spec: Arc<Spec>,
    /// The last pulse; nothing before the first.
    pub last: Option<Instant>,
    /// Counted time since then.
    pub counted: Option<Duration>,
    pub threshold: Option<Duration>,
    pub saturday: Saturday,
    pub overdue: bool,
    pub paused: bool,
}

/// Whether Saturdays count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saturday {
    Excluded,
    Included,
    /// All days count, Sundays too: nothing that the original knew.
    AllDays,
}

impl Saturday {
    fn of(spec: &Spec) -> Self {
        match spec.declared.heartbeat().and_then(|heartbeat| heartbeat.terms.count).unwrap_or_default() {
            Counted::Weekdays => Saturday::Excluded,
            Counted::WeekdaysAndSaturday => Saturday::Included,
            Counted::All => Saturday::AllDays,
        }
    }

    /// As it is shown: `0`, `1`, or `all`.
    pub fn word(self) -> &'static str {
        match self {
            Saturday::Excluded => "0",
            Saturday::Included => "1",
            Saturday::AllDays => "all",
        }
    }
}

impl Row {
    /// Its address here.
    pub fn uuid(&self) -> Uuid {
        self.spec.uuid
    }

    /// Who pulses.
    pub fn pulse(&self) -> &PulseKey {
        let heartbeat = self.spec.declared.heartbeat();
        heartbeat.and_then(|heartbeat| heartbeat.pulse()).expect("a row is made of a pulse")
    }

    /// Nothing for what is no pulse.
    pub fn of(view: &MonitorView, now: Instant) -> Option<Self> {
        view.spec.declared.heartbeat()?.pulse()?;
        let terms = &view.spec.beats()?.terms;
        let (standing, counting) = (view.standing(now)?, terms.cadence.counting());
        let last = view.track.as_ref().and_then(|track| track.last_beat);
        let paused = !view.spec.enabled;
        // By the rule, and not before what was decided for a time in which we were deaf.
        let exceeded = standing.last.and_then(|last| terms.missed(last)).is_some_and(|missed| now >= missed);
        let held = standing.deadline.is_some_and(|deadline| now < deadline);
        Some(Row {
            spec: view.spec.clone(),
            last,
            counted: last.map(|last| counting.elapsed(last, now)),
            threshold: terms.cadence.interval(),
            saturday: Saturday::of(&view.spec),
            overdue: exceeded && !held && !paused,
            paused,
        })
    }

    /// Counted time less the threshold, in hours: the larger, the later.
    pub fn delta(&self) -> Option<f64> {
        let threshold = self.threshold?.as_millis() as f64 / HOUR_MS as f64;
        self.counted.map(|counted| whole_hours(counted) as f64 - threshold)
    }

    /// The same as it is shown.
    pub fn delta_text(&self) -> String {
        self.delta().map_or_else(|| "–".to_owned(), |delta| trimmed((delta * 1_000.0).round() / 1_000.0))
    }

    /// When, in the zone of the heartbeat and in the German form, and how many whole hours of counted time ago.
    pub fn since(&self) -> Markup {
        let (Some(last), Some(counted), Some(agreement)) = (self.last, self.counted, self.spec.beats())
        else {
            return Markup("no pulse yet".to_owned());
        };
        let local = agreement.terms.cadence.counting().zone().local(last);
        let (year, month, day) = Day::of_local(local).date();
        let clock = &Instant::from_ms(local).to_string()[11..19];
        words::time(last, &format!("{day}.{month}.{year}, {clock} / {}h", whole_hours(counted)))
    }

    /// In hours, as it is written into the form.
    pub fn threshold_text(&self) -> String {
        self.threshold.map_or_else(|| "–".to_owned(), hours)
    }
}

/// Hours with no more digits than are needed: `24`, `1.5`.
pub(super) fn hours(duration: Duration) -> String {
    trimmed(duration.as_millis() as f64 / HOUR_MS as f64)
}

/// Reads hours with fractions.
pub(super) fn read_hours(text: &str) -> Option<Duration> {
    let hours: f64 = text.trim().parse().ok()?;
    let ms = (hours * HOUR_MS as f64).round();
    (1.0..1e14).contains(&ms).then(|| Duration::from_millis(ms as u64))
}

fn trimmed(number: f64) -> String {
    // No negative zero.
    format!("{}", number + 0.0)
}

/// Rounded, as the original did.
fn whole_hours(duration: Duration) -> u64 {
    (duration.as_millis() as u64 + HOUR_MS / 2) / HOUR_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_and_written() {
        for (text, ms) in [
            ("24", Some(86_400_000)),
            ("1.5", Some(5_400_000)),
            (" .25 ", Some(900_000)),
            ("0", None),
            ("-1", None),
            ("", None),
            ("1,5", None),
            ("NaN", None),
            ("inf", None),
            ("1e300", None),
            ("a day", None),
        ] {
            assert_eq!(read_hours(text), ms.map(Duration::from_millis), "{text}");
        }
        assert_eq!(hours(Duration::from_millis(86_400_000)), "24");
        assert_eq!(hours(Duration::from_millis(5_400_000)), "1.5");
        assert_eq!(whole_hours(Duration::from_millis(86_399_999)), 24);
        assert_eq!(trimmed(-0.0), "0");
    }
}
