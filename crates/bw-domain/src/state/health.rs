//! Health and mode, and the one word that people see.

use serde::{Deserialize, Serialize};

/// What the outcomes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Health {
    Unknown,
    Up,
    Down,
}

impl Health {
    /// `UP`, `DOWN`, `UNKNOWN`.
    pub const fn word(self) -> &'static str {
        match self {
            Health::Unknown => "UNKNOWN",
            Health::Up => "UP",
            Health::Down => "DOWN",
        }
    }

    /// The inverse of [`Health::word`], in any case.
    pub fn parse(word: &str) -> Option<Self> {
        [Health::Unknown, Health::Up, Health::Down].into_iter().find(|h| h.word().eq_ignore_ascii_case(word))
    }
}

/// What the user wants: it silences and excludes, and never changes the health of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Active,
    Paused,
    Maintenance,
}

impl Mode {
    /// `active`, `paused`, `maintenance`.
    pub const fn word(self) -> &'static str {
        match self {
            Mode::Active => "active",
            Mode::Paused => "paused",
            Mode::Maintenance => "maintenance",
        }
    }
}

/// The word shown: the mode unless active.
pub const fn shown(health: Health, mode: Mode) -> &'static str {
    match mode {
        Mode::Active => health.word(),
        Mode::Paused => "PAUSED",
        Mode::Maintenance => "MAINTENANCE",
    }
}
