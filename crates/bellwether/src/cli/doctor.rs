//! `doctor`: what this host can do, and how to fix what it cannot. It changes nothing that it does not clean up.

use super::args::PlaceArgs;
use super::{Setup, setup_at};
use crate::answer::{Answer, Outcome, Status};
use crate::{compose, resources};
use bw_domain::limits::PROBES_AT_ONCE;
use bw_domain::port::clock::Clock;
use bw_domain::time::Instant;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

/// One finding.
enum Finding {
    Good(String),
    /// Something is missing that one can do without: what, and how to have it.
    Lacks(String, &'static str),
    /// The server would not start or not keep its promises.
    Broken(String, String),
}

/// Looks at everything; exit status 1 if something must be fixed.
pub fn run(place: PlaceArgs) -> Outcome {
    let Setup { environment, settings, .. } = setup_at(&place)?;
    let clock = compose::clock();
    let certificates = match compose::net(&settings, &environment, clock.clone()) {
        Ok(_) => Finding::Good(environment.certificates.clone().unwrap_or_else(|| "built in".to_owned())),
        Err(stop) => Finding::Broken(stop.sentence, "fix the file or unset SSL_CERT_FILE".to_owned()),
    };
    let findings = [
        ("data directory", writable(&settings.data)),
        ("file system", file_system(&settings.data)),
        ("open files", open_files()),
        ("clock", clock_is_set(&*clock)),
        ("resolver", resolver(Path::new("/etc/resolv.conf"))),
        ("IPv4", route("192.0.2.1")),
        ("IPv6", route("2001:db8::1")),
        ("certificates", certificates),
    ];
    let broken = findings.iter().any(|(_, finding)| matches!(finding, Finding::Broken(..)));
    let lines: Vec<String> = findings.iter().map(|(name, finding)| line(name, finding)).collect();
    let status = if broken { Status::Failed } else { Status::Good };
    Ok(Answer { text: lines.join("\n"), status })
}

fn line(name: &str, finding: &Finding) -> String {
    match finding {
        Finding::Good(what) => format!("good    {name}: {what}"),
        Finding::Lacks(what, fix) => format!("lacks   {name}: {what}\n        fix: {fix}"),
        Finding::Broken(what, fix) => format!("broken  {name}: {what}\n        fix: {fix}"),
    }
}

/// The directory, or the nearest one above it that is there, takes files.
fn writable(data: &Path) -> Finding {
    let place = nearest(data);
    let probe = place.join(format!(".bellwether-doctor-{}", std::process::id()));
    let tried = std::fs::write(&probe, b"x").and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) => Finding::Good(data.display().to_string()),
        Err(error) => Finding::Broken(
            format!("{} cannot be written: {error}", place.display()),
            format!(
                "give it to this user (chown) or name another directory with --data; wanted: {}",
                data.display()
            ),
        ),
    }
}

fn nearest(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.ancestors().find(|place| place.exists()).unwrap_or(Path::new("/")).to_owned()
}

/// SQLite's locks and its shared memory want a file system of this machine.
fn file_system(data: &Path) -> Finding {
    let place = nearest(data);
    let place = place.canonicalize().unwrap_or(place);
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    match kind_of(&mounts, &place) {
        None => Finding::Lacks("its kind is unknown".to_owned(), "nothing, if it is a disk of this machine"),
        Some(kind) if ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"].contains(&kind.as_str()) => {
            Finding::Broken(
                format!("{kind} is shared over a network, where the database's locks cannot be trusted"),
                "put the data directory on a disk of this machine".to_owned(),
            )
        }
        Some(kind) if ["tmpfs", "ramfs"].contains(&kind.as_str()) => Finding::Lacks(
            format!("{kind} forgets everything at the next boot"),
            "put the data directory on a disk",
        ),
        Some(kind) => Finding::Good(kind),
    }
}

/// The kind of the mount with the longest path above `place`.
fn kind_of(mounts: &str, place: &Path) -> Option<String> {
    let rows = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let above = rows.filter(|(mount, _)| place.starts_with(mount));
    above.max_by_key(|(mount, _)| mount.len()).map(|(_, kind)| kind.to_owned())
}

