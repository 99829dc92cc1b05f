//! Messages that are not for us: what cannot be read, and what another installation published. Each is counted and
//! none is silent, but a thousand of them are one line a minute.

use bw_domain::time::Duration;
use std::sync::Mutex;

/// How often one kind is told.
const TELL: Duration = Duration::from_secs(60);

/// How many messages were not for us, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strangers {
    /// Poison: damaged, of another program, or of another version.
    pub unreadable: u64,
    /// Of another installation.
    pub foreign: u64,
}

/// The count, and when each kind was last told.
#[derive(Debug, Default)]
pub(crate) struct Ledge {
    inner: Mutex<(Strangers, [Option<Duration>; 2])>,
}

impl Ledge {
    pub fn count(&self) -> Strangers {
        self.inner.lock().expect("no one panics while holding the count").0
    }

    /// One more that cannot be read. Answers whether this one is to be told.
    pub fn unreadable(&self, now: Duration) -> bool {
        let mut inner = self.inner.lock().expect("no one panics while holding the count");
        inner.0.unreadable += 1;
        due(&mut inner.1[0], now)
    }

    /// One more of another installation. Answers whether this one is to be told.
    pub fn foreign(&self, now: Duration) -> bool {
        let mut inner = self.inner.lock().expect("no one panics while holding the count");
        inner.0.foreign += 1;
        due(&mut inner.1[1], now)
    }
}

fn due(told: &mut Option<Duration>, now: Duration) -> bool {
    let due = told.is_none_or(|told| now >= told + TELL);
    if due {
        *told = Some(now);
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_one_a_minute_is_told() {
        let ledge = Ledge::default();
        let s = Duration::from_secs;
        assert!(ledge.unreadable(s(5)) && !ledge.unreadable(s(64)) && ledge.foreign(s(64)));
        assert!(ledge.unreadable(s(65)) && !ledge.foreign(s(65)));
        assert_eq!(ledge.count(), Strangers { unreadable: 3, foreign: 2 });
    }
}
