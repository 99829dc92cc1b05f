//! The tracks in memory, packed, and when each of them wants a decision: an index that is rebuilt at start and moves
//! with every commit. A million heartbeats cost less than 200 bytes each here, together with their places in the maps.

use super::days::Place;
use super::error::Result;
use crate::track;
use bw_domain::beat::Track;
use bw_domain::id::MonitorId;
use bw_domain::port::store::Timer;
use bw_domain::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// The track of one heartbeat.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    pub place: Place,
    /// In milliseconds; the last that there is where no decision is wanted.
    due: i64,
    packed: Box<[u8]>,
}

const NEVER: i64 = i64::MAX;

impl Kept {
    /// A track, as it is from now on.
    pub fn new(track: &Track, place: Place) -> Self {
        Kept { place, due: track.due.map_or(NEVER, Instant::ms), packed: track::pack(track) }
    }

    /// A track as it was read, if it can be.
    pub fn read(packed: Box<[u8]>, place: Place) -> Result<Self> {
        let due = track::unpack(&packed)?.due.map_or(NEVER, Instant::ms);
        Ok(Kept { place, due, packed })
    }

    /// What the beats have come to.
    pub fn track(&self) -> Track {
        track::unpack(&self.packed).expect("it was packed, or tried when it was read")
    }

    /// Its bytes.
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }

    fn due(&self) -> Option<Instant> {
        (self.due != NEVER).then(|| Instant::from_ms(self.due))
    }
}

/// All of them, also of heartbeats that have ended, as long as they can be read of.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    pub kept: BTreeMap<MonitorId, Kept>,
    due: BTreeSet<Timer>,
}

impl Tracks {
    /// As they were read at start.
    pub fn new(kept: BTreeMap<MonitorId, Kept>) -> Self {
        let timer =
            |(monitor, kept): (&MonitorId, &Kept)| kept.due().map(|due| Timer { due, monitor: *monitor });
        let due = kept.iter().filter_map(timer).collect();
        Tracks { kept, due }
    }

    /// What a transaction that was committed has changed. `None`: the track goes.
    pub fn publish(&mut self, monitor: MonitorId, kept: Option<Kept>) {
        let after = kept.as_ref().and_then(Kept::due);
        let before = match kept {
            Some(kept) => self.kept.insert(monitor, kept),
            None => self.kept.remove(&monitor),
        };
        let before = before.as_ref().and_then(Kept::due);
        if before != after {
            before.map(|due| self.due.remove(&Timer { due, monitor }));
            after.map(|due| self.due.insert(Timer { due, monitor }));
        }
    }

    /// Those that want a decision by an instant, earliest first.
    pub fn due(&self, until: Instant, limit: usize) -> Vec<Timer> {
        self.due.iter().take_while(|timer| timer.due <= until).take(limit).copied().collect()
    }

    /// When the earliest wants it.
    pub fn next(&self) -> Option<Instant> {
        self.due.first().map(|timer| timer.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_track_stays_small() {
        // In the map with its key, half of a node empty at worst; its bytes in a chunk of 32 or 48; its timer.
        let map = (size_of::<Kept>() + size_of::<MonitorId>()) * 3 / 2;
        let due = size_of::<Timer>() * 3 / 2;
        assert!(map + 48 + due <= 200, "{map} + 48 + {due}");
    }
}
