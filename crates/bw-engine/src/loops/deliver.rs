//! `deliver` is the only thing that sends. It leases chains that are due, sends, and writes down what came of it: a
//! receipt, the next attempt, or the end. Every attempt is a call of its own, so a sick sink delays no other.
//!
//! What was sent and could not be written down is kept here until it can; only a process that dies in between sends
//! twice, under the same key.

mod chain;
mod target;

use super::calls::Calls;
use super::{Next, Parts, Tick, noted, written};
use crate::usecase::Services;
use crate::vitals::LoopName;
use bw_domain::action::ActionRef;
use bw_domain::id::DeliveryId;
use bw_domain::limits;
use bw_domain::port::Fut;
use bw_domain::port::sender::{Dispatch, Sender};
use bw_domain::port::store::{Outgoing, StoreError};
use bw_domain::port::wake::Topic;
use bw_domain::time::{Duration, Instant};
use chain::{Attempted, Sending};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::Poll;
use target::Target;

/// Attempts at once through one action: a sick sink must not take every place.
const SENDS_PER_ACTION: usize = 16;
/// A chain that found no place comes again after this.
const NO_PLACE: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_secs(1);
/// After an error of the store.
const AGAIN: Duration = Duration::from_millis(500);

/// The loop.
pub(super) struct Deliverer {
    services: Services,
    sender: Arc<dyn Sender>,
    sending: Calls<Attempted>,
    /// Attempts under way by action.
    busy: BTreeMap<ActionRef, usize>,
    /// The oldest row of every chain from the begin of its attempt until that is written down: should its lease end
    /// before, it is not sent again.
    in_hand: BTreeSet<DeliveryId>,
    /// Attempts that are not written down yet.
    unwritten: Vec<Attempted>,
    writing: Calls<(Vec<Attempted>, Result<(), StoreError>)>,
    /// On the clock that never steps.
    write_at: Duration,
}

impl Deliverer {
    pub fn new(parts: &Parts) -> Self {
        Deliverer {
            services: parts.services.clone(),
            sender: parts.sender.clone(),
            sending: Calls::default(),
            busy: BTreeMap::new(),
            in_hand: BTreeSet::new(),
            unwritten: Vec::new(),
            writing: Calls::default(),
            write_at: Duration::ZERO,
        }
    }

    async fn deliver(&mut self) -> Next {
        self.collect();
        self.write();
        let leased = self.lease().await;
        let now = self.services.clock.now();
        match leased {
            Ok(next) => Next::At(next.unwrap_or(Instant::MAX).clamp(now, now + IDLE)),
            Err(error) => {
                tracing::debug!("deliveries wait for the store: {error}");
                Next::At(now + AGAIN)
            }
        }
    }

    /// Takes in attempts that have ended, and what became of writing them down.
    fn collect(&mut self) {
        while let Some(attempted) = self.sending.take() {
            if let Some(busy) = self.busy.get_mut(&attempted.action) {
                *busy -= 1;
            }
            self.unwritten.push(attempted);
        }
        self.busy.retain(|_, busy| *busy > 0);
        while let Some((attempts, answer)) = self.writing.take() {
            match written(&self.services, answer) {
                Ok(()) => {
                    for attempted in attempts {
                        attempted.count(&self.services.vitals);
                        self.in_hand.remove(&attempted.delivery);
                    }
                }
                Err(error) => {
                    tracing::warn!("attempts to send could not be written down: {error}");
                    self.write_at = self.services.clock.monotonic() + AGAIN;
                    self.unwritten.extend(attempts);
                }
            }
        }
    }

    /// Writes down everything that waits, in one transaction.
    fn write(&mut self) {
        if self.unwritten.is_empty() || !self.writing.is_idle() {
            return;
        }
        if self.services.clock.monotonic() < self.write_at {
            return;
        }
        let (attempts, services) = (std::mem::take(&mut self.unwritten), self.services.clone());
        self.writing.start(async move {
            let answer = chain::write(&services, &attempts).await;
            (attempts, answer)
        });
    }

