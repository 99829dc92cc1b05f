//! The ten loops. Each looks at the state, does what is missing, and says when it wants to run again; a wake-up
//! only makes it run sooner. They take no input from each other: what one leaves for another is a row, a job or an
//! outcome in the inbox, and losing a wake-up costs time, never work.
//!
//! The binary's supervisor and the simulator build the same objects with [`all`] and run them with [`run`].

mod calls;
mod decide;
mod deliver;
mod ingest;
mod judge;
mod keep;
mod lease;
mod plan;
mod route;
mod run;
mod shards;
mod sweep;
mod watch;
mod work;

pub use run::{Rest, Sleep, run};

use crate::inbox::Inbox;
use crate::usecase::Services;
use crate::vitals::LoopName;
use bw_domain::port::Fut;
use bw_domain::port::sender::Sender;
use bw_domain::port::store::{NodeId, StoreError};
use bw_domain::port::wake::Topic;
use bw_domain::time::Instant;
use shards::Shards;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// When a loop wants to run again. Its topics and its own calls make it run sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is more to do.
    Now,
    /// Not before this instant.
    At(Instant),
}

/// One loop.
pub trait Tick: Send {
    /// Which one.
    fn name(&self) -> LoopName;

    /// What makes it run sooner. A topic belongs to one loop.
    fn topics(&self) -> &[Topic] {
        &[]
    }

    /// Looks, and does what is missing. It survives every error of a port: what failed is tried again later.
    fn tick(&mut self) -> Fut<'_, Next>;

    /// Calls of its own that go on between ticks, so that none of them delays a tick. Resolves when one of them has
    /// ended, never when there are none. Dropping this future loses nothing.
    fn progress(&mut self) -> Fut<'_, ()> {
        Box::pin(std::future::pending())
    }

    /// Ends in good order after the last tick: what is under way is finished, what is held is given back. The
    /// caller bounds it in time.
    fn stop(&mut self) -> Fut<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// What the loops of one process are made of.
#[derive(Clone)]
pub struct Parts {
    pub services: Services,
    pub sender: Arc<dyn Sender>,
    /// Where finished outcomes wait for `judge`; others may hand outcomes in there too.
    pub inbox: Arc<Inbox>,
    /// This process, from its start to its end.
    pub node: NodeId,
}

/// All loops of a process, in flow order; a role runs those that it has. They share which shards are held, so one
/// call makes the loops of one process.
pub fn all(parts: &Parts) -> Vec<Box<dyn Tick>> {
    let shards = Arc::new(Shards::default());
    vec![
        Box::new(ingest::Ingester::new(parts)),
        Box::new(lease::Holder::new(parts, shards.clone())),
        Box::new(plan::Planner::new(parts, shards.clone())),
        Box::new(work::Worker::new(parts)),
        Box::new(judge::Judge::new(parts)),
        Box::new(sweep::Sweeper::new(parts, shards.clone())),
        Box::new(route::Router::new(parts)),
        Box::new(deliver::Deliverer::new(parts)),
        Box::new(keep::Keeper::new(parts)),
        Box::new(watch::Watcher::new(parts, shards)),
    ]
}

/// Notes whether the store answered, and hands the answer on. Said once an episode: the loops try again quietly.
fn noted<T>(services: &Services, answer: Result<T, StoreError>) -> Result<T, StoreError> {
    let (vitals, now) = (&services.vitals, services.clock.now());
    let before = vitals.store_away();
    match &answer {
        Ok(_) => vitals.store_answered(true, now),
        Err(StoreError::Full(_)) => vitals.store_took(true, now),
        Err(_) => vitals.store_answered(false, now),
    }
    match (before, vitals.store_away(), &answer) {
        (None, Some(_), Err(error)) => tracing::warn!("{error}"),
        (Some(since), None, _) => tracing::warn!("the store works again; it did not since {since}"),
        _ => {}
    }
    answer
}

/// The same for what writes: only that shows that there is room.
fn written<T>(services: &Services, answer: Result<T, StoreError>) -> Result<T, StoreError> {
    if answer.is_ok() && services.vitals.store_full_since.load(Relaxed) != 0 {
        services.vitals.store_took(false, services.clock.now());
        tracing::warn!("the store has room again");
    }
    noted(services, answer)
}

#[cfg(test)]
mod tests;
