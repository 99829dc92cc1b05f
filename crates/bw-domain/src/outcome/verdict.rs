//! The three verdicts. Only *fail* can move a monitor towards DOWN; our own trouble is *inconclusive*.

use serde::{Deserialize, Serialize};

/// What a probe says of its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Pass,
    Fail,
    Inconclusive,
}

impl Verdict {
    /// The word shown to people and machines.
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Inconclusive => "inconclusive",
        }
    }

    /// The small number that rows and strips carry; 0 means that there is no verdict yet.
    pub const fn number(self) -> u8 {
        match self {
            Verdict::Pass => 1,
            Verdict::Fail => 2,
            Verdict::Inconclusive => 3,
        }
    }

    /// The inverse of [`Verdict::number`].
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Verdict::Pass),
            2 => Some(Verdict::Fail),
            3 => Some(Verdict::Inconclusive),
            _ => None,
        }
    }
}
