//! Heartbeats: jobs report, and silence is what speaks. The rules only: when a beat is expected, what it says, and from
//! when on its absence counts.

mod agreement;

mod cadence;
mod counted;
mod cron;
mod deadline;
mod held;
mod holidays;
mod message;
mod mistake;
mod on_calendar;
mod pattern;
mod pulse;
mod signal;
mod standing;
mod track;
mod zone_guess;

#[cfg(test)]
mod tests;

pub use agreement::Agreement;
pub use cadence::{Assigned, Cadence, Schedule};
pub use counted::{Counted, Counting};
pub use cron::Cron;
pub use deadline::{Facts, Grace, Kind, Status, Terms};
pub use held::{Deaf, Held};
pub use holidays::{HolidayMistake, holidays};
pub use message::{Beat, Via};
pub use mistake::Mistake;
pub use on_calendar::OnCalendar;
pub use pulse::PulseKey;
pub use signal::{Classified, Keywords, RunId, Signal};
pub use standing::Standing;
pub use track::{Fell, Run, Taken, Track};
pub use zone_guess::{ZoneGuess, guess};
