//! One running process, as people and programs see it: its interface, its log, its signals. It dies with its value.

use crate::client::{Client, Request};
use crate::eventually::eventually;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Child;

/// A process.
pub struct Node {
    child: Child,
    log: PathBuf,
    _directory: Arc<TempDir>,
    http: Option<Client>,
}

impl Node {
    pub fn new(child: Child, log: PathBuf, directory: Arc<TempDir>) -> Self {
        Node { child, log, _directory: directory, http: None }
    }

    /// The address of the line that says that it is ready, in either form of the log.
    pub fn ready_line(&mut self) -> Option<String> {
        let log = self.log();
        if let Some(status) = self.child.try_wait().expect("a child of ours can be waited for") {
            panic!("it ended with {status} before it was ready:\n{log}");
        }
        log.lines().find_map(|line| match line.strip_prefix("ready ") {
            Some(url) => Some(url.to_owned()),
            None => {
                let line: Value = serde_json::from_str(line).ok()?;
                (line["event"] == "ready").then(|| line["url"].as_str().unwrap_or_default().to_owned())
            }
        })
    }

    pub fn reached_at(&mut self, url: &str) {
        self.http = Some(Client::of(url));
    }

    /// Its interface.
    pub fn http(&self) -> &Client {
        self.http.as_ref().expect("it is ready")
    }

    /// Everything that it has written so far.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).expect("the log was made before the process");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Log lines that hold this text.
    pub fn lines_with(&self, text: &str) -> Vec<String> {
        self.log().lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("it has not ended")
    }

    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process has a number");
        kill_process(pid, signal).expect("a child of ours takes signals");
    }

    /// `kill -9`, and nothing of it is left.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("a child of ours can be killed");
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self, within: Duration) -> ExitStatus {
        let ended = tokio::time::timeout(within, self.child.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("it did not end within {within:?}:\n{}", self.log()));
        ended.expect("a child of ours can be waited for")
    }

    /// SIGTERM, and a good end.
    pub async fn stop(mut self) -> String {
        self.signal(Signal::TERM);
        let status = self.ended(Duration::from_secs(5)).await;
        assert!(status.success(), "{status}:\n{}", self.log());
        self.log()
    }

    /// A document of the interface.
    pub async fn get(&self, path: impl Into<String>) -> Value {
        self.http().get(path).await.expect(200)
    }

    /// The items of a list.
    pub async fn items(&self, path: impl Into<String>) -> Vec<Value> {
        self.get(path).await["items"].as_array().expect("a list has items").clone()
    }

    /// Declares a monitor and answers its id.
    pub async fn create(&self, declared: &Value) -> i64 {
        let reply = self.http().send(Request::new("POST", "/api/v1/monitors").json(declared)).await;
        reply.expect(201)["id"].as_i64().expect("a monitor has an id")
    }

    /// A monitor as it is now.
    pub async fn monitor(&self, id: i64) -> Value {
        self.get(format!("/api/v1/monitors/{id}")).await
    }

    /// Waits until a monitor is so, and answers it.
    pub async fn until(&self, id: i64, state: &str, within: Duration) -> Value {
        let what = format!("monitor {id} is {state}");
        eventually(&what, within, async || {
            let seen = self.monitor(id).await;
            if seen["state"] == state { Ok(seen) } else { Err(seen) }
        })
        .await
    }

    pub async fn incidents(&self) -> Vec<Value> {
        self.items("/api/v1/incidents").await
    }

    /// The ledger, newest first.
    pub async fn deliveries(&self) -> Vec<Value> {
        self.items("/api/v1/deliveries").await
    }

    /// One figure of `/metrics`, named with its labels.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = self.http().get("/metrics").await.text;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or_else(|| panic!("there is no {name} in\n{text}"))
    }
}
