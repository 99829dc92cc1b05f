//! The budget per host: so many probes at once, the others queue. One slow target can neither fill the worker
//! nor be flooded by it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Who is under way where.
pub(crate) struct Hosts {
    each: usize,
    /// Only hosts that are probed at this moment.
    busy: Mutex<HashMap<Box<str>, Arc<Semaphore>>>,
}

/// A place at a host, given back when dropped.
pub(crate) struct Place<'a> {
    hosts: &'a Hosts,
    host: &'a str,
    permit: Option<OwnedSemaphorePermit>,
}

impl Hosts {
    pub fn new(each: usize) -> Self {
        Hosts { each, busy: Mutex::default() }
    }

    /// Waits for a place. Those who wait are served in their order.
    pub async fn enter<'a>(&'a self, host: &'a str) -> Place<'a> {
        let semaphore = {
            let mut busy = self.busy();
            match busy.get(host) {
                Some(semaphore) => semaphore.clone(),
                None => busy.entry(host.into()).or_insert(Arc::new(Semaphore::new(self.each))).clone(),
            }
        };
        // Made before the waiting, so that whoever gives up waiting cleans up as well.
        let mut place = Place { hosts: self, host, permit: None };
        place.permit = Some(semaphore.acquire_owned().await.expect("this semaphore is never closed"));
        place
    }

    /// The map is whole even if a thread died while it held the lock.
    fn busy(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Semaphore>>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        drop(self.permit.take());
        let mut busy = self.hosts.busy();
        // Nobody else runs or waits here: whoever does holds the semaphore too.
        if busy.get(self.host).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            busy.remove(self.host);
        }
    }
}
