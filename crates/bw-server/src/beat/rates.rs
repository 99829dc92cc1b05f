//! How often a job may report, and how often somebody may be wrong or new. Each bound has its reason beside it; there is
//! none over all heartbeats together.

use super::buckets::{Buckets, Rate};
use bw_domain::id::MonitorId;
use std::net::IpAddr;
use std::time::Duration;

/// Beats of one heartbeat: five a second, and sixty at once for a job that starts many runs together. What the clients of
/// the originals do stays far below; a loop gone wild must not fill the store. This machine is not excepted: it is where
/// such loops run.
const BEATS: Rate = Rate { every: Duration::from_millis(200), burst: 60 };

/// Beats of one address for heartbeats that are not known here: each asks the store once more. Jobs behind one address
/// whose heartbeats were deleted may go on for a while; who guesses may not.
const UNKNOWN: Rate = Rate { every: Duration::from_millis(200), burst: 100 };

/// Heartbeats that one address makes by its first beats: a thousand jobs that move here at once, then one a second.
const MADE: Rate = Rate { every: Duration::from_secs(1), burst: 1_000 };

/// All bounds.
pub struct Rates {
    beats: Buckets<MonitorId>,
    unknown: Buckets<IpAddr>,
    made: Buckets<IpAddr>,
}

impl Default for Rates {
    fn default() -> Self {
        Rates { beats: Buckets::new(BEATS), unknown: Buckets::new(UNKNOWN), made: Buckets::new(MADE) }
    }
}

impl Rates {
    /// A beat of this heartbeat.
    pub(super) fn beat(&self, monitor: MonitorId, now: Duration) -> Result<(), Duration> {
        self.beats.take(monitor, now)
    }

    /// A beat of this address for a heartbeat that is not known here.
    pub(super) fn unknown(&self, from: IpAddr, now: Duration) -> Result<(), Duration> {
        self.of_address(&self.unknown, from, now)
    }

    /// A heartbeat that a first beat of this address makes.
    pub(super) fn made(&self, from: IpAddr, now: Duration) -> Result<(), Duration> {
        self.of_address(&self.made, from, now)
    }

    /// This machine itself is not counted, as at the other doors.
    fn of_address(&self, buckets: &Buckets<IpAddr>, from: IpAddr, now: Duration) -> Result<(), Duration> {
        if from.is_loopback() { Ok(()) } else { buckets.take(crate::auth::whole_net(from), now) }
    }
}