/// Each probe is an open file, and the rest of the process wants some.
fn open_files() -> Finding {
    match resources::open_files() {
        None => Finding::Good("no limit".to_owned()),
        Some(limit) if limit >= PROBES_AT_ONCE as u64 + 1_000 => {
            Finding::Good(format!("{limit} may be open at once"))
        }
        Some(limit) => Finding::Lacks(
            format!("{limit} may be open at once, which bounds how many probes run at the same time"),
            "raise the hard limit: LimitNOFILE=65536 in systemd, ulimit -Hn 65536 in a shell",
        ),
    }
}

/// A clock that was never set is years away.
fn clock_is_set(clock: &dyn Clock) -> Finding {
    let now = clock.now();
    let built = Instant::parse("2026-11-01T00:00:00Z").unwrap_or(Instant::ZERO);
    if now < built {
        let fix = "set the clock, and let chrony or systemd-timesyncd keep it".to_owned();
        return Finding::Broken(format!("it says {now}, which is before this program was made"), fix);
    }
    Finding::Good(format!("it says {now}"))
}

fn resolver(file: &Path) -> Finding {
    let fix = "name a server in /etc/resolv.conf, or `resolver:` in each monitor";
    let Ok(text) = std::fs::read_to_string(file) else {
        return Finding::Lacks(format!("{} cannot be read", file.display()), fix);
    };
    let servers: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"))
        .map(str::trim)
        .filter(|server| server.split('%').next().is_some_and(|ip| ip.parse::<IpAddr>().is_ok()))
        .collect();
    match servers.is_empty() {
        true => Finding::Lacks(format!("{} names no server", file.display()), fix),
        false => Finding::Good(servers.join(", ")),
    }
}

/// Whether there is a way to the world: connecting a datagram socket sends nothing and asks the routing table.
fn route(to: &str) -> Finding {
    let Ok(ip) = to.parse::<IpAddr>() else { return Finding::Good(String::new()) };
    let from: SocketAddr =
        if ip.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { (std::net::Ipv6Addr::UNSPECIFIED, 0).into() };
    let asked = UdpSocket::bind(from).and_then(|socket| {
        socket.connect((ip, 9))?;
        socket.local_addr()
    });
    match asked {
        Ok(address) => Finding::Good(format!("there is a route, from {}", address.ip())),
        Err(error) => Finding::Lacks(
            format!("there is no route: {error}"),
            "nothing, if no monitor needs it; else give this host an address of the family",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_counts() {
        let mounts = "/dev/sda1 / ext4 rw 0 0\nserver:/x /srv/data nfs4 rw 0 0\ntmpfs /srv tmpfs rw 0 0\n";
        for (place, kind) in [("/srv/data/bw", "nfs4"), ("/srv/database", "tmpfs"), ("/var/lib", "ext4")] {
            assert_eq!(kind_of(mounts, Path::new(place)).as_deref(), Some(kind), "{place}");
        }
    }

    #[test]
    fn what_is_there_of_a_path() {
        let here = tempfile::tempdir().expect("a directory");
        assert_eq!(nearest(&here.path().join("a/b")), here.path());
        assert!(matches!(writable(&here.path().join("a/b")), Finding::Good(_)));
        assert_eq!(std::fs::read_dir(here.path()).expect("it is there").count(), 0, "nothing is left behind");
    }

    #[test]
    fn servers_of_the_resolver() {
        let here = tempfile::tempdir().expect("a directory");
        let file = here.path().join("resolv.conf");
        for (text, good) in
            [("nameserver 192.0.2.53\nsearch x\n", true), ("search x\n", false), ("nameserver x\n", false)]
        {
            std::fs::write(&file, text).expect("it is written");
            assert_eq!(matches!(resolver(&file), Finding::Good(_)), good, "{text}");
        }
        assert!(matches!(resolver(&here.path().join("none")), Finding::Lacks(..)));
    }
}
