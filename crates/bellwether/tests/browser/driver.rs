//! The driver of the browser: a process that speaks the WebDriver protocol, which is JSON over HTTP.

use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};

/// Longer than a browser takes to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running driver with one session: one window. It dies with its value, and the browser with it.
pub struct Driver {
    process: Child,
    /// Read until it says where it listens; kept, so that it may go on writing.
    _output: BufReader<ChildStdout>,
    _profile: TempDir,
    port: u16,
    session: String,
}

impl Driver {
    /// Starts a browser with a window of this size.
    pub async fn start(width: u32, height: u32) -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("chromedriver: {error}; install it with `apt-get install chromium chromium-driver fonts-dejavu-core`")
            });
        let mut output = BufReader::new(process.stdout.take().expect("its output is piped"));
        let port = port(&mut output).await;
        let profile = tempfile::tempdir().expect("the temporary directory takes a directory");
        let begun = exchange(port, "POST", "/session", Some(wanted(&profile, width, height))).await;
        let session = begun["sessionId"].as_str().expect("a session has an id").to_owned();
        Driver { process, _output: output, _profile: profile, port, session }
    }

    /// One command; its value.
    pub async fn ask(&self, command: &str, parameters: Value) -> Value {
        exchange(self.port, "POST", &format!("/session/{}/{command}", self.session), Some(parameters)).await
    }

    /// One question without parameters; its value.
    pub async fn look(&self, command: &str) -> Value {
        exchange(self.port, "GET", &format!("/session/{}/{command}", self.session), None).await
    }

    /// A command of the browser's own protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.ask("goog/cdp/execute", json!({"cmd": command, "params": parameters})).await
    }

    /// Closes the window, so that the browser ends before its profile goes.
    pub async fn quit(mut self) {
        exchange(self.port, "DELETE", &format!("/session/{}", self.session), None).await;
        self.process.kill().await.expect("a child of ours can be killed");
    }
}

/// The port of the line that says that it is ready.
async fn port(output: &mut BufReader<ChildStdout>) -> u16 {
    let mut line = String::new();
    while output.read_line(&mut line).await.expect("its output is text") > 0 {
        if let Some((_, rest)) = line.split_once("started successfully on port ") {
            return rest.trim().trim_end_matches('.').parse().expect("a port is a number");
        }
        line.clear();
    }
    panic!("chromedriver ended before it was ready");
}

fn wanted(profile: &TempDir, width: u32, height: u32) -> Value {
    let arguments = [
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-background-networking".to_owned(),
        "--no-first-run".to_owned(),
        "--hide-scrollbars".to_owned(),
        // Nobody but this machine is ever asked, whatever the browser itself would like to.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1".to_owned(),
        format!("--window-size={width},{height}"),
        format!("--user-data-dir={}", profile.path().display()),
    ];
    json!({"capabilities": {"alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": {"args": arguments, "prefs": {
            "session.restore_on_startup": 4,
            "session.startup_urls": ["about:blank"],
        }},
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    }}})
}

/// One exchange; its value. A refusal fails the test with the driver's own words.
async fn exchange(port: u16, method: &str, path: &str, document: Option<Value>) -> Value {
    let body = document.map(|document| document.to_string()).unwrap_or_default();
    let asked = tokio::time::timeout(PATIENCE, send(port, method, path, &body)).await;
    let asked = asked.unwrap_or_else(|_| panic!("{method} {path} {body}: no answer within {PATIENCE:?}"));
    let (status, text) = asked.unwrap_or_else(|error| panic!("{method} {path} {body}: {error}"));
    assert_eq!(status, 200, "{method} {path} {body}: {text}");
    serde_json::from_str::<Value>(&text).expect("answers are documents")["value"].take()
}

/// Status and body. The body is read by its length: the browser holds its driver's connections open.
async fn send(port: u16, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?);
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    let (mut status, mut length, mut line) = (0, 0, String::new());
    while stream.read_line(&mut line).await? > 2 {
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().expect("a length is a number");
            }
            Some(_) => {}
            None => {
                status = line
                    .split(' ')
                    .nth(1)
                    .and_then(|status| status.parse().ok())
                    .expect("an answer has a status")
            }
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok((status, String::from_utf8(body).expect("answers are text")))
}
