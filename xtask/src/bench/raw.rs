//! The raw clients: the least that the same work costs, blocking sockets and rustls, nothing kept.
//!
//! They run as a process of their own so that the kernel counts their CPU time apart.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use rustls::{ClientConfig, ClientConnection, RootCertStore, client::Resumption};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use serde::{Deserialize, Serialize};

use super::{process, target, time};
use crate::{Verdict, shell};

#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// The target's port on its addresses.
    #[arg(long)]
    pub port: u16,
    /// The authority of its certificate: check over TLS.
    #[arg(long)]
    pub authority: Option<PathBuf>,
    #[arg(long)]
    pub checks: usize,
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Spread the checks evenly, this many in a second, and write the planned instant into the path.
    #[arg(long)]
    pub pace: Option<f64>,
}

/// What a raw client measured of itself.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Report {
    pub checks: usize,
    pub cpu_s: f64,
    pub wall_s: f64,
}

impl Report {
    pub fn cpu_us_per_check(&self) -> f64 {
        self.cpu_s * 1e6 / self.checks as f64
    }
}

/// Starts a raw client as a process and reads its report.
pub fn start(program: &Path, options: &Options, core: Option<&str>) -> Result<Report> {
    let mut command = target::pinned(program, core);
    command.arg("raw").args(["--port", &options.port.to_string(), "--checks", &options.checks.to_string()]);
    command.args(["--threads", &options.threads.to_string()]);
    if let Some(authority) = &options.authority {
        command.arg("--authority").arg(authority);
    }
    if let Some(pace) = options.pace {
        command.args(["--pace", &pace.to_string()]);
    }
    serde_json::from_slice(&shell::capture(&mut command)?).context("the raw client prints no report")
}

/// For the scenarios: so many checks over one connection after the other.
pub fn plain(port: u16, checks: usize) -> Options {
    Options { port, checks, threads: 1, ..Options::default() }
}

pub fn run(options: &Options) -> Result<Verdict> {
    let tls = options.authority.as_deref().map(configuration).transpose()?;
    let (cpu, start) = (process::own_cpu()?, Instant::now());
    let threads: Vec<_> = (0..options.threads.max(1))
        .map(|thread| {
            let (options, tls) = (options.clone(), tls.clone());
            thread::spawn(move || work(&options, tls.as_ref(), thread))
        })
        .collect();
    let mut checks = 0;
    for thread in threads {
        checks += thread.join().map_err(|_| anyhow::anyhow!("a thread of the raw client failed"))??;
    }
    let report = Report { checks, cpu_s: process::own_cpu()? - cpu, wall_s: start.elapsed().as_secs_f64() };
    println!("{}", serde_json::to_string(&report)?);
    Ok(Verdict::Good)
}

/// One thread's share of the checks.
fn work(options: &Options, tls: Option<&Arc<ClientConfig>>, thread: usize) -> Result<usize> {
    let share = options.checks / options.threads.max(1);
    let (start, wall) = (Instant::now(), time::now());
    for n in 0..share {
        let path = match options.pace {
            None => format!("/{n}"),
            Some(pace) => {
                let due = (n + 1) as f64 / pace;
                thread::sleep(Duration::from_secs_f64(due).saturating_sub(start.elapsed()));
                format!("/raw/{:.4}", wall + due)
            }
        };
        check(options.port, tls, thread + n, &path)?;
    }
    Ok(share)
}

fn check(port: u16, tls: Option<&Arc<ClientConfig>>, n: usize, path: &str) -> Result<()> {
    let address = target::address(n);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut stream = TcpStream::connect((address, port))?;
    stream.set_nodelay(true)?;
    let mut buffer = [0u8; 2048];
    let read = match tls {
        None => exchange(&mut stream, request.as_bytes(), &mut buffer)?,
        Some(configuration) => {
            let name = ServerName::IpAddress(std::net::IpAddr::V4(address).into());
            let mut connection = ClientConnection::new(Arc::clone(configuration), name)?;
            exchange(&mut rustls::Stream::new(&mut connection, &mut stream), request.as_bytes(), &mut buffer)?
        }
    };
    ensure!(buffer[..read].starts_with(b"HTTP/1.1 200"), "the target did not answer 200");
    Ok(())
}

/// Writes the request and reads until the target closes.
fn exchange(stream: &mut (impl Read + Write), request: &[u8], buffer: &mut [u8]) -> Result<usize> {
    stream.write_all(request)?;
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..])?;
        if read == 0 {
            return Ok(filled);
        }
        filled += read;
    }
}

/// Verifies the chain; a full hand-shake for every check.
fn configuration(authority: &Path) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let pem = fs::read(authority).with_context(|| format!("cannot read {}", authority.display()))?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut configuration = builder.with_root_certificates(roots).with_no_client_auth();
    configuration.resumption = Resumption::disabled();
    Ok(Arc::new(configuration))
}
