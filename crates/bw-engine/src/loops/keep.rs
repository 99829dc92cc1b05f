//! `keep` lets go of what nobody may keep for ever: history beyond its retention, sessions that nobody uses.

use super::{Next, Parts, Tick, noted};
use crate::usecase::Services;
use crate::vitals::LoopName;
use bw_domain::port::Fut;
use bw_domain::port::store::StoreError;
use bw_domain::time::Duration;

/// Retention is counted in days; a few minutes are soon enough.
const ROUND: Duration = Duration::from_secs(5 * 60);
/// A session that is not used for so long has ended.
const SESSION_IDLE: Duration = Duration::from_secs(12 * 3_600);

/// The loop.
pub(super) struct Keeper {
    services: Services,
    /// On the clock that never steps.
    keep_at: Duration,
}

impl Keeper {
    pub fn new(parts: &Parts) -> Self {
        // Not in the first moments of a process: they belong to the monitors.
        let keep_at = parts.services.clock.monotonic() + Duration::from_secs(30);
        Keeper { services: parts.services.clone(), keep_at }
    }

    async fn keep(&self) -> Result<(), StoreError> {
        let (store, now) = (&self.services.store, self.services.clock.now());
        let dropped = noted(&self.services, store.outcomes.retain(now).await)?;
        if dropped > 0 {
            tracing::info!(periods = dropped, "history beyond its retention was dropped");
        }
        noted(&self.services, store.access.end_idle_sessions(now - SESSION_IDLE).await)
    }
}

impl Tick for Keeper {
    fn name(&self) -> LoopName {
        LoopName::Keep
    }

    fn tick(&mut self) -> Fut<'_, Next> {
        Box::pin(async move {
            let monotonic = self.services.clock.monotonic();
            if monotonic >= self.keep_at {
                self.keep_at = monotonic + ROUND;
                if let Err(error) = self.keep().await {
                    tracing::debug!("retention waits for the store: {error}");
                }
            }
            Next::At(self.services.clock.now() + self.keep_at.saturating_sub(monotonic))
        })
    }
}
