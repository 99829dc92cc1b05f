//! The two watermarks of each shard, and the gaps in which nobody planned.

use super::Answered;
use crate::outcome::Code;
use crate::time::Instant;

/// How far a shard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    pub shard: u16,
    /// Every slot up to here was handed to the queue, or lies in a gap.
    pub published: Instant,
    /// Every slot up to here has an outcome, or lies in a gap.
    pub accounted: Instant,
}

/// Which of the two moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watermark {
    Published,
    Accounted,
}

/// An interval of a shard: each slot in (from, to] without an outcome of its own is inconclusive with this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub shard: u16,
    pub from: Instant,
    pub to: Instant,
    pub code: Code,
}

/// Watermarks. Every write is refused (`false`) when the epoch is no longer the shard's.
pub trait Accounts: Send + Sync {
    /// The marks of these shards; a shard that never planned has both at the installation's first start.
    fn watermarks(&self, shards: Vec<u16>) -> Answered<'_, Vec<Watermarks>>;

    /// Moves marks forward, never back: (shard, epoch, which, to).
    fn advance(&self, moves: Vec<(u16, u64, Watermark, Instant)>) -> Answered<'_, Vec<bool>>;

    /// Records gaps and moves both marks to their ends, in one transaction: (epoch, gap).
    fn gap(&self, gaps: Vec<(u64, Gap)>) -> Answered<'_, Vec<bool>>;
}
