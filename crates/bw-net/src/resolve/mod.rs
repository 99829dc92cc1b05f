//! Names to addresses, with name servers of our own: no library cache, no daemon between us and the answer. For
//! probes nothing is remembered from one look-up to the next; for senders answers are kept for their time to live.
//!
//! A verdict about a name rests on two answers: what one server says is asked of another before it is believed,
//! unless there is only one and it said so clearly.

mod servers;
mod system;

pub use system::SystemFiles;

use crate::Failure;
use bw_domain::guard::Policy;
use bw_domain::monitor::Family;
use bw_domain::outcome::Code;
use servers::Servers;
use smallvec::{SmallVec, smallvec};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use system::System;

/// Usually one, never many.
pub(crate) type Addresses = SmallVec<[IpAddr; 4]>;

/// Resolvers of monitors that are kept ready. Beyond it all are made anew, which costs microseconds.
const KEPT: usize = 1_024;

/// A name to look up.
pub(crate) struct Question<'a> {
    pub host: &'a str,
    pub family: Family,
    /// Name servers to ask instead of the system's.
    pub resolver: Option<&'a str>,
    /// What is left of the probe's time.
    pub within: Duration,
}

/// Every resolver of the process, by its configuration.
pub(crate) struct Names {
    system: System,
    /// By the text of a monitor's `resolver`.
    own: Mutex<HashMap<Box<str>, Arc<Servers>>>,
    remember: bool,
}

impl Names {
    pub fn new(files: SystemFiles, remember: bool) -> Self {
        Names { system: System::new(files, remember), own: Mutex::default(), remember }
    }

    /// The addresses of a host, in the order in which to try them, never empty.
    pub async fn resolve(
        &self,
        question: &Question<'_>,
        guard: Policy,
        now: Duration,
    ) -> Result<Addresses, Failure> {
        if let Ok(ip) = question.host.parse::<IpAddr>() {
            return literal(ip, question.family);
        }
        let host = question.host.trim_end_matches('.');
        if host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost") {
            return Ok(loopback(question.family));
        }
        if let Some(text) = question.resolver {
            return Box::pin(self.own(text, guard)?.addresses(question)).await;
        }
        let system = self.system.current(now);
        let listed = system.hosts.get(&*host.to_ascii_lowercase()).into_iter().flatten().copied();
        let listed: Addresses = listed.filter(|ip| accepts(question.family, *ip)).collect();
        if !listed.is_empty() {
            return Ok(listed);
        }
        // On the heap: most targets of most probes are literal or listed, and need not carry this.
        Box::pin(system.servers.as_ref().map_err(Clone::clone)?.addresses(question)).await
    }

    fn own(&self, text: &str, guard: Policy) -> Result<Arc<Servers>, Failure> {
        // The map is whole even if a thread died while it held the lock.
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(servers) = own.get(text) {
            return Ok(servers.clone());
        }
        let servers = Arc::new(Servers::of(text, guard, self.remember)?);
        if own.len() >= KEPT {
            own.clear();
        }
        own.insert(text.into(), servers.clone());
        Ok(servers)
    }
}

/// True when a vantage of this family may use the address.
fn accepts(family: Family, ip: IpAddr) -> bool {
    match family {
        Family::Any => true,
        Family::V4 => ip.is_ipv4(),
        Family::V6 => ip.is_ipv6(),
    }
}

fn literal(ip: IpAddr, family: Family) -> Result<Addresses, Failure> {
    if accepts(family, ip) {
        return Ok(smallvec![ip]);
    }
    let wanted = if family == Family::V4 { "IPv4" } else { "IPv6" };
    Err(Failure::new(Code::DNS_NXDOMAIN, format!("{ip} is no {wanted} address")))
}

/// The names of this machine are never asked of anybody.
fn loopback(family: Family) -> Addresses {
    let both: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    both.into_iter().filter(|ip| accepts(family, *ip)).collect()
}
