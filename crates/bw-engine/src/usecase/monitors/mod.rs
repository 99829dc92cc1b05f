//! Monitors: seeing, declaring, editing, pausing, and probing them now.

mod consequence;
mod create;
mod cursor;
mod edit;
mod list;
mod probe;
mod shown;

pub(super) use consequence::{change_of, consequence, next_of, refusal, settle};
pub(super) use create::nothing_masked;
pub use create::{Create, create};
pub use edit::{delete, patch, pause, replace, resume};
pub use list::{Counts, LabelFilter, ListQuery, MonitorPage, Sort, SortKey, all, get, list};
pub use probe::{probe_draft, probe_now};
pub use shown::Shown;

use bw_domain::beat::Track;
use bw_domain::monitor::Spec;
use bw_domain::outcome::Verdict;
use bw_domain::state::{Cell, Mode, Observed, State};
use bw_domain::time::Instant;
use std::sync::Arc;

/// A monitor with what is believed and was last seen of it. Nothing in it was read from outcomes.
#[derive(Clone, Debug)]
pub struct MonitorView {
    pub spec: Arc<Spec>,
    pub state: State,
    pub observed: Observed,
    pub mode: Mode,
    /// What its beats have come to, where it is a heartbeat that ever beat.
    pub track: Option<Box<Track>>,
}

impl MonitorView {
    /// The word that people see.
    pub fn shown(&self) -> Shown {
        Shown::of(self.state.health, self.mode)
    }

    /// The vantage that was looked from last.
    pub fn last_cell(&self) -> Option<&Cell> {
        last_cell(&self.observed)
    }

    /// The last slot with an outcome.
    pub fn last_slot(&self) -> Option<Instant> {
        self.observed.cells.iter().map(|cell| cell.slot).max()
    }

    /// The latency of the last probe that measured one, in microseconds.
    pub fn latency_us(&self) -> Option<u32> {
        latency_us(&self.observed)
    }

    /// Fails and passes in a row at the vantage that saw last; one of them is zero.
    pub fn in_a_row(&self) -> (u32, u32) {
        let newest = self.observed.cells.iter().max_by_key(|cell| cell.conclusive_at);
        let streak = newest.map_or(0, |cell| cell.streak);
        if streak < 0 { (streak.unsigned_abs(), 0) } else { (0, streak.unsigned_abs()) }
    }
}

fn last_cell(observed: &Observed) -> Option<&Cell> {
    observed.cells.iter().max_by_key(|cell| cell.at)
}

fn latency_us(observed: &Observed) -> Option<u32> {
    last_cell(observed).filter(|cell| cell.verdict != Verdict::Inconclusive).map(|cell| cell.latency_us)
}

/// The mode of a monitor; maintenance windows come later.
pub(super) fn mode(spec: &Spec) -> Mode {
    if spec.enabled { Mode::Active } else { Mode::Paused }
}
