//! What must be true of every past, a file each. A violation is a sentence.

mod accounted;
mod acknowledged;
mod delivered;
mod detection;
mod duplicates;
mod failed;
mod fence;
mod incidents;
mod kept;
mod lag;
mod noticed;
mod order;
mod pause;
mod quiet;
mod required;
mod silence;
mod states;
mod steady;
mod timers;
mod told;
mod truth;
mod uptime;
mod well;

use crate::past::Past;

/// One of them.
pub struct Invariant {
    pub name: &'static str,
    pub holds: fn(&Past) -> Result<(), String>,
}

macro_rules! invariants {
    ($($name:ident),* $(,)?) => {
        /// All of them.
        pub const ALL: &[Invariant] = &[$(Invariant { name: stringify!($name), holds: $name::holds }),*];
    };
}

invariants!(
    accounted,
    acknowledged,
    delivered,
    detection,
    duplicates,
    failed,
    fence,
    incidents,
    kept,
    lag,
    noticed,
    order,
    pause,
    quiet,
    required,
    silence,
    states,
    steady,
    timers,
    told,
    truth,
    uptime,
    well,
);

/// One that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub invariant: &'static str,
    pub sentence: String,
}

/// The invariants that do not hold of this past.
pub fn violations(past: &Past) -> Vec<Violation> {
    if let Some(trouble) = &past.trouble {
        return vec![Violation { invariant: "alive", sentence: trouble.0.clone() }];
    }
    let broken = |invariant: &Invariant| {
        let sentence = (invariant.holds)(past).err()?;
        Some(Violation { invariant: invariant.name, sentence })
    };
    ALL.iter().filter_map(broken).collect()
}
