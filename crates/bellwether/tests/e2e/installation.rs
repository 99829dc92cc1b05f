//! A data directory with what is said to each process on it: flags, variables, a configuration file. Processes come
//! and go, the installation stays.

use crate::eventually::{PATIENCE, eventually};
use crate::node::Node;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tempfile::TempDir;
use tokio::process::Command;

/// One installation.
pub struct Installation {
    /// Kept as long as a process is on it.
    directory: Arc<TempDir>,
    flags: Vec<String>,
    variables: Vec<(String, String)>,
    /// Each process has a log of its own.
    processes: AtomicUsize,
}

/// How a process ended that was not to stay.
#[derive(Debug)]
pub struct Refusal {
    pub status: Option<i32>,
    #[allow(dead_code, reason = "the suite of the fleet reads it")]
    pub stdout: String,
    pub stderr: String,
}

impl Installation {
    /// On an empty directory, listening on a free port of loopback.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("the temporary directory takes a directory");
        let directory = Arc::new(directory);
        Installation { directory, flags: Vec::new(), variables: Vec::new(), processes: AtomicUsize::new(0) }
    }

    /// With another flag.
    pub fn flag(mut self, flag: &str, value: &str) -> Self {
        self.flags.extend([flag.to_owned(), value.to_owned()]);
        self
    }

    /// With another variable; nothing else is in the environment.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a configuration file.
    pub fn file(self, text: &str) -> Self {
        self.write_file(text);
        self
    }

    /// Writes the configuration file anew, at one go as editors do.
    pub fn write_file(&self, text: &str) {
        let new = self.directory.path().join("new.yaml");
        std::fs::write(&new, text).expect("the temporary directory has room");
        std::fs::rename(new, self.config()).expect("a file of the same directory");
    }

    /// The configuration file, which `serve` finds where it is started.
    fn config(&self) -> PathBuf {
        self.directory.path().join("bellwether.yaml")
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Starts a process with everything in it and waits until it is ready.
    pub async fn start(&self) -> Node {
        self.start_as("serve", &[]).await
    }

    /// Starts a process with a role, and with variables of its own.
    pub async fn start_as(&self, role: &str, variables: &[(&str, &str)]) -> Node {
        let number = self.processes.fetch_add(1, Relaxed);
        let log = self.directory.path().join(format!("stderr-{number}"));
        let stderr = std::fs::File::create(&log).expect("the temporary directory has room");
        let mut command = self.command(role);
        command.args(["--listen", "127.0.0.1:0"].iter().filter(|_| !self.says_where_to_listen()));
        let child = command.envs(variables.iter().copied()).stderr(stderr).spawn();
        let child = child.expect("the binary was built");
        let mut node = Node::new(child, log, self.directory.clone());
        let url = eventually("ready", PATIENCE, async || node.ready_line().ok_or_else(|| node.log())).await;
        node.reached_at(&url);
        node
    }

    /// Starts a process that must refuse to stay.
    pub async fn refused(&self) -> Refusal {
        self.ended("serve", &[]).await
    }

    /// Runs a command that ends by itself.
    pub async fn ended(&self, role: &str, variables: &[(&str, &str)]) -> Refusal {
        let mut command = self.command(role);
        command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the binary was built");
        let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        let output = ended.expect("a refusal is quick").expect("a child of ours can be waited for");
        let text = |bytes| String::from_utf8(bytes).expect("sentences are text");
        Refusal { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    fn says_where_to_listen(&self) -> bool {
        self.flags.iter().any(|flag| flag == "--listen")
    }

    fn command(&self, role: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
        command.arg(role).arg("--data").arg(self.data()).args(&self.flags);
        command
            .current_dir(self.directory.path())
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        command
    }
}
