//! A secret that people share and write into addresses: guessed at more easily than a token, so who guesses wrong too
//! often is not even compared for a while.

use super::Auth;
use bw_domain::access;
use bw_domain::secret::Secret;
use std::net::IpAddr;
use std::time::Duration;
use subtle::ConstantTimeEq;

impl Auth {
    /// Whether somebody at this address has presented what is expected; or for how long nothing is compared.
    pub(crate) fn phrase_is(
        &self,
        from: IpAddr,
        expected: &Secret,
        presented: &str,
    ) -> Result<bool, Duration> {
        self.throttle.barred(from)?;
        // Of equal length, whatever was presented.
        let (expected, presented) = (access::digest(expected.expose()), access::digest(presented));
        let right = bool::from(expected.ct_eq(&presented));
        if !right {
            self.throttle.guess(from)?;
        }
        Ok(right)
    }

    /// Counts a request of another machine.
    pub(crate) fn counted(&self, from: IpAddr) -> Result<(), Duration> {
        if from.is_loopback() { Ok(()) } else { self.throttle.request(from) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::AuthConfig;
    use bw_testkit::dice::Dice;

    #[test]
    fn who_guesses_too_often_is_not_even_told_when_right() {
        let auth = Auth::new(AuthConfig::default(), &Dice::new(7));
        let (secret, from) = (Secret::new("open sesame"), IpAddr::from([192, 0, 2, 1]));
        assert_eq!(auth.phrase_is(from, &secret, "open sesame"), Ok(true));
        for _ in 0..crate::limits::WRONG_BURST {
            assert_eq!(auth.phrase_is(from, &secret, "open barley"), Ok(false));
            assert_eq!(auth.phrase_is(from, &secret, "open sesame"), Ok(true), "being right costs nothing");
        }
        assert!(auth.phrase_is(from, &secret, "open barley").is_err());
        assert!(auth.phrase_is(from, &secret, "open sesame").is_err());
        assert_eq!(auth.phrase_is(IpAddr::from([192, 0, 2, 2]), &secret, "open sesame"), Ok(true));
    }
}
