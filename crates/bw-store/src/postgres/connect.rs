//! From an address to a bounded pool of connections: what the address says, how far the server is trusted, and what
//! every session is told.
//!
//! Must hold: `sslmode` means what it means to libpq; the password is shown nowhere; no wait is without a bound.

use super::open::{OpenError, Options};
use super::tls;
use bw_domain::time::Duration;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use std::path::PathBuf;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

/// To open a connection, and to wait for one of the pool.
const CONNECT: Duration = Duration::from_secs(5);
/// Sent and not acknowledged for so long, a connection is dead.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// What every session is told: nothing waits for ever, and nothing that was answered may be lost. Plans are kept, and
/// one that was made while a table was small would go on reading it whole: every statement has its index.
const SESSION: &str = "SET statement_timeout = '10s'; SET lock_timeout = '5s';
    SET idle_in_transaction_session_timeout = '15s'; SET client_min_messages = warning;
    SET jit = off; SET enable_seqscan = off;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Where the database is, and how it is spoken to.
#[derive(Clone)]
pub(super) struct Target {
    pub config: Config,
    pub tls: MakeRustlsConnect,
    /// `host:port/database`, for sentences.
    pub place: String,
    pub user: String,
}

/// Reads the address.
pub(super) fn target(options: &Options) -> Result<Target, OpenError> {
    let url = options.url.expose();
    let known = url.starts_with("postgres://") || url.starts_with("postgresql://");
    if !known {
        return Err(OpenError::Url("it begins with postgres://".to_owned()));
    }
    let (rest, trust) = split(url, options.roots.clone())?;
    let mut config: Config =
        rest.parse().map_err(|error: tokio_postgres::Error| OpenError::Url(super::error::shown(&error)))?;
    config.ssl_mode(trust.mode.wire());
    config.connect_timeout(CONNECT).keepalives(true).keepalives_idle(UNACKNOWLEDGED);
    config.tcp_user_timeout(UNACKNOWLEDGED);
    if config.get_application_name().is_none() {
        config.application_name("bellwether");
    }
    if config.get_hosts().is_empty() {
        return Err(OpenError::Url("it names no host".to_owned()));
    }
    if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
        // Of several servers only one takes what is written.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    let user = config.get_user().unwrap_or("the user of this process").to_owned();
    let place = place(&config);
    Ok(Target { tls: tls::connector(&trust)?, config, place, user })
}

/// How far the server is trusted.
pub(super) struct Trust {
    pub mode: Mode,
    /// A PEM file for those that verify; without one the authorities of the public web.
    pub roots: Option<PathBuf>,
}

/// `sslmode`, as libpq means it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Disable,
    /// Encrypted where the server can, with whoever it is.
    Prefer,
    /// Encrypted, with whoever it is; where the address names roots they count, as in `verify-ca`.
    Require,
    /// The chain must lead to a root; the name may be another.
    VerifyCa,
    VerifyFull,
}

impl Mode {
    fn parse(word: &str) -> Result<Self, OpenError> {
        match word {
            "disable" => Ok(Mode::Disable),
            "prefer" => Ok(Mode::Prefer),
            "require" => Ok(Mode::Require),
            "verify-ca" => Ok(Mode::VerifyCa),
            "verify-full" => Ok(Mode::VerifyFull),
            other => Err(OpenError::Url(format!(
                "sslmode is disable, prefer, require, verify-ca or verify-full, not {other:?}"
            ))),
        }
    }

    fn wire(self) -> SslMode {
        match self {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        }
    }
}

/// Takes out what the driver does not know.
fn split(url: &str, roots: Option<PathBuf>) -> Result<(String, Trust), OpenError> {
    let mut trust = Trust { mode: Mode::Prefer, roots };
    let Some((address, query)) = url.split_once('?') else { return Ok((url.to_owned(), trust)) };
    let (mut rest, mut named) = (Vec::new(), false);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", word)) => trust.mode = Mode::parse(word)?,
            Some(("sslrootcert", "system")) => trust.roots = None,
            Some(("sslrootcert", path)) => {
                trust.roots = Some(decoded(path)?.into());
                named = true;
            }
            _ => rest.push(pair),
        }
    }
    if named && trust.mode == Mode::Require {
        trust.mode = Mode::VerifyCa;
    }
    let query = if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
    Ok((format!("{address}{query}"), trust))
}

/// `%2F` and its like.
fn decoded(text: &str) -> Result<String, OpenError> {
    let wrong = || OpenError::Url(format!("sslrootcert: {text:?} is not percent-encoded"));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next().ok_or_else(wrong)?, rest.next().ok_or_else(wrong)?];
        let digits = std::str::from_utf8(&digits).map_err(|_| wrong())?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

fn place(config: &Config) -> String {
    let host = |host: &Host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    };
    let ports = config.get_ports();
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(index, named)| {
            let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
            format!("{}:{port}", host(named))
        })
        .collect();
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("{}/{database}", hosts.join(","))
}

/// A pool of so many connections.
pub(super) fn pool(target: &Target, size: usize) -> Result<Pool, OpenError> {
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(target.config.clone(), target.tls.clone(), recycling);
    let told = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
        Box::pin(async move { client.batch_execute(SESSION).await.map_err(HookError::Backend) })
    });
    let timeouts = Timeouts { wait: Some(CONNECT), create: Some(CONNECT), recycle: Some(CONNECT) };
    let pool = Pool::builder(manager).max_size(size.max(2)).timeouts(timeouts).runtime(Runtime::Tokio1);
    pool.post_create(told).build().map_err(|error| OpenError::Url(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_driver_does_not_know_is_taken_out() {
        let split = |url: &str| split(url, None).map(|(rest, trust)| (rest, trust.mode, trust.roots));
        let (rest, mode, roots) =
            split("postgres://a:b@h/d?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&connect_timeout=3")
                .unwrap();
        assert_eq!(rest, "postgres://a:b@h/d?connect_timeout=3");
        assert_eq!((mode, roots), (Mode::VerifyFull, Some("/etc/ca.pem".into())));
        assert_eq!(split("postgres://h/d").unwrap().1, Mode::Prefer);
        let named = split("postgres://h/d?sslrootcert=/ca.pem&sslmode=require").unwrap();
        assert_eq!(named.1, Mode::VerifyCa);
        let wrong = split("postgres://a:b@h/d?sslmode=allow").unwrap_err().to_string();
        assert!(wrong.contains("verify-full, not \"allow\"") && !wrong.contains("a:b"), "{wrong}");
        assert!(split("postgres://h/d?sslrootcert=%2").is_err());
    }
}
