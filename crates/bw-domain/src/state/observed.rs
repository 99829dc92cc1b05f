//! What was last seen of a monitor, a cell for each of its vantages. One row a monitor: its `seq` is the fence of
//! every decision, so two vantages that answer at once cannot both decide from half of the votes.

use super::recent::Recent;
use crate::job::OutcomeKey;
use crate::monitor::Vantage;
use crate::outcome::{Code, Verdict};
use crate::time::Instant;
use smallvec::SmallVec;

/// The row of one monitor.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Observed {
    /// Counts every change of this row or of the state: a decision commits only on the one that it was made from.
    pub seq: u64,
    /// In the order of the vantages' first outcomes.
    pub cells: SmallVec<[Cell; 1]>,
}

/// The last things one vantage saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    pub vantage: Vantage,
    /// The revision of the last applied outcome.
    pub revision: u32,
    /// The last applied round: outcomes that are not after it count nothing.
    pub slot: Instant,
    pub r#try: u8,
    /// When its probe began.
    pub at: Instant,
    pub verdict: Verdict,
    pub code: Code,
    pub latency_us: u32,
    /// Passes in a row when positive, fails in a row when negative; inconclusive moves nothing. Without bound.
    pub streak: i32,
    /// When the last pass or fail began.
    pub conclusive_at: Instant,
    /// The mark of the certificate last seen, 0 when none.
    pub certificate: u64,
    /// The last slots: verdicts and latencies.
    pub recent: Recent,
}

impl Observed {
    /// The cell of a vantage.
    pub fn cell(&self, vantage: Vantage) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.vantage == vantage)
    }

    /// The begin of the last pass or fail at any vantage.
    pub fn conclusive_at(&self) -> Option<Instant> {
        self.cells.iter().map(|cell| cell.conclusive_at).filter(|at| *at > Instant::ZERO).max()
    }

    /// The begin of the last probe at any vantage.
    pub fn last_at(&self) -> Option<Instant> {
        self.cells.iter().map(|cell| cell.at).max()
    }

    /// Whether the outcome is surely known already. `None`: too old for this row to say, ask the outcomes.
    pub fn has(&self, key: &OutcomeKey) -> Option<bool> {
        let cell = match self.cell(key.vantage) {
            Some(cell) => cell,
            None => return Some(false),
        };
        if (key.slot, key.r#try) == (cell.slot, cell.r#try) {
            return Some(true);
        }
        if (key.slot, key.r#try) > (cell.slot, cell.r#try) {
            return Some(false);
        }
        if key.r#try == 0 { cell.recent.has(key.slot) } else { None }
    }
}
