//! Beats between the listener and the store. The instant of a beat is taken here, under the lock that also says how far
//! all beats are in: none can slip in behind what was said.
//!
//! Who offered a beat waits for what became of it; a client that goes away takes nothing back. Bounded by
//! `limits::BEATS_WAITING`: when the store is away beats wait here, and when it is full clients hear so and keep theirs.

use bw_domain::beat::Taken;
use bw_domain::limits::BEATS_WAITING;
use bw_domain::port::store::Incoming;
use bw_domain::time::Instant;
use futures_channel::oneshot;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

/// What became of a beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Durable, and counted.
    Taken(Taken),
    /// The heartbeat has ended meanwhile.
    Gone,
    /// The store can never keep it.
    Refused,
}

/// A beat with whoever waits for it.
#[derive(Debug)]
pub struct Waiting {
    pub incoming: Incoming,
    pub reply: oneshot::Sender<Kept>,
}

/// The queue.
#[derive(Debug, Default)]
pub struct BeatInbox {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Waiting>,
    /// The earliest of those that are on their way into the store.
    under_way: Option<Instant>,
}

impl BeatInbox {
    /// Takes a beat in. `make` gets the instant at which it is received. `None`: too many wait.
    pub fn offer(
        &self,
        clock: &dyn bw_domain::port::clock::Clock,
        make: impl FnOnce(Instant) -> Incoming,
    ) -> Option<oneshot::Receiver<Kept>> {
        let mut inner = self.lock();
        if inner.waiting.len() >= BEATS_WAITING {
            return None;
        }
        let (reply, kept) = oneshot::channel();
        let incoming = make(clock.now());
        inner.waiting.push_back(Waiting { incoming, reply });
        Some(kept)
    }

    /// Takes at most `max` beats out, oldest first. They are under way until [`BeatInbox::settle`].
    pub fn take(&self, max: usize) -> Vec<Waiting> {
        let mut inner = self.lock();
        let count = max.min(inner.waiting.len());
        let taken: Vec<Waiting> = inner.waiting.drain(..count).collect();
        let earliest = taken.iter().map(|waiting| waiting.incoming.beat.at).min();
        inner.under_way = inner.under_way.into_iter().chain(earliest).min();
        taken
    }

    /// What was under way is kept; what is given goes back before those that wait.
    pub fn settle(&self, back: Vec<Waiting>) {
        let mut inner = self.lock();
        for waiting in back.into_iter().rev() {
            inner.waiting.push_front(waiting);
        }
        inner.under_way = None;
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// True when none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All beats received before this instant are kept.
    pub fn heard_until(&self, clock: &dyn bw_domain::port::clock::Clock) -> Instant {
        let inner = self.lock();
        let waiting = inner.waiting.iter().map(|waiting| waiting.incoming.beat.at).min();
        [Some(clock.now()), waiting, inner.under_way].into_iter().flatten().min().unwrap_or(Instant::ZERO)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no one panics while holding the beats")
    }
}
