//! Which node plans which shards, with a fence: an epoch grows with every change of the holder.

use super::Answered;
use crate::time::{Duration, Instant};

/// One running process, from its start to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u128);

/// A shard that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub shard: u16,
    pub epoch: u64,
    /// On the store's clock.
    pub until: Instant,
}

/// Leases of shards.
pub trait Leases: Send + Sync {
    /// Renews what the node holds and takes what is free, up to its fair share. Answers all that it holds now,
    /// and the store's clock.
    fn hold(&self, node: NodeId, term: Duration) -> Answered<'_, (Vec<Held>, Instant)>;

    /// Gives everything back.
    fn release(&self, node: NodeId) -> Answered<'_, ()>;
}
