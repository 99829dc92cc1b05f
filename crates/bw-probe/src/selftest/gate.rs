//! Whether this observer can see. Asked when a probe ends with a failure of the network; the answer is kept for a
//! moment, and however many ask at once, the anchors are asked once.

use super::Anchors;
use bw_domain::outcome::Code;
use bw_domain::time::Instant;
use bw_net::Net;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long an answer counts. Longer, and a failure right after the loss would be believed.
const FRESH: Duration = Duration::from_secs(2);

/// What the observer knows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Sighted,
    Blind { since: Instant },
}

/// The self-test between a probe and its verdict.
pub struct Gate {
    net: Arc<Net>,
    anchors: Anchors,
    known: Mutex<Known>,
    /// Counts the tests that have ended: those who wait for one wait for a change.
    tests: watch::Sender<u64>,
    state: watch::Sender<State>,
}

#[derive(Default)]
struct Known {
    /// When the last test ended, and how.
    last: Option<(Duration, bool)>,
    testing: bool,
}

impl Gate {
    pub fn new(net: Arc<Net>, anchors: Anchors) -> Arc<Self> {
        Arc::new(Gate {
            net,
            anchors,
            known: Mutex::default(),
            tests: watch::Sender::new(0),
            state: watch::Sender::new(State::Sighted),
        })
    }

    /// The failures that a lost network of our own could cause.
    pub fn concerns(code: Code) -> bool {
        matches!(
            code,
            Code::DNS_NXDOMAIN
                | Code::DNS_TIMEOUT
                | Code::DNS_SERVFAIL
                | Code::CONNECT_REFUSED
                | Code::CONNECT_TIMEOUT
                | Code::CONNECT_UNREACHABLE
                | Code::TLS_HANDSHAKE
                | Code::SEND_RESET
                | Code::WAIT_TIMEOUT
        )
    }

    /// What was found last.
    pub fn state(&self) -> State {
        *self.state.borrow()
    }

    /// Told of every change, so that one event can be raised for it.
    pub fn changes(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(crate) fn is_blind(&self) -> bool {
        matches!(self.state(), State::Blind { .. })
    }

    /// Whether enough anchors are within reach, by a test that is at most two seconds old.
    pub async fn sighted(&self) -> bool {
        let mut tests = self.tests.subscribe();
        loop {
            let turn = {
                let mut known = self.known();
                let now = self.net.clock().monotonic();
                match known.last {
                    Some((at, sighted)) if now.saturating_sub(at) < FRESH => return sighted,
                    _ if known.testing => None,
                    _ => {
                        known.testing = true;
                        Some(Turn(self))
                    }
                }
            };
            match turn {
                Some(turn) => return self.test(turn).await,
                // The sender lives as long as the gate, so this ends with a test.
                None => tests.changed().await.expect("the gate holds the sender"),
            }
        }
    }

    async fn test(&self, turn: Turn<'_>) -> bool {
        let sighted = self.anchors.reached(&self.net).await;
        self.known().last = Some((self.net.clock().monotonic(), sighted));
        self.state.send_if_modified(|state| {
            let next = match (*state, sighted) {
                (_, true) => State::Sighted,
                (State::Sighted, false) => State::Blind { since: self.net.clock().now() },
                (blind, false) => blind,
            };
            std::mem::replace(state, next) != next
        });
        drop(turn);
        sighted
    }

    /// Both fields are set without a panic in between.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to test. A probe that is dropped in the middle gives it to the next who waits.
struct Turn<'a>(&'a Gate);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.known().testing = false;
        self.0.tests.send_modify(|tests| *tests += 1);
    }
}
