//! What was last seen of a monitor, a cell for each of its vantages. One row a monitor: its `seq` is the fence of
//! every decision, so two vantages that answer at once cannot both decide from half of the votes.

use super::recent::Recent;
use crate::job::OutcomeKey;
use crate::monitor::Vantage;
use crate::outcome::{Code, Outcome, Verdict};
use crate::time::{Duration, Instant};

/// The row of one monitor.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Observed {
    /// Counts every change of this row or of the state: a decision commits only on the one that it was made from.
    pub seq: u64,
    /// In the order of the vantages' first outcomes.
    /// Not inside the row: a heartbeat never has one, and a cell is large.
    pub cells: Vec<Cell>,
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

/// The part of an outcome that a cell takes in.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub vantage: Vantage,
    pub revision: u32,
    pub slot: Instant,
    pub r#try: u8,
    pub at: Instant,
    pub verdict: Verdict,
    pub code: Code,
    pub latency_us: u32,
}

impl Seen {
    /// Of a fresh outcome.
    pub fn of(outcome: &Outcome) -> Self {
        let job = &outcome.job;
        Seen {
            vantage: job.vantage,
            revision: job.revision,
            slot: job.slot,
            r#try: job.r#try,
            at: outcome.at,
            verdict: outcome.verdict,
            code: outcome.code,
            latency_us: outcome.latency_us,
        }
    }
}

impl Cell {
    /// The cell of a vantage that has seen nothing yet.
    pub fn blank(seen: &Seen) -> Self {
        Cell {
            vantage: seen.vantage,
            revision: seen.revision,
            slot: Instant::ZERO,
            r#try: 0,
            at: seen.at,
            verdict: Verdict::Inconclusive,
            code: seen.code,
            latency_us: 0,
            streak: 0,
            conclusive_at: Instant::ZERO,
            certificate: 0,
            recent: Recent::default(),
        }
    }

    /// Whether it stands before the round: only then an outcome of the round counts.
    pub fn is_before(&self, slot: Instant, r#try: u8) -> bool {
        (self.slot, self.r#try) < (slot, r#try)
    }

    /// An outcome of the grid takes its place among the recent slots, whether it counts or not.
    pub fn place(&mut self, seen: &Seen, every: Duration) {
        if seen.r#try == 0 {
            self.recent.put(seen.slot, every, seen.verdict, seen.latency_us);
        }
    }

    /// An outcome that counts moves the cell on. The store repeats this after a restart: nothing else of an outcome
    /// may move a cell, but its certificate, with which the row is written whole.
    pub fn count(&mut self, seen: &Seen) {
        self.revision = seen.revision;
        self.slot = seen.slot;
        self.r#try = seen.r#try;
        self.at = seen.at;
        self.verdict = seen.verdict;
        self.code = seen.code;
        self.latency_us = seen.latency_us;
        match seen.verdict {
            Verdict::Pass => self.streak = self.streak.max(0).saturating_add(1),
            Verdict::Fail => self.streak = self.streak.min(0).saturating_sub(1),
            Verdict::Inconclusive => {}
        }
        if seen.verdict != Verdict::Inconclusive {
            self.conclusive_at = seen.at;
        }
    }
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
