//! `exec`: a command runs as if nobody were there, and a server that is not ours hears of it.

mod address;
mod command;
mod ends;
mod keyboard;
mod limit;
mod signals;
mod spool;
mod trouble;

use crate::harness::{Ended, PATIENCE, Place, ended};
use bw_testkit::server::{Recorded, Target};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Where the heartbeat of these tests is.
pub const PING: &str = "/ping/0d1f7d8e-3c1b-4a43-9d15-7f2f3f6a1c55";

/// A user's machine and the server that it reports to.
pub struct Stage {
    pub place: Place,
    pub server: Target,
}

impl Stage {
    pub async fn new() -> Self {
        Stage { place: Place::new(), server: Target::start().await }
    }

    pub fn url(&self) -> String {
        self.server.at(PING)
    }

    /// `exec` with these words, without a controlling terminal.
    pub fn exec(&self, words: &[&str]) -> Command {
        exec(&self.place, words)
    }

    /// Reports to the server and runs `sh -c script`.
    pub fn shell(&self, script: &str) -> Command {
        self.exec(&["--beat", &self.url(), "--", "sh", "-c", script])
    }

    /// What the server heard.
    pub fn heard(&self) -> Vec<Beat> {
        self.server.received().iter().map(Beat::of).collect()
    }

    /// What is kept for later, sorted.
    pub fn kept(&self) -> Vec<String> {
        kept(&self.place)
    }
}

/// `exec` in a place, as cron would start it: a session of its own, a home, nothing else.
pub fn exec(place: &Place, words: &[&str]) -> Command {
    let mut command = Command::new("setsid");
    command.arg(env!("CARGO_BIN_EXE_bellwether")).arg("exec").args(words);
    command.current_dir(place.dir.path()).env_clear().env("HOME", place.dir.path().join("home"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

pub fn spool_of(place: &Place) -> PathBuf {
    place.dir.path().join("home/.local/state/bellwether/spool")
}

pub fn kept(place: &Place) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(spool_of(place)) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("it is there").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// One report as the server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    pub action: String,
    pub rid: String,
    pub duration_ms: Option<u64>,
    pub at: Option<i64>,
    pub body: Vec<u8>,
}

impl Beat {
    pub fn of(request: &Recorded) -> Self {
        assert_eq!(request.method, "POST", "{request:?}");
        let (path, query) = request.path.split_once('?').expect("a run has its number");
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        Beat {
            action: path.rsplit('/').next().expect("a path has a last part").to_owned(),
            rid: value("rid").expect("a run has its number"),
            duration_ms: value("duration_ms").map(|text| text.parse().expect("a number")),
            at: value("at").map(|text| text.parse().expect("a number")),
            body: request.body.clone(),
        }
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }
}

pub fn actions(beats: &[Beat]) -> Vec<&str> {
    beats.iter().map(|beat| beat.action.as_str()).collect()
}

/// A command that is spoken with while it runs.
pub struct Talk {
    pub child: Child,
    pub stdin: Option<ChildStdin>,
    pub out: BufReader<ChildStdout>,
}

impl Talk {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
        let stdin = child.stdin.take();
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        Talk { child, stdin, out }
    }

    pub async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = tokio::time::timeout(PATIENCE, self.out.read_line(&mut line)).await;
        read.expect("a line in time").expect("it can be read");
        line.trim_end().to_owned()
    }

    pub async fn say(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("it is open");
        stdin.write_all(bytes).await.expect("it listens");
        stdin.flush().await.expect("it listens");
    }

    pub fn signal(&self, signal: &str) {
        kill(signal, &self.child.id().expect("it runs").to_string());
    }

    /// Closes its input and waits.
    pub async fn finish(mut self) -> Ended {
        drop(self.stdin.take());
        let all = async {
            let (mut out, mut err) = (String::new(), String::new());
            self.out.read_to_string(&mut out).await.expect("text");
            self.child.stderr.take().expect("it is piped").read_to_string(&mut err).await.expect("text");
            Ended { status: code(self.child.wait().await.expect("it ends")), out, err }
        };
        tokio::time::timeout(PATIENCE, all).await.expect("it ends in time")
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| -status.signal().expect("a status or a signal"))
}

/// Sends a signal to a process by its number.
pub fn kill(signal: &str, pid: &str) {
    let sent = std::process::Command::new("kill").args([signal, pid]).status().expect("kill is there");
    assert!(sent.success(), "kill {signal} {pid}");
}

/// Whether a process runs; one that has ended and that nobody has waited for does not.
pub fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Runs it to its end.
pub async fn run(command: Command) -> Ended {
    ended(command).await
}
