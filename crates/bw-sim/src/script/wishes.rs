//! What people ask for while everything runs. Who gets no answer asks again.

use super::monitors::timing;
use crate::Ms;
use crate::chance::Chance;
use serde_json::{Value, json};

/// Somebody asks for something at this time.
#[derive(Clone, Debug)]
pub struct Wish {
    pub at: Ms,
    /// The number of the monitor.
    pub monitor: usize,
    pub ask: Ask,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub enum Ask {
    Create,
    /// A merge patch: other cadence and thresholds, or a label.
    Patch(Value),
    Pause,
    Resume,
    Delete,
    Acknowledge,
}

/// Every monitor is created; some are edited, paused, deleted.
pub fn roll(chance: &Chance, monitors: usize, ends: Ms) -> Vec<Wish> {
    let mut wishes = Vec::new();
    for monitor in 0..monitors {
        let latest = if chance.permille(800) { 10_000 } else { ends / 2 };
        let created = chance.between(0..=latest);
        wishes.push(Wish { at: created, monitor, ask: Ask::Create });
        for _ in 0..chance.between(0..=3) {
            let at = chance.between(created + 5_000..=ends);
            match chance.between(0..=9) {
                0..=2 => wishes.push(Wish { at, monitor, ask: Ask::Patch(timing(chance)) }),
                3..=4 => {
                    let label = json!({"labels": {"team": format!("t{}", chance.between(0..=9))}});
                    wishes.push(Wish { at, monitor, ask: Ask::Patch(label) });
                }
                5..=7 => {
                    let until = at + chance.between(1_000..=200_000);
                    wishes.push(Wish { at, monitor, ask: Ask::Pause });
                    wishes.push(Wish { at: until, monitor, ask: Ask::Resume });
                }
                8 => wishes.push(Wish { at, monitor, ask: Ask::Acknowledge }),
                _ => wishes.push(Wish { at, monitor, ask: Ask::Delete }),
            }
        }
    }
    wishes.retain(|wish| wish.at < ends);
    wishes.sort_by_key(|wish| wish.at);
    wishes
}
