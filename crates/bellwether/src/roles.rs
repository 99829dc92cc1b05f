//! Which role a process has: the one file that knows. There is one role, everything; those of a fleet come with its
//! store and queue. What belongs to a role stands in the table of tasks.

use crate::supervise::has_role;
use bw_engine::vitals::LoopName;

/// What a process is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// All loops, listeners and the configuration file.
    Serve,
}

impl Role {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Role::Serve => "serve",
        }
    }

    /// Its loops.
    pub fn loops(self) -> Vec<LoopName> {
        LoopName::ALL.into_iter().filter(|name| has_role(*name, self)).collect()
    }
}
