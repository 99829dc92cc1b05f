//! A set of name servers that are asked in turn.

use super::{Addresses, Question};
use crate::Failure;
use crate::failure::way_to;
use bw_domain::guard::Policy;
use bw_domain::monitor::Family;
use bw_domain::outcome::Code;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Longest wait for one server before another is asked.
const PATIENCE: Duration = Duration::from_secs(2);
/// Answers that senders keep.
const REMEMBERED: u64 = 1_024;
/// Like the system's resolver, more servers than this are not used.
const SERVERS_MAX: usize = 3;

/// One resolver for each server: which one answered, and how, must stay visible.
pub(super) struct Servers {
    each: Vec<(SocketAddr, TokioResolver)>,
    /// The server that answered last: a dead first one is not waited for each time.
    first: AtomicUsize,
    search: Vec<Name>,
    /// Names with fewer dots are tried below the search domains first, all others only as they are.
    ndots: usize,
}

impl Servers {
    /// The servers of a monitor: `ip` or `ip:port`, separated by commas or spaces.
    pub fn of(text: &str, guard: Policy, remember: bool) -> Result<Self, Failure> {
        let mut addresses = Vec::new();
        for part in text.split([',', ' ']).filter(|part| !part.is_empty()) {
            let address = part.parse().or_else(|_| part.parse().map(|ip: IpAddr| SocketAddr::new(ip, 53)));
            let address = address.map_err(|_| {
                Failure::new(
                    Code::SELF_FAULT,
                    format!("`{part}` is no name server: write an address, or address:port"),
                )
            })?;
            guard
                .allows(address.ip())
                .map_err(|refusal| Failure::new(Code::SELF_GUARD, refusal.to_string()))?;
            addresses.push(address);
        }
        Servers::new(&addresses, remember)
    }

    pub fn new(addresses: &[SocketAddr], remember: bool) -> Result<Self, Failure> {
        if addresses.is_empty() {
            return Err(Failure::new(Code::SELF_BLIND, "no name server is configured"));
        }
        let each =
            addresses.iter().take(SERVERS_MAX).map(|address| Ok((*address, resolver(*address, remember)?)));
        Ok(Servers {
            each: each.collect::<Result<_, Failure>>()?,
            first: AtomicUsize::new(0),
            search: Vec::new(),
            ndots: 1,
        })
    }

    /// Names with fewer than `ndots` dots are tried below these domains first.
    pub fn searching(mut self, domains: Vec<Name>, ndots: usize) -> Self {
        self.search = domains;
        self.ndots = ndots;
        self
    }

    /// The addresses of the first of the candidate names that has any.
    pub async fn addresses(&self, question: &Question<'_>) -> Result<Addresses, Failure> {
        let mut last = None;
        for name in self.candidates(question.host)? {
            match self.of_name(&name, question).await {
                Err(Silence::NoName(failure) | Silence::NoAddress(failure)) => last = Some(failure),
                Err(Silence::Unknown(failure)) => return Err(failure),
                Ok(addresses) => return Ok(addresses),
            }
        }
        Err(last.expect("there is always a candidate, the name itself"))
    }

    fn candidates(&self, host: &str) -> Result<Vec<Name>, Failure> {
        let name = Name::from_utf8(host).map_err(|error| {
            Failure::new(Code::DNS_NXDOMAIN, format!("`{host}` cannot be a name: {error}"))
        })?;
        let mut all = Vec::with_capacity(1);
        if !host.ends_with('.') && host.matches('.').count() < self.ndots {
            all.extend(self.search.iter().filter_map(|domain| name.clone().append_domain(domain).ok()));
        }
        let mut absolute = name;
        absolute.set_fqdn(true);
        all.push(absolute);
        Ok(all)
    }

    /// Families in their order: of `any`, IPv4 and only without one IPv6.
    async fn of_name(&self, name: &Name, question: &Question<'_>) -> Result<Addresses, Silence> {
        let kinds: &[RecordType] = match question.family {
            Family::Any => &[RecordType::A, RecordType::AAAA],
            Family::V4 => &[RecordType::A],
            Family::V6 => &[RecordType::AAAA],
        };
        let mut none = None;
        for kind in kinds {
            match self.ask_twice(name, *kind, question.within).await {
                // A name that does not exist has no other records either; one that does may.
                Err(silence @ Silence::NoAddress(_)) => none = none.or(Some(silence)),
                other => return other,
            }
        }
        Err(none.expect("at least one kind was asked"))
    }

