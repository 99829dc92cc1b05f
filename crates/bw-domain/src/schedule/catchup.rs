//! What to do about the time in which nobody planned.

use crate::limits;
use crate::time::Instant;

/// Where planning goes on, and what is written off before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatchUp {
    /// Slots in (from, to] are inconclusive: nobody was there to look, and looking now would answer another question.
    pub gap: Option<(Instant, Instant)>,
    /// Slots after this are published.
    pub resume: Instant,
}

/// A mark far behind is not worked off: that would be a storm of probes about the past.
pub fn catch_up(published: Instant, now: Instant) -> CatchUp {
    if now.since(published) <= limits::CATCH_UP {
        return CatchUp { gap: None, resume: published };
    }
    let resume = now - limits::CATCH_UP;
    CatchUp { gap: Some((published, resume)), resume }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Duration;

    #[test]
    fn only_the_last_moments_are_replayed() {
        let now = Instant::from_ms(1_000_000);
        let ago = |ms| now - Duration::from_millis(ms);
        assert_eq!(catch_up(ago(1_500), now), CatchUp { gap: None, resume: ago(1_500) });
        assert_eq!(
            catch_up(ago(60_000), now),
            CatchUp { gap: Some((ago(60_000), ago(2_000))), resume: ago(2_000) }
        );
        let ahead = now + Duration::from_secs(5);
        assert_eq!(catch_up(ahead, now), CatchUp { gap: None, resume: ahead });
    }
}
