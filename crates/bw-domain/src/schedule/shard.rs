//! The installation's work in 64 parts, for ever.

use crate::id::MonitorId;
use crate::limits::SHARDS;

/// The shard of a monitor.
pub fn shard_of(id: MonitorId) -> u16 {
    id.0.rem_euclid(i64::from(SHARDS)) as u16
}
