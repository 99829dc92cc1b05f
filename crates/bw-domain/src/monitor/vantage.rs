//! From where a probe looks: a location and an address family.

use serde::{Deserialize, Serialize};

/// A place from which probes run. `0` is `local`, the place of the process itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LocationId(pub u16);

/// The place of the process itself, always there.
pub const LOCAL: LocationId = LocationId(0);

/// Which addresses a probe may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Whatever the name has, IPv4 first; the address that was used is recorded.
    #[default]
    Any,
    V4,
    V6,
}

impl Family {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Family::Any => "any",
            Family::V4 => "v4",
            Family::V6 => "v6",
        }
    }
}

/// What a declaration may say of families: `both` means two vantages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Families {
    #[default]
    Any,
    V4,
    V6,
    Both,
}

impl Families {
    /// The families that are probed, each on its own.
    pub const fn each(self) -> &'static [Family] {
        match self {
            Families::Any => &[Family::Any],
            Families::V4 => &[Family::V4],
            Families::V6 => &[Family::V6],
            Families::Both => &[Family::V4, Family::V6],
        }
    }
}

/// Location × family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Vantage {
    pub location: LocationId,
    pub family: Family,
}

impl Vantage {
    /// The number that rows and messages carry.
    pub const fn number(self) -> u32 {
        (self.location.0 as u32) << 2 | self.family as u32
    }

    /// The inverse of [`Vantage::number`].
    pub const fn from_number(number: u32) -> Self {
        let family = match number & 3 {
            1 => Family::V4,
            2 => Family::V6,
            _ => Family::Any,
        };
        Vantage { location: LocationId((number >> 2) as u16), family }
    }
}
