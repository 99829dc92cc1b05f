//! The table of tasks. Stages are the order of the stop: what feeds others ends before them, so that nothing that
//! was begun is left to the next start unless time runs out.

use crate::roles::Role;
use bw_engine::vitals::LoopName;
use std::time::Duration;

/// One task.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub name: &'static str,
    pub roles: &'static [Role],
    /// The stage of the stop in which it ends, and how long it may take to end well.
    pub stage: u8,
    pub patience: Duration,
    pub on_error: OnError,
    pub on_cancel: OnCancel,
    /// Whether we are ready only when it runs.
    pub readiness: bool,
}

/// What a panic leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// It alone begins again, after a pause that doubles.
    Again,
    /// All loops begin again together: they share which shards are held.
    AllLoopsAgain,
}

/// What happens to work that is under way when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCancel {
    /// It is finished, within the patience.
    Finish,
    /// It is dropped: nothing is lost by it.
    Drop,
}

/// Those that plan, those that probe, those that show pages; each kind, and all in one.
const PLAN: &[Role] = &[Role::Serve, Role::Scheduler];
const PROBE: &[Role] = &[Role::Serve, Role::Worker];
const PAGES: &[Role] = &[Role::Serve, Role::Api];
/// Those to whom outcomes come.
const JUDGE: &[Role] = &[Role::Serve, Role::Worker, Role::Api];

/// Those who hear beats.
const HEAR: &[Role] = &[Role::Serve, Role::Api];

const fn row(name: &'static str, stage: u8, seconds: u64, on_cancel: OnCancel) -> Row {
    let patience = Duration::from_secs(seconds);
    Row {
        name,
        roles: Role::ALL,
        stage,
        patience,
        on_error: OnError::AllLoopsAgain,
        on_cancel,
        readiness: true,
    }
}

impl Row {
    const fn beside(self, readiness: bool) -> Row {
        Row { on_error: OnError::Again, readiness, ..self }
    }

    const fn of(self, roles: &'static [Role]) -> Row {
        Row { roles, ..self }
    }

    const fn unneeded(self) -> Row {
        Row { readiness: false, ..self }
    }
}

/// The last stage.
pub const LAST: u8 = 7;

/// Before this stage the listeners end: beats are taken as long as anything runs.
pub const DEAF: u8 = 7;

/// The stage of the listeners.
pub const LISTEN: u8 = 6;

/// All tasks, in the order in which they end. The patience of all stages together stays below the thirty seconds
/// that service managers wait.
pub const ROWS: &[Row] = &[
    row("configuration", 0, 1, OnCancel::Drop).of(PAGES).beside(false),
    row("outbound_heartbeat", 0, 1, OnCancel::Drop).of(PLAN).beside(false),
    row("observer", 0, 1, OnCancel::Drop).of(PROBE).beside(false),
    row("memory", 0, 1, OnCancel::Drop).beside(false),
    row("scaling_signals", 0, 1, OnCancel::Drop).beside(false),
    // Before `plan`: it would take the end of planning for a lag.
    row("watch", 0, 1, OnCancel::Drop).unneeded(),
    row("plan", 1, 1, OnCancel::Finish).of(PLAN),
    row("work", 2, 8, OnCancel::Finish).of(PROBE),
    row("judge", 3, 4, OnCancel::Finish).of(JUDGE),
    row("sweep", 4, 2, OnCancel::Finish).of(PLAN),
    row("route", 4, 2, OnCancel::Finish),
    row("deliver", 5, 6, OnCancel::Finish),
    row("keep", 5, 2, OnCancel::Drop).of(PLAN).unneeded(),
    row("listen", 6, 3, OnCancel::Finish).beside(true),
    row("ingest", 7, 2, OnCancel::Finish).of(HEAR),
    row("lease", 7, 2, OnCancel::Finish).of(PLAN),
];

/// The row of a loop.
pub fn of(name: LoopName) -> &'static Row {
    ROWS.iter().find(|row| row.name == name.word()).expect("a test counts that each loop has a row")
}

/// Whether a loop belongs to a role.
pub fn has_role(name: LoopName, role: Role) -> bool {
    of(name).roles.contains(&role)
}

/// Whether a task beside the loops belongs to a role.
pub fn is_beside(name: &str, role: Role) -> bool {
    ROWS.iter().any(|row| row.name == name && row.roles.contains(&role))
}

/// Whether we are ready only after this loop has ticked.
pub fn must_tick(name: LoopName) -> bool {
    of(name).readiness
}

/// How long a stage may take.
pub fn patience(stage: u8) -> Duration {
    ROWS.iter().filter(|row| row.stage == stage).map(|row| row.patience).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loop_has_one_row_and_ends_with_the_others() {
        for name in LoopName::ALL {
            assert_eq!(ROWS.iter().filter(|row| row.name == name.word()).count(), 1, "{}", name.word());
            assert_eq!(of(name).on_error, OnError::AllLoopsAgain);
        }
        let total: Duration = (0..=LAST).map(patience).sum();
        assert!(total <= Duration::from_secs(27), "{total:?}: the store wants some seconds to close");
    }

    #[test]
    fn what_feeds_ends_first() {
        let stage = |name| ROWS.iter().find(|row| row.name == name).expect("a row").stage;
        let order = ["plan", "work", "judge", "route", "deliver", "listen", "ingest"].map(stage);
        assert!(order.windows(2).all(|pair| pair[0] < pair[1]), "{order:?}");
    }
}
