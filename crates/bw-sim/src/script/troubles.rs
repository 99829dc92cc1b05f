//! What goes wrong: how much of it, which, and for how long.

use crate::Ms;
use crate::chance::Chance;
use crate::fault::{Fault, FaultKind, Sickness};
use crate::port::sender::SINKS;

/// Crashes happen so soon after they are due, whatever the process does.
pub const CRASH_WITHIN: Ms = 4_000;
/// So long after the end of all trouble everybody is back.
const BACK: Ms = 150_000;
/// So long a process may take to stop.
pub const STOP_WITHIN: Ms = 8_000;

/// Trouble from the beginning to `until`. One seed in eight has none.
pub fn roll(chance: &Chance, nodes: usize, until: Ms, pace: Ms) -> Vec<Fault> {
    if chance.permille(125) {
        return Vec::new();
    }
    let count = chance.between(1..=(until / pace).max(1));
    let mut faults: Vec<Fault> = (0..count).map(|_| one(chance, nodes, until)).collect();
    faults.sort_by_key(|fault| fault.from);
    faults
}

fn one(chance: &Chance, nodes: usize, until: Ms) -> Fault {
    let from = chance.between(1_000..=until - 1_000);
    let node = chance.between(0..=nodes as u64 - 1) as usize;
    let (kind, length) = match chance.between(0..=30) {
        0..=6 => {
            let calls = chance.between(0..=150);
            (FaultKind::Crash { node, calls }, CRASH_WITHIN + away(chance))
        }
        7 => (FaultKind::Stop { node }, STOP_WITHIN + away(chance)),
        8..=9 => (FaultKind::Freeze { node }, chance.between(500..=25_000)),
        10..=11 => (FaultKind::StoreAway, chance.between(300..=60_000)),
        12 => (FaultKind::StoreFull, chance.between(1_000..=60_000)),
        13..=14 => (FaultKind::StoreSlow { ms: chance.between(20..=3_000) }, chance.between(2_000..=60_000)),
        15 => (FaultKind::AnswersLost { permille: chance.between(20..=400) }, chance.between(2_000..=60_000)),
        16 => (FaultKind::QueueAway, chance.between(300..=30_000)),
        17 => (FaultKind::QueueFull, chance.between(300..=60_000)),
        18 => (FaultKind::QueueUnsure, chance.between(5_000..=60_000)),
        19 => (FaultKind::WakesLost, chance.between(5_000..=100_000)),
        20 => (FaultKind::NetworkLost, chance.between(1_000..=200_000)),
        21 => (FaultKind::Panics { permille: chance.between(50..=700) }, chance.between(5_000..=60_000)),
        22 => (FaultKind::OutcomesLate { ms: chance.between(500..=40_000) }, chance.between(2_000..=40_000)),
        23 => (FaultKind::NoRoom, chance.between(2_000..=40_000)),
        24..=28 => sick(chance),
        29 => host_step(chance),
        _ => clock(chance, node),
    };
    Fault { from, to: (from + length).min(until + BACK), kind }
}

/// Most processes are back at once, some are away until nothing that was known is worth anything.
fn away(chance: &Chance) -> Ms {
    if chance.permille(700) { chance.between(50..=6_000) } else { chance.between(6_000..=200_000) }
}

fn sick(chance: &Chance) -> (FaultKind, Ms) {
    const HOW: [Sickness; 5] =
        [Sickness::Refuses, Sickness::Busy, Sickness::Away, Sickness::LosesAnswers, Sickness::Slow];
    let kind = FaultKind::SinkSick { sink: chance.between(0..=SINKS - 1), how: *chance.pick(&HOW) };
    (kind, chance.between(5_000..=120_000))
}

fn host_step(chance: &Chance) -> (FaultKind, Ms) {
    let by = match chance.permille(500) {
        true => chance.between(500..=150_000) as i64,
        false => -(chance.between(500..=30_000) as i64),
    };
    // What was set back is lived through again.
    (FaultKind::HostStep { by }, by.min(0).unsigned_abs() + 1_000)
}

fn clock(chance: &Chance, node: usize) -> (FaultKind, Ms) {
    let sign = if chance.permille(500) { 1 } else { -1 };
    let length = chance.between(5_000..=60_000);
    let kind = match chance.permille(500) {
        true => FaultKind::Skew { node, by: sign * chance.between(50..=8_000) as i64 },
        false => FaultKind::Drift { node, ppm: sign * chance.between(1_000..=80_000) as i64 },
    };
    (kind, length)
}
