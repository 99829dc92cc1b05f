//! What an outcome does to the row of observations, so that the row need not be written with it.
//!
//! At commit the store tries whether one of these effects leads from the old row to the new one. If so the outcome's
//! row with the name of the effect is enough, and after a restart the same function leads to the same place. If not,
//! the row of observations is written too. So memory and disk agree whatever `step` does.

use bw_domain::state::{Cell, Observed, Recent, Seen};
use bw_domain::time::Duration;

/// What becomes of the row of observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The cell of the vantage moves on.
    Counted,
    /// Only the recent slots of the cell are filled.
    Placed,
    /// Nothing, or the row was written whole.
    Nothing,
}

impl Effect {
    const ALL: [Effect; 3] = [Effect::Counted, Effect::Placed, Effect::Nothing];

    /// As it is stored.
    pub fn number(self) -> i64 {
        self as i64
    }

    /// The inverse of [`Effect::number`].
    pub fn from_number(number: i64) -> Option<Self> {
        Effect::ALL.into_iter().find(|effect| effect.number() == number)
    }
}

/// The effect that leads from the old cells to the new ones; `None` when the row must be written.
pub(super) fn effect(old: &Observed, new: &Observed, seen: &Seen) -> Option<Effect> {
    if old.cells.len() != new.cells.len() {
        return None;
    }
    let index = old.cells.iter().position(|cell| cell.vantage == seen.vantage);
    let others = |index: usize| (0..old.cells.len()).filter(move |other| *other != index);
    if let Some(index) = index
        && others(index).all(|other| old.cells[other] == new.cells[other])
    {
        for effect in [Effect::Counted, Effect::Placed] {
            let mut cell = old.cells[index].clone();
            if apply(&mut cell, seen, effect) && cell == new.cells[index] {
                return Some(effect);
            }
        }
    }
    (old.cells == new.cells).then_some(Effect::Nothing)
}

/// Applies an effect to the cell of the vantage. False: the cell does not know its grid yet, so it cannot be done.
pub(super) fn apply(cell: &mut Cell, seen: &Seen, effect: Effect) -> bool {
    if seen.r#try == 0 && effect != Effect::Nothing {
        let Some(every) = every(&cell.recent) else { return false };
        cell.place(seen, every);
    }
    if effect == Effect::Counted {
        cell.count(seen);
    }
    true
}

/// The distance of the slots that are remembered.
fn every(recent: &Recent) -> Option<Duration> {
    let mut slots = recent.slots();
    let (first, second) = (slots.next()?, slots.next()?);
    Some(second.slot.since(first.slot))
}
