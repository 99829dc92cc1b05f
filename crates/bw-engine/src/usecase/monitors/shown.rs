//! The one word that people see of a monitor: its health, or its mode unless active.

use bw_domain::state::{Health, Mode};

/// That word. The order is that of urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shown {
    Down,
    Unknown,
    Maintenance,
    Up,
    Paused,
}

impl Shown {
    /// All of them, the most urgent first.
    pub const ALL: [Shown; 5] = [Shown::Down, Shown::Unknown, Shown::Maintenance, Shown::Up, Shown::Paused];

    /// The word of a health under a mode.
    pub const fn of(health: Health, mode: Mode) -> Self {
        match (mode, health) {
            (Mode::Paused, _) => Shown::Paused,
            (Mode::Maintenance, _) => Shown::Maintenance,
            (Mode::Active, Health::Down) => Shown::Down,
            (Mode::Active, Health::Unknown) => Shown::Unknown,
            (Mode::Active, Health::Up) => Shown::Up,
        }
    }

    /// `DOWN`, `UNKNOWN`, `MAINTENANCE`, `UP`, `PAUSED`.
    pub const fn word(self) -> &'static str {
        match self {
            Shown::Down => "DOWN",
            Shown::Unknown => "UNKNOWN",
            Shown::Maintenance => "MAINTENANCE",
            Shown::Up => "UP",
            Shown::Paused => "PAUSED",
        }
    }

    /// The inverse of [`Shown::word`], in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Shown::ALL.into_iter().find(|shown| shown.word().eq_ignore_ascii_case(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::state::shown;

    #[test]
    fn is_the_word_of_the_domain() {
        for health in [Health::Unknown, Health::Up, Health::Down] {
            for mode in [Mode::Active, Mode::Paused, Mode::Maintenance] {
                let seen = Shown::of(health, mode);
                assert_eq!(seen.word(), shown(health, mode));
                assert_eq!(Shown::parse(&seen.word().to_lowercase()), Some(seen));
            }
        }
    }
}
