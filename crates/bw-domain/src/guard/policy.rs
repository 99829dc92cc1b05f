//! The rule over addresses: some never, some unless strict.

use super::address::{Reach, reach};
use std::net::IpAddr;

/// `guard:` of the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Refuses loopback and private ranges too. People watch their own networks, so not by default.
    pub strict: bool,
}

/// Why an address may not be contacted, as one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{ip} is {what}, which {rule}", what = self.what(), rule = self.rule())]
pub struct Refusal {
    pub ip: IpAddr,
    pub reach: Reach,
}

impl Policy {
    /// Whether a probe or a sender may contact this address.
    pub fn allows(&self, ip: IpAddr) -> Result<(), Refusal> {
        let reach = reach(ip);
        let allowed = match reach {
            Reach::Global => true,
            Reach::Loopback | Reach::Private => !self.strict,
            _ => false,
        };
        if allowed { Ok(()) } else { Err(Refusal { ip, reach }) }
    }
}

impl Refusal {
    fn what(&self) -> &'static str {
        match self.reach {
            Reach::Metadata => "a cloud metadata address",
            Reach::LinkLocal => "a link-local address",
            Reach::Unspecified => "no address of a machine",
            Reach::Multicast => "a multicast address",
            Reach::Broadcast => "a broadcast address",
            Reach::Loopback => "a loopback address",
            Reach::Private => "a private address",
            Reach::Global => "a public address",
        }
    }

    fn rule(&self) -> &'static str {
        match self.reach {
            Reach::Loopback | Reach::Private => "`guard: {strict: true}` refuses",
            _ => "is never contacted",
        }
    }
}
