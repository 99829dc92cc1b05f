//! A running `bellwether serve` with its directory, and a client that is not ours. Nothing here sleeps blindly:
//! everything waits for something within a bound.

use serde_json::Value;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A place with a data directory and room for a configuration.
pub struct Place {
    pub dir: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Place { dir: tempfile::tempdir().expect("a directory") }
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn config(&self) -> PathBuf {
        self.dir.path().join("bellwether.yaml")
    }

    pub fn write_config(&self, text: &str) {
        std::fs::write(self.config(), text).expect("the configuration is written");
    }

    /// The binary in this place, with nothing of our own environment that it would read.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
        command.args(args).current_dir(self.dir.path()).env_clear().env("BELLWETHER_DATA", self.data());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Serves on a free port.
    pub async fn serve(&self) -> Running {
        Running::start(self.command(&["serve", "--listen", "127.0.0.1:0"])).await
    }

    /// Runs a command to its end.
    pub async fn run(&self, args: &[&str]) -> Ended {
        ended(self.command(args)).await
    }
}

/// What a command left.
#[derive(Debug)]
pub struct Ended {
    pub status: i32,
    pub out: String,
    pub err: String,
}

pub async fn ended(mut command: Command) -> Ended {
    let output =
        tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends in time").expect("it runs");
    Ended {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// A server that said it is ready.
pub struct Running {
    pub child: Child,
    pub url: String,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Running {
    pub async fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).spawn().expect("the binary starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let url = tokio::time::timeout(PATIENCE, async {
            while let Some(line) = stderr.next_line().await.expect("lines are text") {
                let url = ready_url(&line);
                lines.lock().expect("no writer panics").push(line);
                if let Some(url) = url {
                    return url;
                }
            }
            panic!("it ended before it was ready: {:#?}", lines.lock());
        });
        let url = url.await.expect("it is ready in time");
        let collected = lines.clone();
        #[expect(clippy::disallowed_methods, reason = "it ends with the pipe, which ends with the process")]
        tokio::spawn(async move {
            while let Ok(Some(line)) = stderr.next_line().await {
                collected.lock().expect("no writer panics").push(line);
            }
        });
        Running { child, url, lines }
    }

    /// Everything that it wrote.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no writer panics").clone()
    }

    /// Waits until a line holds this text.
    pub async fn says(&self, text: &str) -> String {
        eventually(PATIENCE, &format!("a line with `{text}` in {:#?}", self.lines()), async || {
            self.lines().into_iter().find(|line| line.contains(text))
        })
        .await
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, None).await;
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.text);
        answer.json()
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.ask("POST", path, Some(body)).await;
        assert!((200..300).contains(&answer.status), "POST {path}: {} {}", answer.status, answer.text);
        answer.json()
    }

    pub async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        ask(&self.url, method, path, body.map(|value| value.to_string())).await
    }

    /// Waits for what `find` finds in the answer to a GET.
    pub async fn sees<T>(&self, what: &str, path: &str, find: impl Fn(&Value) -> Option<T>) -> T {
        eventually(PATIENCE, what, async || find(&self.get(path).await)).await
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill").args([signal, &pid]).status().expect("kill is there");
        assert!(sent.success());
    }

    /// Asks it to stop and answers how it ended.
    pub async fn stop(mut self) -> ExitStatus {
        self.signal("-TERM");
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .expect("it ends within 30 s")
            .expect("it ends")
    }
}

fn ready_url(line: &str) -> Option<String> {
    if let Some(url) = line.strip_prefix("ready ") {
        return Some(url.to_owned());
    }
    let value: Value = serde_json::from_str(line).ok()?;
    (value["event"] == "ready").then(|| value["url"].as_str().expect("a URL").to_owned())
}

/// An answer of the interface.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
}

/// One request over a bare socket, as `curl` would send it.
pub async fn ask(url: &str, method: &str, path: &str, body: Option<String>) -> Reply {
    let host = url.strip_prefix("http://").expect("a plain URL");
    let body = body.unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\naccept: */*\r\n{kind}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let spoken = async {
        let mut stream = TcpStream::connect(host).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Ok::<_, std::io::Error>(bytes)
    };
    let bytes = tokio::time::timeout(PATIENCE, spoken).await.expect("an answer in time").expect("an answer");
    let text = String::from_utf8(bytes).expect("answers are text");
    let (head, text) = text.split_once("\r\n\r\n").expect("an HTTP answer");
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
    let text = if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        unchunked(text)
    } else {
        text.to_owned()
    };
    Reply { status, text }
}

fn unchunked(mut rest: &str) -> String {
    let mut text = String::new();
    while let Some((size, tail)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).expect("a size");
        text.push_str(&tail[..size]);
        rest = tail[size..].trim_start_matches("\r\n");
    }
    text
}

/// Looks again and again until there is something, within a bound.
pub async fn eventually<T>(limit: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(limit, found)
        .await
        .unwrap_or_else(|_| panic!("within {limit:?} there was no {what}"))
}
