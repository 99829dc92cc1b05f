//! What the operating system asks: SIGTERM and SIGINT to stop, a second one to stop at once, SIGHUP to read the
//! configuration again.

use crate::answer::{Outcome, Stop};
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

/// The signals, listened to from now on.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen to those that stop.
    pub fn listen() -> Outcome<Self> {
        let listen =
            |kind| signal(kind).map_err(|error| Stop::failed(format!("signals cannot be heard: {error}")));
        Ok(Signals {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// The next one that asks to stop.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Turns each SIGHUP into a notice; without the signal there are none.
pub async fn hang_ups(notice: Arc<Notify>) {
    match signal(SignalKind::hangup()) {
        Ok(mut hang_up) => {
            while hang_up.recv().await.is_some() {
                notice.notify_one();
            }
        }
        Err(error) => tracing::warn!("SIGHUP cannot be heard: {error}"),
    }
}