    /// Asks one server and, unless that gave addresses, another.
    async fn ask_twice(&self, name: &Name, kind: RecordType, within: Duration) -> Result<Addresses, Silence> {
        let patience = PATIENCE.min(within / 2);
        let first = self.first.load(Relaxed) % self.each.len();
        let said = match self.ask(first, name, kind, patience).await {
            Err(said) => said,
            found => return found,
        };
        let second = (first + 1) % self.each.len();
        // The only server's clear word stands; everything else is asked again.
        if second == first && said.is_clear() {
            return Err(said);
        }
        let again = self.ask(second, name, kind, patience).await;
        let again = match again {
            Err(again) if !again.is_clear() => again,
            clear => {
                self.first.store(second, Relaxed);
                return clear;
            }
        };
        // A clear word beats none, and a server that spoke says more than one that was silent.
        let silent = matches!(&again, Silence::Unknown(failure) if failure.code == Code::DNS_TIMEOUT);
        Err(if said.is_clear() || silent { said } else { again })
    }

    async fn ask(
        &self,
        which: usize,
        name: &Name,
        kind: RecordType,
        patience: Duration,
    ) -> Result<Addresses, Silence> {
        let (server, resolver) = &self.each[which];
        let asked = tokio::time::timeout(patience, resolver.lookup(name.clone(), kind)).await;
        let error = match asked.unwrap_or(Err(NetError::Timeout)) {
            Ok(lookup) => {
                let found: Addresses =
                    lookup.answers().iter().filter_map(|record| address(&record.data)).collect();
                if !found.is_empty() {
                    return Ok(found);
                }
                return Err(no_address(name, kind));
            }
            Err(error) => error,
        };
        Err(match error {
            NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::NXDomain => {
                Silence::NoName(Failure::new(Code::DNS_NXDOMAIN, format!("{} does not exist", shown(name))))
            }
            NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::NoError => {
                no_address(name, kind)
            }
            error => Silence::Unknown(unanswered(&error, *server, name)),
        })
    }
}

/// Why there is no address.
enum Silence {
    /// The server says that there is no such name.
    NoName(Failure),
    /// The server says that the name has no address of this family.
    NoAddress(Failure),
    /// It did not say.
    Unknown(Failure),
}

impl Silence {
    fn is_clear(&self) -> bool {
        !matches!(self, Silence::Unknown(_))
    }
}

fn resolver(address: SocketAddr, remember: bool) -> Result<TokioResolver, Failure> {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options: &mut ResolverOpts = builder.options_mut();
    options.timeout = PATIENCE;
    options.attempts = 0;
    options.cache_size = if remember { REMEMBERED } else { 0 };
    options.use_hosts_file = ResolveHosts::Never;
    // The kernel picks ports at random too, and needs no second try when one is taken.
    options.os_port_selection = true;
    builder
        .build()
        .map_err(|error| Failure::new(Code::SELF_FAULT, format!("no resolver for {address}: {error}")))
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(ip) => Some(ip.0.into()),
        RData::AAAA(ip) => Some(ip.0.into()),
        _ => None,
    }
}

fn no_address(name: &Name, kind: RecordType) -> Silence {
    let family = if kind == RecordType::A { "IPv4" } else { "IPv6" };
    Silence::NoAddress(Failure::new(Code::DNS_NXDOMAIN, format!("{} has no {family} address", shown(name))))
}

fn unanswered(error: &NetError, server: SocketAddr, name: &Name) -> Failure {
    match error {
        NetError::Timeout => Failure::new(
            Code::DNS_TIMEOUT,
            format!("name server {server} did not answer for {}", shown(name)),
        ),
        NetError::Busy => {
            Failure::new(Code::SELF_OVERLOADED, "this host asks its name servers too much at once")
        }
        // The resolver does not say what the operating system said. A name server is part of our own network:
        // without a way to it, or without a socket, we cannot see.
        NetError::Io(_) | NetError::NoConnections => way_to(server.ip()).err().unwrap_or_else(|| {
            Failure::new(Code::DNS_SERVFAIL, format!("name server {server} cannot be reached"))
        }),
        NetError::Dns(DnsError::ResponseCode(code)) => Failure::new(
            Code::DNS_SERVFAIL,
            format!("name server {server} answered `{code}` for {}", shown(name)),
        ),
        other => Failure::new(Code::DNS_SERVFAIL, format!("name server {server}: {other}")),
    }
}

fn shown(name: &Name) -> String {
    name.to_utf8().trim_end_matches('.').to_owned()
}
