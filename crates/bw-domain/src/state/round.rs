//! A repeat under way: who was asked, when each is to look, and when the votes are counted at the latest.

use crate::monitor::Vantage;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// One repeat after a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// The slot that it repeats.
    pub slot: Instant,
    /// 1…: 0 is the slot itself.
    pub r#try: u8,
    pub asked: SmallVec<[Ask; 1]>,
    /// With the votes that are there by then the round is closed.
    pub ends: Instant,
}

/// One vantage of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    pub vantage: Vantage,
    /// When its probe begins.
    pub due: Instant,
    /// Whether the job was handed to the queue.
    pub published: bool,
}

impl Round {
    /// The next instant at which something is to be done for this round.
    pub fn next(&self) -> Instant {
        self.asked.iter().filter(|ask| !ask.published).map(|ask| ask.due).min().unwrap_or(self.ends)
    }
}
