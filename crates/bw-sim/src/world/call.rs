//! A call through a port as it is in the world: asked, some time later done, some time later answered. The process
//! may die before, between and after; what it asked for may be done nevertheless.

use super::agenda::{Entry, Ties};
use super::{Inner, Life, World};
use crate::Ms;
use bw_domain::port::Fut;
use bw_domain::time::Duration;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

/// What a process holds of the world: every simulated port is one of these.
#[derive(Clone)]
pub struct Link {
    pub world: Arc<World>,
    pub life: Life,
}

/// How long a call takes on its way there and back.
#[derive(Clone, Copy, Debug)]
pub struct Trip {
    pub there: Ms,
    pub back: Ms,
}

/// What becomes of a call when its process dies on its way there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Reads, and what only memory holds.
    Vanishes,
    /// Writes reach the disk up to some point.
    ReachesDisk,
    /// Messages are on the wire.
    OnTheWire,
}

impl Link {
    /// Asks for something. `trip` is drawn when the call is made, the effect happens in between.
    pub fn call<T: Send + 'static>(
        &self,
        fate: Fate,
        trip: impl FnOnce(&Inner) -> Trip + Send + 'static,
        effect: impl FnOnce(&mut Inner) -> T + Send + 'static,
    ) -> Fut<'static, T> {
        let Link { world, life } = self.clone();
        Box::pin(async move {
            let slot = Slot::default();
            {
                let mut inner = world.lock();
                if inner.lives.passes(life) {
                    let trip = trip(&inner);
                    let at = inner.now + trip.there;
                    let deed = deed(life, trip.back, effect, slot.clone());
                    let ties = match fate {
                        Fate::Vanishes => Ties::Bound(life),
                        Fate::ReachesDisk => Ties::Disk(life),
                        Fate::OnTheWire => Ties::Wire(life),
                    };
                    inner.agenda.add(at, Entry::Deed(ties, deed));
                }
            }
            slot.await
        })
    }

    /// Resolves after so long. Instants are whole milliseconds: what is shorter is one.
    pub fn sleep(&self, length: Duration) -> Fut<'static, ()> {
        let there = length.as_micros().div_ceil(1_000) as Ms;
        self.call(Fate::Vanishes, move |_| Trip { there, back: 0 }, |_| ())
    }

    /// A place for an answer that somebody else will give.
    pub fn slot<T: Send + 'static>() -> Slot<T> {
        Slot::default()
    }
}

fn deed<T: Send + 'static>(
    life: Life,
    back: Ms,
    effect: impl FnOnce(&mut Inner) -> T + Send + 'static,
    slot: Slot<T>,
) -> super::Deed {
    Box::new(move |inner| {
        // Dying here means that it is done and nobody hears of it; before it is what `cut` decides.
        let answer = effect(inner);
        inner.trace((life, back));
        if !inner.lives.passes(life) {
            return;
        }
        if back == 0 {
            slot.fill(answer);
            return;
        }
        let at = inner.now + back;
        inner.agenda.add(at, Entry::Deed(Ties::Bound(life), Box::new(move |_| slot.fill(answer))));
    })
}

/// Where an answer will be.
pub struct Slot<T>(Arc<Mutex<(Option<T>, Option<Waker>)>>);

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Slot(self.0.clone())
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Slot(Arc::new(Mutex::new((None, None))))
    }
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, (Option<T>, Option<Waker>)> {
        self.0.lock().expect("one thread, and it does not panic here")
    }

    /// Whether both are the same place.
    pub fn is(&self, other: &Slot<T>) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Here it is. Nobody is woken who no longer waits.
    pub fn fill(&self, answer: T) {
        if Arc::strong_count(&self.0) == 1 {
            return;
        }
        let mut inner = self.lock();
        inner.0 = Some(answer);
        if let Some(waker) = inner.1.take() {
            waker.wake();
        }
    }
}

impl<T> Future for Slot<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut inner = self.lock();
        match inner.0.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                inner.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
