//! The closed list of kinds, and how serious one is.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! kinds {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EventKind {
            $(#[serde(rename = $text)] #[doc = $text] $name),*
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [EventKind] = &[$(EventKind::$name),*];

            /// The dotted name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(EventKind::$name => $text),*
                }
            }
        }
    };
}

kinds! {
    MonitorChanged = "monitor.changed",
    IncidentOpened = "incident.opened",
    IncidentUpdated = "incident.updated",
    IncidentAcknowledged = "incident.acknowledged",
    IncidentClosed = "incident.closed",
    PulseOverdue = "pulse.overdue",
    PulseRecovered = "pulse.recovered",
    LocationBlind = "location.blind",
    LocationBack = "location.back",
    DeliveryDead = "delivery.dead",
    SystemLag = "system.lag",
    SystemQueue = "system.queue",
    SystemStore = "system.store",
    SystemClock = "system.clock",
    SystemConfig = "system.config",
}

impl EventKind {
    /// True for `incident.*`: what declared actions hear unless routes say otherwise.
    pub fn is_incident(self) -> bool {
        self.name().starts_with("incident.")
    }

    /// True for `pulse.*`: what `monitor` of the heartbeat service tells, and nobody else hears.
    pub fn is_pulse(self) -> bool {
        self.name().starts_with("pulse.")
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How serious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Warning,
    Critical,
}
