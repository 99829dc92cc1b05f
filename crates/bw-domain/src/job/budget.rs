//! How late a job may begin and still say something true about its slot.

use crate::limits;
use crate::time::{Duration, Instant};

/// When a job may begin and when it is surely over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Beginning later than this would answer another question than the slot asked.
    pub not_after: Instant,
    /// With the time-out and our own margin passed, no outcome can still come in order.
    pub lost_at: Instant,
}

/// The window of a job that is due at `start`.
pub fn window(start: Instant, every: Duration, timeout: Duration) -> Window {
    let not_after = start + limits::LATENESS.min(every);
    Window { not_after, lost_at: not_after + timeout + limits::LOST_AFTER }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_never_begun_after_the_next_one() {
        let s = Duration::from_secs;
        let at = Instant::from_ms(1_000_000);
        assert_eq!(window(at, s(1), s(1)).not_after, at + s(1));
        assert_eq!(window(at, s(60), s(5)).not_after, at + limits::LATENESS);
        assert_eq!(window(at, s(60), s(5)).lost_at, at + limits::LATENESS + s(10));
    }
}
