//! What the self-test finds, for everybody who asks: the system page, and `watch`, which raises one event when this
//! observer goes blind and one when it sees again.

use bw_engine::vitals::Vitals;
use bw_probe::{Gate, State};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// While blind, how often we look whether it is over.
const LOOK: Duration = Duration::from_secs(3);

/// Follows the self-test for as long as there is one.
pub async fn run(gate: Arc<Gate>, vitals: Arc<Vitals>) {
    let mut changes = gate.changes();
    loop {
        let blind = matches!(*changes.borrow_and_update(), State::Blind { .. });
        vitals.blind.store(blind, Relaxed);
        let changed = tokio::select! {
            changed = changes.changed() => changed,
            // Failing probes ask it by themselves; without any somebody must.
            _ = tokio::time::sleep(LOOK), if blind => {
                gate.sighted().await;
                Ok(())
            }
        };
        if changed.is_err() {
            return;
        }
    }
}
