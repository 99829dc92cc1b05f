//! Reading a monitor's past: which revision ruled when, and the rows of a range in bounded pieces. Ranges are
//! answered from rows until sealed blocks and roll-ups are there.

use super::{Services, UseError};
use bw_domain::id::MonitorId;
use bw_domain::limits;
use bw_domain::monitor::{Spec, compile};
use bw_domain::port::store::{OutcomeQuery, OutcomeRow};
use bw_domain::time::{Duration, Instant};
use bw_domain::uptime::Range;
use std::sync::Arc;

/// Rows that one answer may be computed from: a year of a monitor that is probed each minute fits, and a second
/// or two of reading.
pub const ROWS_MAX: usize = 1_000_000;

/// The range of an answer unless asked otherwise.
pub const RANGE_DEFAULT: Duration = Duration::from_secs(86_400);

/// The time in which one revision was in force: its slots lie in [from, to).
#[derive(Clone, Debug)]
pub struct Term {
    pub range: Range,
    pub spec: Arc<Spec>,
}

/// The terms of a monitor, oldest first.
pub async fn terms(services: &Services, id: MonitorId) -> Result<Vec<Term>, UseError> {
    let revisions = services.store.catalog.revisions(id).await?;
    let ends = revisions.iter().skip(1).map(|next| next.effective_from).chain([Instant::MAX]);
    let term = |(revision, to)| {
        // What an older release accepted may not compile any more: nothing is known of its slots then.
        let spec = compile(revision, &services.defaults).ok()?;
        Some(Term { range: Range { from: spec.effective_from, to }, spec: Arc::new(spec) })
    };
    Ok(revisions.iter().zip(ends).filter_map(term).collect())
}

/// The cadence of a revision.
pub fn cadence(terms: &[Term], revision: u32) -> Duration {
    let term = terms.iter().find(|term| term.spec.revision == revision).or(terms.last());
    term.map_or(Duration::ZERO, |term| term.spec.policy.every)
}

/// The intervals in which the monitor was paused, ascending.
pub fn paused(terms: &[Term]) -> Vec<Range> {
    terms.iter().filter(|term| !term.spec.enabled).map(|term| term.range).collect()
}

/// The wall time of a question: from when the monitor was declared, up to now.
pub fn wall(
    services: &Services,
    spec: &Spec,
    from: Option<Instant>,
    to: Option<Instant>,
) -> Result<Range, UseError> {
    let now = services.clock.now();
    let to = to.unwrap_or(now);
    let from = from.unwrap_or(to - RANGE_DEFAULT);
    if from > to {
        return Err(UseError::invalid("from", "lies after `to`"));
    }
    let from = from.max(spec.created_at).min(now);
    Ok(Range { from, to: to.min(now).max(from) })
}

/// Reads the slots of [from, to) in pieces, newest piece first and newest row first, never cutting a slot in two.
/// Answers how many rows were read.
pub async fn read_slots(
    services: &Services,
    monitor: MonitorId,
    range: Range,
    mut piece: impl FnMut(&[OutcomeRow]),
) -> Result<usize, UseError> {
    let (mut to, mut read) = (range.to, 0);
    loop {
        let query = OutcomeQuery {
            monitor,
            from: range.from,
            to,
            verdict: None,
            repeats: false,
            limit: limits::PAGE_MAX,
        };
        let mut rows = services.store.outcomes.range(query).await?;
        read += rows.len();
        let full = rows.len() >= limits::PAGE_MAX;
        if let Some(oldest) = rows.last().map(|row| row.key.slot).filter(|_| full) {
            // The oldest slot may go on in the next piece: leave it whole to that one.
            rows.retain(|row| row.key.slot > oldest);
            to = Instant::from_ms(oldest.ms() + 1);
        }
        piece(&rows);
        if !full || rows.is_empty() {
            return Ok(read);
        }
        if read >= ROWS_MAX {
            let sentence = format!("the range holds more than {ROWS_MAX} outcomes: choose a shorter one");
            return Err(UseError::invalid("from", sentence));
        }
    }
}
