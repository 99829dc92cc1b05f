//! The ten store ports over one database in memory. Each call is one transaction: done at one instant, answered at a
//! later one, durable from the first to the second on.

mod access;
mod accounts;
mod beats;
mod catalog;
mod database;
mod deliveries;
mod incidents;
mod leases;
mod outcomes;
mod states;
mod timers;

pub use catalog::settled;
pub use database::{Database, Row, Waiting};

use crate::Ms;
use crate::world::{Fate, Inner, Life, Link, Trip};
use bw_domain::port::store::{Answered, Store, StoreError};
use std::sync::Arc;

/// Every store port of a process.
pub fn store(link: &Link) -> Store {
    let link = Arc::new(link.clone());
    Store {
        catalog: link.clone(),
        states: link.clone(),
        outcomes: link.clone(),
        incidents: link.clone(),
        deliveries: link.clone(),
        timers: link.clone(),
        leases: link.clone(),
        accounts: link.clone(),
        access: link.clone(),
        beats: link,
    }
}

fn trip(inner: &Inner) -> Trip {
    let chance = &inner.chance;
    let slow = chance.between(0..=inner.mood.store_slow);
    let tail: Ms = if chance.permille(5) { 40 } else { 1 };
    let mut there = slow + chance.between(0..=tail);
    // While it is away some calls are refused and some hang until it is back.
    if let Some(until) = inner.mood.store_away.filter(|_| chance.permille(200)) {
        there += until - inner.now;
    }
    Trip { there, back: chance.between(0..=1) }
}

impl Link {
    fn read<T: Send + 'static>(
        &self,
        effect: impl FnOnce(&mut Inner) -> T + Send + 'static,
    ) -> Answered<'static, T> {
        self.call(Fate::Vanishes, trip, move |inner| {
            reachable(inner)?;
            Ok(effect(inner))
        })
    }

    fn write<T: Send + 'static>(
        &self,
        effect: impl FnOnce(&mut Inner, Life) -> T + Send + 'static,
    ) -> Answered<'static, T> {
        let life = self.life;
        self.call(Fate::ReachesDisk, trip, move |inner| {
            reachable(inner)?;
            if inner.mood.store_full {
                return Err(StoreError::Full("no space left on device".to_owned()));
            }
            let answer = effect(inner, life);
            if inner.chance.permille(inner.mood.answers_lost) {
                return Err(StoreError::Away("the answer was lost".to_owned()));
            }
            Ok(answer)
        })
    }
}

fn reachable(inner: &Inner) -> Result<(), StoreError> {
    match inner.mood.store_away {
        Some(_) => Err(StoreError::Away("unreachable".to_owned())),
        None => Ok(()),
    }
}
