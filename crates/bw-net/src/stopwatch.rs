//! The time that each phase takes, over the clock port. It is shared by reference between the steps and the
//! stream below them, and outlives a probe that its deadline cuts off, so that the phase under way is known.

use bw_domain::outcome::{Phase, Phases};
use bw_domain::port::clock::Clock;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Runs from its making. At each instant at most one phase is under way.
pub struct Stopwatch<'a> {
    clock: &'a dyn Clock,
    began: u64,
    /// When the phase under way began, in microseconds of the clock.
    lap: AtomicU64,
    /// The place of the phase in `Phase::ALL`, or `IDLE`. One task writes all of these: the atomics only make
    /// sharing possible, so no order between them is needed.
    phase: AtomicU8,
    phases: [AtomicU32; 6],
}

const IDLE: u8 = u8::MAX;

impl<'a> Stopwatch<'a> {
    pub fn start(clock: &'a dyn Clock) -> Self {
        let began = micros(clock.monotonic());
        Stopwatch {
            clock,
            began,
            lap: AtomicU64::new(began),
            phase: AtomicU8::new(IDLE),
            phases: Default::default(),
        }
    }

    /// Ends the phase under way and begins this one.
    pub fn enter(&self, phase: Phase) {
        self.lap(phase as u8);
    }

    /// Ends the phase under way.
    pub fn stop(&self) {
        self.lap(IDLE);
    }

    fn lap(&self, next: u8) {
        let now = micros(self.clock.monotonic());
        let took = now.saturating_sub(self.lap.swap(now, Relaxed));
        if let Some(spent) = self.phases.get(usize::from(self.phase.swap(next, Relaxed))) {
            let sum = u64::from(spent.load(Relaxed)).saturating_add(took);
            spent.store(u32::try_from(sum).unwrap_or(u32::MAX), Relaxed);
        }
    }

    /// The phase under way.
    pub fn phase(&self) -> Option<Phase> {
        Phase::ALL.get(usize::from(self.phase.load(Relaxed))).copied()
    }

    /// The times of the phases that have ended, each the sum of its laps.
    pub fn phases(&self) -> Phases {
        Phases(std::array::from_fn(|at| self.phases[at].load(Relaxed)))
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        Duration::from_micros(micros(self.clock.monotonic()).saturating_sub(self.began))
    }
}

fn micros(at: Duration) -> u64 {
    u64::try_from(at.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bw_domain::time::Instant;

    /// Each reading is one microsecond after the one before.
    struct Ticking(AtomicU64);

    impl Clock for Ticking {
        fn now(&self) -> Instant {
            Instant::ZERO
        }

        fn monotonic(&self) -> Duration {
            Duration::from_micros(self.0.fetch_add(1, Relaxed))
        }
    }

    #[test]
    fn laps_of_a_phase_add_up() {
        let clock = Ticking(AtomicU64::new(7));
        let watch = Stopwatch::start(&clock);
        watch.enter(Phase::Send);
        watch.enter(Phase::Wait);
        watch.enter(Phase::Send);
        assert_eq!(watch.phase(), Some(Phase::Send));
        watch.stop();
        watch.stop();
        assert_eq!(watch.phase(), None);
        assert_eq!(watch.phases(), Phases([0, 0, 0, 2, 1, 0]));
        assert_eq!(watch.elapsed(), Duration::from_micros(6));
    }
}
