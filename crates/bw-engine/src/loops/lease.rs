//! `lease` holds shards and writes their marks down: a term of ten seconds, renewed each three; marks about once a
//! second, together. Losing a shard stops planning it at once; gaps and marks of another epoch are refused.

use super::{Next, Parts, Shards, Tick, written};
use crate::usecase::Services;
use crate::vitals::LoopName;
use bw_domain::port::Fut;
use bw_domain::port::store::{NodeId, StoreError};
use bw_domain::time::Duration;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// A holder that is silent for so long has lost its shards.
const TERM: Duration = Duration::from_secs(10);
/// Twice in a term a renewal may fail.
const RENEW: Duration = Duration::from_secs(3);
/// After a renewal that failed.
const AGAIN: Duration = Duration::from_millis(500);
/// How much a crash may repeat.
const WRITE: Duration = Duration::from_secs(1);

/// The loop.
pub(super) struct Holder {
    services: Services,
    shards: Arc<Shards>,
    node: NodeId,
    /// On the clock that never steps.
    renew_at: Duration,
    write_at: Duration,
}

impl Holder {
    pub fn new(parts: &Parts, shards: Arc<Shards>) -> Self {
        let (services, node) = (parts.services.clone(), parts.node);
        let zero = Duration::ZERO;
        Holder { services, shards, node, renew_at: zero, write_at: zero }
    }

    async fn renew(&mut self) {
        let services = &self.services;
        let (begun, wall) = (services.clock.monotonic(), services.clock.now());
        let answer = written(services, services.store.leases.hold(self.node, TERM).await);
        self.renew_at = begun + if answer.is_ok() { RENEW } else { AGAIN };
        match answer {
            Ok((held, store_now)) => {
                let took = services.clock.monotonic().saturating_sub(begun);
                let offset = store_now.ms() - (wall + took / 2).ms();
                services.vitals.clock_offset.store(offset, Relaxed);
                services.vitals.shards_owned.store(held.len() as u64, Relaxed);
                self.shards.hold(&held, begun + TERM);
            }
            // Nobody can take a shard over while nothing can be written.
            Err(StoreError::Full(_)) => self.shards.prolong(begun + TERM),
            Err(error) => tracing::debug!("the shards could not be held: {error}"),
        }
    }

    /// Marks first: a gap is contiguous with what is accounted for.
    async fn write(&self) -> Result<(), StoreError> {
        let services = &self.services;
        let moves = self.shards.moves();
        if !moves.is_empty() {
            let answers = written(services, services.store.accounts.advance(moves.clone()).await)?;
            for ((shard, epoch, which, to), ok) in moves.into_iter().zip(answers) {
                if ok { self.shards.written(shard, epoch, which, to) } else { self.shards.lose(shard, epoch) }
            }
        }
        let gaps = self.shards.ripe();
        if !gaps.is_empty() {
            let answers = written(services, services.store.accounts.gap(gaps.clone()).await)?;
            for ((epoch, gap), ok) in gaps.into_iter().zip(answers) {
                if ok { self.shards.gap_written(epoch, gap) } else { self.shards.lose(gap.shard, epoch) }
            }
        }
        Ok(())
    }

    async fn write_down(&self) {
        if let Err(error) = self.write().await {
            tracing::debug!("the marks of the shards could not be written: {error}");
        }
    }
}

impl Tick for Holder {
    fn name(&self) -> LoopName {
        LoopName::Lease
    }

    fn tick(&mut self) -> Fut<'_, Next> {
        Box::pin(async move {
            if self.services.clock.monotonic() >= self.renew_at {
                self.renew().await;
            }
            if self.services.clock.monotonic() >= self.write_at {
                self.write_down().await;
                self.write_at = self.services.clock.monotonic() + WRITE;
            }
            let wait = self.renew_at.min(self.write_at).saturating_sub(self.services.clock.monotonic());
            Next::At(self.services.clock.now() + wait.max(Duration::from_millis(50)))
        })
    }

    /// `plan` and `sweep` have ended: their last marks are written, and others may have the shards.
    fn stop(&mut self) -> Fut<'_, ()> {
        Box::pin(async move {
            self.write_down().await;
            self.shards.hold(&[], Duration::ZERO);
            if let Err(error) = self.services.store.leases.release(self.node).await {
                tracing::warn!("the shards could not be given back: {error}");
            }
        })
    }
}
