//! How often one address may ask, and how often it may be wrong. Kept in memory: after a restart everybody begins
//! anew, which costs an attacker a restart of ours for ten guesses.

use crate::limits;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Both limits.
pub(super) struct Throttle {
    requests: Limiter,
    wrong: Limiter,
}

impl Default for Throttle {
    fn default() -> Self {
        let number = |n| NonZeroU32::new(n).expect("the limits are not zero");
        let requests = Quota::per_second(number(limits::REQUESTS_PER_SECOND))
            .allow_burst(number(limits::REQUESTS_BURST));
        let wrong = Quota::with_period(limits::WRONG_EVERY)
            .expect("the period is not zero")
            .allow_burst(number(limits::WRONG_BURST));
        Throttle { requests: Limiter::new(requests), wrong: Limiter::new(wrong) }
    }
}

impl Throttle {
    /// Counts a request; how long to wait when there were too many.
    pub fn request(&self, from: IpAddr) -> Result<(), Duration> {
        self.requests.count(from)
    }

    /// Counts a guess at a password or token, before it is looked at.
    pub fn guess(&self, from: IpAddr) -> Result<(), Duration> {
        self.wrong.count(from)
    }

    /// Refuses whoever has guessed more than is allowed, until the next guess is.
    pub fn barred(&self, from: IpAddr) -> Result<(), Duration> {
        self.wrong.barred(from)
    }
}

struct Limiter {
    inner: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
    /// Until when those are refused who were refused last.
    bars: Mutex<HashMap<IpAddr, <DefaultClock as Clock>::Instant>>,
}

impl Limiter {
    fn new(quota: Quota) -> Self {
        Limiter { inner: RateLimiter::keyed(quota), clock: DefaultClock::default(), bars: Mutex::default() }
    }

    fn count(&self, from: IpAddr) -> Result<(), Duration> {
        if self.inner.len() > limits::ADDRESSES {
            self.inner.retain_recent();
        }
        let (net, now) = (whole_net(from), self.clock.now());
        self.inner.check_key(&net).map_err(|until| {
            let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
            if bars.len() > limits::ADDRESSES {
                bars.retain(|_, until| *until > now);
            }
            bars.insert(net, until.earliest_possible());
            until.wait_time_from(now)
        })
    }

    fn barred(&self, from: IpAddr) -> Result<(), Duration> {
        let bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        match bars.get(&whole_net(from)) {
            Some(until) if *until > now => Err(until.duration_since(now)),
            _ => Ok(()),
        }
    }
}

/// Whoever has one IPv6 address has 2^64 of them.
pub(crate) fn whole_net(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let mut octets = v6.octets();
            octets[8..].fill(0);
            IpAddr::from(octets)
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_guesses_are_free_and_each_address_has_its_own() {
        let throttle = Throttle::default();
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        for _ in 0..limits::WRONG_BURST {
            assert!(throttle.guess(address("2001:db8::1")).is_ok());
        }
        let wait = throttle.guess(address("2001:db8::2")).expect_err("the same net");
        assert!(wait > Duration::ZERO && wait <= limits::WRONG_EVERY);
        assert!(throttle.guess(address("10.0.0.1")).is_ok());
    }
}
