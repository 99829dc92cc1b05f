//! What the queues behind a broker share: the message on the wire, how jobs are put together into messages, and the
//! book of the messages that were received. Nothing here talks to a network; all of it is tested without one.
//!
//! A message holds many jobs, because brokers charge by message; a lease belongs to one job. So an adapter keeps in
//! its book which jobs of a message are done, and acknowledges the message with the last of them. A receiver that
//! dies leaves the whole message to the next: a job that was done comes again, and its outcome is a duplicate.

pub(crate) mod batch;
pub(crate) mod envelope;
pub(crate) mod estimate;
pub(crate) mod ledger;
pub(crate) mod strangers;
pub(crate) mod ticket;

use bw_domain::limits;
use bw_domain::port::queue::Lane;
use bw_domain::time::Duration;

/// Why a queue could not be used at the start: what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address means nothing.
    #[error("{0}")]
    Address(String),
    /// Nobody answers there.
    #[error("{0}")]
    Unreachable(String),
    /// Somebody answers and says no.
    #[error("{0}")]
    Forbidden(String),
    /// The queue is not there and cannot be made.
    #[error("{0}")]
    Missing(String),
    /// It is there, and is not what jobs need.
    #[error("{0}")]
    Unfit(String),
    /// It belongs to another installation.
    #[error("{0}")]
    Foreign(String),
}

/// How far ahead of their instants jobs are published: a message is on its way, and whoever received it waits.
pub(crate) const LEAD: Duration = Duration::from_secs(2);

/// What follows a probe before its job is acknowledged.
const MARGIN: Duration = Duration::from_secs(15);

/// Nothing is urgent for longer than this: a released job or a message that is not ours waits at least so long.
pub(crate) const ASIDE: Duration = Duration::from_secs(5);

/// A lease that ends while its probe runs would have the job run twice, each time.
pub(crate) fn long_enough(lease: Duration) -> Result<(), ConnectError> {
    let least = limits::TIMEOUT_MAX + MARGIN;
    if lease >= least {
        return Ok(());
    }
    let sentence = format!(
        "a job's lease of {lease:?} is shorter than the longest probe ({:?}) and what follows it: give it at least \
         {least:?}",
        limits::TIMEOUT_MAX
    );
    Err(ConnectError::Unfit(sentence))
}

/// A lane as a place in a pair.
pub(crate) const fn place(lane: Lane) -> usize {
    match lane {
        Lane::Now => 0,
        Lane::Planned => 1,
    }
}

/// An address without what may be secret in it.
pub(crate) fn shown(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://…@{place}"),
        (None, Some((_, place))) => format!("…@{place}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_longer_than_the_longest_probe() {
        assert!(long_enough(limits::JOB_LEASE).is_ok());
        let refused = long_enough(limits::TIMEOUT_MAX).expect_err("too short");
        assert!(refused.to_string().contains("at least 75s"), "{refused}");
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(shown("nats://user:word@host:4222"), "nats://…@host:4222");
        assert_eq!(shown("token@host"), "…@host");
        assert_eq!(shown("nats://host:4222"), "nats://host:4222");
    }
}
