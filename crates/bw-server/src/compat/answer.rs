//! The columns of a monitor, with their old names and types.

use bw_domain::assert::Expectation;
use bw_domain::monitor::Spec;
use bw_domain::secret::Secret;
use bw_domain::time::{Duration, Instant};
use bw_engine::usecase::monitors::MonitorView;
use serde::Serialize;

/// Which columns an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// What was declared: the answer to a creation.
    Declared,
    /// And what was seen.
    All,
}

/// A row.
#[derive(Serialize)]
pub struct MonitorOut<'a> {
    id: i64,
    name: &'a str,
    url: &'a str,
    /// Seconds.
    check_interval: u64,
    /// Seconds.
    timeout: u64,
    expected_status_code: u16,
    /// In full to those who may write, hidden from others.
    webhook_url: Option<&'a str>,
    enabled: bool,
    created_at: Instant,
    status: &'static str,
    #[serde(flatten)]
    seen: Option<Seen>,
}

#[derive(Serialize)]
struct Seen {
    last_checked_at: Option<Instant>,
    consecutive_failures: u32,
    consecutive_successes: u32,
}

impl<'a> MonitorOut<'a> {
    pub fn of(view: &'a MonitorView, columns: Columns, may_write: bool) -> Self {
        let spec = &view.spec;
        let (consecutive_failures, consecutive_successes) = view.in_a_row();
        let last_checked_at = view.observed.last_at();
        MonitorOut {
            id: spec.id.0,
            name: spec.name(),
            url: spec.probe().map_or("", |probe| probe.target()),
            check_interval: whole_seconds(spec.policy.every),
            timeout: whole_seconds(spec.policy.timeout),
            expected_status_code: expected_status(spec),
            webhook_url: spec.declared.webhook_url.as_ref().filter(|_| may_write).map(Secret::expose),
            enabled: spec.enabled,
            created_at: spec.created_at,
            status: view.state.health.word(),
            seen: (columns == Columns::All).then_some(Seen {
                last_checked_at,
                consecutive_failures,
                consecutive_successes,
            }),
        }
    }
}

/// The column is a whole number: what is between two is shown as the longer one.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(1_000) as u64
}

/// The first status that is expected; what else a monitor expects, this interface cannot say.
fn expected_status(spec: &Spec) -> u16 {
    spec.policy.expect.iter().find_map(status_of).unwrap_or(200)
}

/// The status of `status == N`.
pub fn status_of(expectation: &Expectation) -> Option<u16> {
    status_in(&expectation.text)
}

/// The status of `status == N`, however it is spaced.
pub fn status_in(text: &str) -> Option<u16> {
    text.trim().strip_prefix("status")?.trim_start().strip_prefix("==")?.trim().parse().ok()
}
