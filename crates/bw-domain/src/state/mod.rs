//! Health, and the one function that changes it. `Observed` moves with every counted outcome and carries the
//! fence; `State` is written only when it changes.

mod draft;
mod event;
mod health;
mod machine;
mod observed;
mod quorum;
mod recent;
mod round;
mod silence;
mod streak;
mod tell;

pub use event::{Cause, Context, Step, Transition, Trigger};
pub use health::{Health, Mode, shown};
pub use machine::step;
pub use observed::{Cell, Observed, Seen};
pub use quorum::{RoundResult, Vote, decide};
pub use recent::{Recent, RecentSlot};
pub use round::{Ask, Round};
pub use silence::Heard;
pub use streak::{Streak, Toward};

use crate::event::IncidentFacts;
use crate::id::IncidentId;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// What is believed of a monitor, and what is under way to change the belief.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub health: Health,
    /// Since when; back-dated to the first probe of the streak that decided.
    pub since: Instant,
    /// The last health that was not UNKNOWN: only a change of this is spoken about.
    pub known: Option<Health>,
    /// The revision that streak and round belong to.
    pub revision: u32,
    pub streak: Option<Streak>,
    pub round: Option<Round>,
    pub incident: Option<IncidentId>,
    /// What the open incident was when it opened, for what is said when it closes.
    #[serde(default)]
    pub opened: Option<Box<IncidentFacts>>,
    /// Set while nothing conclusive arrives: then health becomes UNKNOWN.
    pub stale_at: Option<Instant>,
    /// A heartbeat is expected anew from here, whatever came before: since it was resumed or edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Instant>,
    /// A heartbeat whose rules look back was edited: its silence is judged anew, and may be none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reconsider: bool,
}

impl State {
    /// A monitor nobody has looked at.
    pub fn new(since: Instant, revision: u32) -> Self {
        State {
            health: Health::Unknown,
            since,
            known: None,
            revision,
            streak: None,
            round: None,
            incident: None,
            opened: None,
            stale_at: None,
            base: None,
            reconsider: false,
        }
    }

    /// When the monitor next wants attention without an outcome: its timer.
    pub fn timer(&self) -> Option<Instant> {
        let round = self.round.as_ref().map(Round::next);
        [round, self.stale_at].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
