//! The steps of a probe and the time each took.

use serde::{Deserialize, Serialize};

/// One step on the way to an answer, in the order in which they happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Resolve,
    Connect,
    Tls,
    Send,
    Wait,
    Receive,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Phase; 6] =
        [Phase::Resolve, Phase::Connect, Phase::Tls, Phase::Send, Phase::Wait, Phase::Receive];

    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Phase::Resolve => "resolve",
            Phase::Connect => "connect",
            Phase::Tls => "tls",
            Phase::Send => "send",
            Phase::Wait => "wait",
            Phase::Receive => "receive",
        }
    }
}

/// Microseconds per phase; 0 where a phase did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases(pub [u32; 6]);

impl Phases {
    /// The time of one phase.
    pub fn get(&self, phase: Phase) -> u32 {
        self.0[phase as usize]
    }

    /// Adds to a phase; hops of a redirect add up.
    pub fn add(&mut self, phase: Phase, us: u32) {
        let slot = &mut self.0[phase as usize];
        *slot = slot.saturating_add(us);
    }

    /// The sum over all phases.
    pub fn total(&self) -> u32 {
        self.0.iter().fold(0, |sum, us| sum.saturating_add(*us))
    }
}
