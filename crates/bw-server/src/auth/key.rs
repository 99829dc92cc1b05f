//! A key that a machine was given, long and random: guessing it is counted, and who has it is let in all the same.

use super::Auth;
use std::net::IpAddr;
use std::time::Duration;

impl Auth {
    /// Counts a wrong key of this address; for how long it should not try another when there were too many.
    pub(crate) fn guessed(&self, from: IpAddr) -> Result<(), Duration> {
        self.throttle.guess(from)
    }
}
