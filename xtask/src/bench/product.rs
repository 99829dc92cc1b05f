//! The product as a person starts it: `serve` with a file, a data folder and a free port.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{ChildStderr, Command, Stdio},
    sync::mpsc::{self, Sender},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::{Bench, http::Client, process::Process, target::pinned};

/// A hundred thousand monitors are read from one file within this.
const PATIENCE: Duration = Duration::from_secs(300);

pub struct Product {
    pub process: Process,
    /// Host and port.
    pub address: String,
    /// From the start of the process to its ready line.
    pub ready: Duration,
}

/// What to start.
pub struct Setup<'a> {
    /// Names the data folder and the log; the same name again is a restart on the same data.
    pub name: &'a str,
    /// The text of `bellwether.yaml`.
    pub file: &'a str,
    /// The authority that it trusts.
    pub authority: Option<&'a Path>,
    /// The only core it may use.
    pub core: Option<&'a str>,
    /// Its command: `serve`, or a role of a fleet.
    pub role: &'a str,
    /// What is in its environment besides.
    pub variables: &'a [(&'static str, String)],
}

impl<'a> Setup<'a> {
    pub fn new(name: &'a str, file: &'a str) -> Setup<'a> {
        Setup { name, file, authority: None, core: None, role: "serve", variables: &[] }
    }

    pub fn data(&self, bench: &Bench) -> PathBuf {
        bench.work.join(format!("data-{}", self.name))
    }

    fn config(&self, bench: &Bench) -> PathBuf {
        bench.work.join(format!("{}.yaml", self.name))
    }

    /// The command line, without where to listen.
    pub fn command(&self, bench: &Bench) -> Command {
        let mut command = pinned(&bench.product, self.core);
        command.env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
        command.arg(self.role).arg("--data").arg(self.data(bench));
        if self.config(bench).exists() {
            command.arg("--config").arg(self.config(bench));
        }
        if let Some(authority) = self.authority {
            command.env("SSL_CERT_FILE", authority);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Product {
    pub fn start(bench: &Bench, setup: &Setup<'_>) -> Result<Product> {
        fs::write(setup.config(bench), setup.file)?;
        let mut command = setup.command(bench);
        command.args(["--listen", "127.0.0.1:0"]).stderr(Stdio::piped()).stdout(Stdio::null());
        let start = Instant::now();
        let mut process = Process::start(&mut command)?;
        let stderr = process.child().stderr.take().context("stderr was not piped")?;
        let log = bench.work.join(format!("{}-{}.log", setup.name, setup.role));
        let (sender, receiver) = mpsc::channel();
        let output = File::options().create(true).append(true).open(&log)?;
        thread::spawn(move || follow(stderr, output, &sender));
        let address = receiver
            .recv_timeout(PATIENCE)
            .with_context(|| format!("the product is not ready: see {}", log.display()))?;
        Ok(Product { process, address, ready: start.elapsed() })
    }

    pub fn client(&self) -> Client {
        Client::new(&self.address)
    }
}

/// Copies the log and reports the ready line. Ends with the process.
fn follow(stderr: ChildStderr, mut log: File, ready: &Sender<String>) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if let Some(address) = ready_address(&line) {
            // The receiver is gone once it has its answer.
            drop(ready.send(address.to_owned()));
        }
        drop(writeln!(log, "{line}"));
    }
}

/// `ready http://127.0.0.1:41234`, with or without a time before it.
fn ready_address(line: &str) -> Option<&str> {
    let (before, address) = line.split_once("ready http://")?;
    (before.is_empty() || before.ends_with(' ')).then(|| address.trim().trim_end_matches('/'))
}

/// A file with monitors of the target, numbered from `first`.
pub fn monitors(urls: impl Iterator<Item = String>, options: &str) -> String {
    let mut file = String::from("monitors:\n");
    for (n, url) in urls.enumerate() {
        file.push_str(&format!("  - {{ name: m{n}, http: \"{url}\", {options} }}\n"));
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_names_the_address() {
        assert_eq!(ready_address("ready http://127.0.0.1:41234"), Some("127.0.0.1:41234"));
        assert_eq!(ready_address("12:00:00 ready http://127.0.0.1:1/"), Some("127.0.0.1:1"));
        assert_eq!(ready_address("already http://x"), None);
    }

    #[test]
    fn a_file_lists_its_monitors() {
        let file = monitors(["http://a/".to_owned()].into_iter(), "every: 1s, timeout: 1s");
        assert_eq!(file, "monitors:\n  - { name: m0, http: \"http://a/\", every: 1s, timeout: 1s }\n");
    }
}
