//! The host's own resolver settings. They change under a running process (a laptop moves, a container's network
//! comes up late), so they are looked at again every few seconds.

use super::servers::Servers;
use crate::Failure;
use crate::failure::plain;
use bw_domain::outcome::Code;
use hickory_resolver::system_conf;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Where the settings are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemFiles {
    pub resolv_conf: PathBuf,
    pub hosts: PathBuf,
}

impl Default for SystemFiles {
    fn default() -> Self {
        SystemFiles { resolv_conf: "/etc/resolv.conf".into(), hosts: "/etc/hosts".into() }
    }
}

/// How old what we know of the files may become.
const FRESH: Duration = Duration::from_secs(5);

pub(super) struct System {
    files: SystemFiles,
    remember: bool,
    known: Mutex<Option<Known>>,
}

struct Known {
    looked_at: Duration,
    stamp: [Stamp; 2],
    settings: Arc<Settings>,
}

/// Changes when a file does.
type Stamp = Option<(SystemTime, u64)>;

/// What the files say. Without name servers the hosts file still counts.
pub(super) struct Settings {
    pub servers: Result<Servers, Failure>,
    pub hosts: HashMap<Box<str>, Vec<IpAddr>>,
}

impl System {
    pub fn new(files: SystemFiles, remember: bool) -> Self {
        System { files, remember, known: Mutex::new(None) }
    }

    /// The settings, at most a few seconds old.
    pub fn current(&self, now: Duration) -> Arc<Settings> {
        // What is known is replaced whole, so it is sound even if a thread died while it held the lock.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref().filter(|known| now.saturating_sub(known.looked_at) < FRESH) {
            return known.settings.clone();
        }
        let stamp = [stamp(&self.files.resolv_conf), stamp(&self.files.hosts)];
        let settings = match known.take() {
            Some(known) if known.stamp == stamp => known.settings,
            _ => Arc::new(read(&self.files, self.remember)),
        };
        *known = Some(Known { looked_at: now, stamp, settings: settings.clone() });
        settings
    }
}

fn stamp(path: &Path) -> Stamp {
    let data = path.metadata().ok()?;
    Some((data.modified().ok()?, data.len()))
}

fn read(files: &SystemFiles, remember: bool) -> Settings {
    // A host without a hosts file is in order.
    let hosts = std::fs::read_to_string(&files.hosts).unwrap_or_default();
    Settings { servers: servers(&files.resolv_conf, remember), hosts: parse_hosts(&hosts) }
}

fn servers(path: &Path, remember: bool) -> Result<Servers, Failure> {
    let blind = |reason: String| {
        let remedy = "give the host a name server, or the monitor a `resolver`";
        Failure::new(
            Code::SELF_BLIND,
            format!("this host cannot look names up: {}: {reason}; {remedy}", path.display()),
        )
    };
    let text = std::fs::read(path).map_err(|error| blind(plain(&error)))?;
    let (config, options) = system_conf::parse_resolv_conf(text).map_err(|error| blind(error.to_string()))?;
    let addresses: Vec<SocketAddr> =
        config.name_servers().iter().map(|server| SocketAddr::new(server.ip, 53)).collect();
    Ok(Servers::new(&addresses, remember)?.searching(config.search().to_vec(), options.ndots))
}

fn parse_hosts(text: &str) -> HashMap<Box<str>, Vec<IpAddr>> {
    let mut hosts: HashMap<Box<str>, Vec<IpAddr>> = HashMap::new();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(ip) = words.next().and_then(|word| word.parse().ok()) else { continue };
        for name in words {
            hosts.entry(name.to_ascii_lowercase().into()).or_default().push(ip);
        }
    }
    // IPv4 first, as everywhere.
    hosts.values_mut().for_each(|all| all.sort_by_key(IpAddr::is_ipv6));
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_files() {
        let hosts = parse_hosts("# x\n::1 box Box.lan # y\n10.0.0.1\tbox\nnonsense z\n\n10.0.0.2 #\n");
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert_eq!(hosts.get("box"), Some(&vec![ip("10.0.0.1"), ip("::1")]));
        assert_eq!(hosts.get("box.lan"), Some(&vec![ip("::1")]));
        assert_eq!(hosts.len(), 2);
    }
}
