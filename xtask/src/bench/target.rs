//! The target of the checks: nginx with a three-byte answer, a new connection for every check, plain and TLS,
//! on many loopback addresses. Its log is what counts.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{
    certificate::{self, Certificate},
    process::Process,
};
use crate::{shell, test::needs};

/// Loopback addresses on which the target listens: a budget per host is not what is measured here.
pub const ADDRESSES: u32 = 16;

/// Longer than nginx keeps log lines to itself.
const FLUSH: Duration = Duration::from_millis(1300);

pub struct Target {
    process: Process,
    log: PathBuf,
    folder: PathBuf,
    pub plain: u16,
    pub tls: u16,
    pub certificate: Certificate,
    /// From the start of nginx to its first open port.
    pub start: Duration,
}

/// One answered request, as the target saw it.
pub struct Hit {
    /// Seconds since 1970, to the millisecond.
    pub at: f64,
    pub path: String,
}

/// The n-th address of the target.
pub fn address(n: usize) -> Ipv4Addr {
    let last = n as u32 % ADDRESSES + 1;
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 0, 1, 0)) + last)
}

impl Target {
    /// Starts nginx in a folder of its own; on one core only where the scenario asks for it.
    pub fn start(work: &Path, name: &str, core: Option<&str>) -> Result<Target> {
        let folder = work.join(format!("target-{name}"));
        fs::create_dir_all(&folder)?;
        let addresses: Vec<_> = (0..ADDRESSES as usize).map(address).collect();
        let certificate = certificate::make(&folder, &addresses)?;
        let (plain, tls) = (free_port()?, free_port()?);
        let configuration = configuration(&folder, &addresses, (plain, tls), &certificate);
        fs::write(folder.join("nginx.conf"), configuration)?;

        let nginx = shell::find("nginx", &needs::folders()).context("nginx is not here")?;
        let mut command = pinned(&nginx, core);
        command.arg("-p").arg(&folder).args(["-c", "nginx.conf", "-e", "error.log"]);
        let begin = Instant::now();
        let process = Process::start(&mut command)?;
        while TcpStream::connect((address(0), plain)).is_err() {
            ensure!(
                begin.elapsed() < Duration::from_secs(5),
                "nginx does not start: see {}/error.log",
                folder.display()
            );
            thread::sleep(Duration::from_millis(1));
        }
        let (log, start) = (folder.join("access.log"), begin.elapsed());
        Ok(Target { process, log, folder, plain, tls, certificate, start })
    }

    /// The address of the n-th monitor.
    pub fn url(&self, secure: bool, n: usize) -> String {
        match secure {
            false => format!("http://{}:{}/{n}", address(n), self.plain),
            true => format!("https://{}:{}/{n}", address(n), self.tls),
        }
    }

    pub fn cpu(&self) -> Result<f64> {
        self.process.cpu()
    }

    /// Serves a body under `/files/` so that the raw client can fetch as much.
    pub fn serve(&self, name: &str, body: &[u8]) -> Result<String> {
        fs::create_dir_all(self.folder.join("files"))?;
        fs::write(self.folder.join("files").join(name), body)?;
        Ok(format!("/files/{name}"))
    }

    /// Every request answered between two instants.
    pub fn hits(&self, from: f64, to: f64) -> Result<Vec<Hit>> {
        thread::sleep(FLUSH);
        let log = fs::read_to_string(&self.log).context("cannot read the target's log")?;
        let hits = log.lines().filter_map(parse);
        Ok(hits.filter(|hit| hit.at >= from && hit.at < to).collect())
    }
}

fn parse(line: &str) -> Option<Hit> {
    let (at, path) = line.split_once(' ')?;
    Some(Hit { at: at.parse().ok()?, path: path.to_owned() })
}

/// A program that dies with this one, whatever ends it, and runs on one core only where one is named.
pub fn pinned(program: &Path, core: Option<&str>) -> Command {
    let mut command = shell::program("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if let Some(core) = core {
        command.args(["taskset", "-c", core]);
    }
    command.arg(program);
    command
}

/// A port that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((address(0), 0))?.local_addr()?.port())
}

fn configuration(
    folder: &Path,
    addresses: &[Ipv4Addr],
    ports: (u16, u16),
    certificate: &Certificate,
) -> String {
    let listen = |port: u16, tls: &str| -> String {
        addresses.iter().map(|address| format!("listen {address}:{port} backlog=4096{tls};\n")).collect()
    };
    let (plain, tls) = (listen(ports.0, ""), listen(ports.1, " ssl"));
    let (chain, key) = (certificate.chain.display(), certificate.key.display());
    let folder = folder.display();
    format!(
        r#"daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; multi_accept on; }}
http {{
  log_format times '$msec $request_uri';
  access_log {folder}/access.log times buffer=64k flush=1s;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  ssl_certificate {chain};
  ssl_certificate_key {key};
  ssl_protocols TLSv1.3;
  ssl_session_cache off;
  ssl_session_tickets off;
  server {{
    {plain}
    {tls}
    keepalive_timeout 0;
    location / {{ return 200 "ok\n"; }}
    location /files/ {{ root {folder}; keepalive_timeout 60s; }}
  }}
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monitors_are_spread_over_the_addresses() {
        assert_eq!(address(0), Ipv4Addr::new(127, 0, 1, 1));
        assert_eq!(address(15), Ipv4Addr::new(127, 0, 1, 16));
        assert_eq!(address(16), address(0));
    }

    #[test]
    fn the_log_is_read() {
        let hit = parse("1795262400.250 /17").unwrap();
        assert_eq!((hit.at, hit.path.as_str()), (1_795_262_400.25, "/17"));
        assert!(parse("cut").is_none());
    }
}