    /// Leases what is due and begins to send it. Answers when the next chain is due.
    async fn lease(&mut self) -> Result<Option<Instant>, StoreError> {
        let room = limits::SENDS_AT_ONCE.saturating_sub(self.in_hand.len());
        if room == 0 {
            return Ok(None);
        }
        let services = self.services.clone();
        let (store, now) = (&services.store, services.clock.now());
        // Asking costs nothing; leasing is written.
        let due = noted(&services, store.deliveries.next_due().await)?;
        if due.is_none_or(|at| at > now) {
            return Ok(due);
        }
        let chains = written(&services, store.deliveries.lease(now, now + limits::SEND_LEASE, room).await)?;
        let full = chains.len() == room;
        let mut no_place = Vec::new();
        for outgoing in chains {
            let Some((oldest, _)) = outgoing.chain.first() else { continue };
            let (id, action) = (oldest.id, oldest.action);
            if self.in_hand.contains(&id) {
                continue;
            }
            match target::find(&services, action).await {
                // Its lease ends, and it comes again.
                Err(error) => tracing::warn!("{action} could not be looked up: {error}"),
                Ok(None) => abandon(&services, action).await,
                Ok(Some(_)) if self.busy.get(&action).is_some_and(|busy| *busy >= SENDS_PER_ACTION) => {
                    no_place.extend(outgoing.chain.into_iter().map(|(row, _)| row));
                }
                Ok(Some(target)) => {
                    self.in_hand.insert(id);
                    self.send(action, target, outgoing);
                }
            }
        }
        for row in &mut no_place {
            row.due = row.due.max(now + NO_PLACE);
        }
        if !no_place.is_empty() {
            written(&services, store.deliveries.record(no_place, Vec::new()).await)?;
        }
        if full {
            return Ok(Some(now));
        }
        noted(&services, store.deliveries.next_due().await)
    }

    fn send(&mut self, action: ActionRef, target: Target, outgoing: Outgoing) {
        let Target { kind, name, five_lines, was_broken } = target;
        let sending = Sending::new(outgoing);
        let dispatch = Dispatch {
            delivery: sending.delivery(),
            action: kind,
            five_lines,
            event: sending.event(),
            merged: sending.merged(),
        };
        *self.busy.entry(action).or_default() += 1;
        let (sender, services) = (self.sender.clone(), self.services.clone());
        self.sending.start(async move {
            let receipt = sender.send(dispatch).await;
            let dice = services.entropy.bits() as u64;
            sending.ended(receipt, chain::Ended { action, name, was_broken, now: services.clock.now(), dice })
        });
    }
}

/// Nobody can be told through an action that is no more.
async fn abandon(services: &Services, action: ActionRef) {
    let ended = services.store.deliveries.abandon(action, format!("{action} is no more")).await;
    match written(services, ended) {
        Ok(ended) => tracing::warn!("{ended} deliveries end unsent: {action} is no more"),
        Err(error) => tracing::warn!("deliveries to {action}, which is no more, stay: {error}"),
    }
}

impl Tick for Deliverer {
    fn name(&self) -> LoopName {
        LoopName::Deliver
    }

    fn topics(&self) -> &[Topic] {
        &[Topic::Deliveries]
    }

    fn tick(&mut self) -> Fut<'_, Next> {
        Box::pin(self.deliver())
    }

    fn progress(&mut self) -> Fut<'_, ()> {
        Box::pin(std::future::poll_fn(|context| {
            let sent = self.sending.poll(context);
            let written = self.writing.poll(context);
            if sent || written { Poll::Ready(()) } else { Poll::Pending }
        }))
    }

    /// What is on its way arrives and is written down.
    fn stop(&mut self) -> Fut<'_, ()> {
        Box::pin(async move {
            loop {
                self.collect();
                self.write_at = Duration::ZERO;
                self.write();
                if self.sending.is_idle() && self.writing.is_idle() {
                    return;
                }
                self.progress().await;
            }
        })
    }
}
