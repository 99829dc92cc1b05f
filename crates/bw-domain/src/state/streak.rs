//! Rounds in a row towards another health.

use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// Which way a streak leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Toward {
    Down,
    Up,
}

/// Rounds of one kind in a row, not yet enough to change the health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streak {
    pub toward: Toward,
    pub rounds: u16,
    /// When the first probe of the first round began: a change of health is back-dated to it.
    pub first_at: Instant,
    /// When the last counted round ended: a streak that is too old is forgotten.
    pub last_at: Instant,
}
