//! Jobs report with what is at hand: curl, wget, the shell, Python's own library, and a wrapper from PyPI that `xtask`
//! installs. Each is called as people call it in their jobs, and the beat says who sent it.

use crate::eventually::PATIENCE;
use crate::installation::Installation;
use crate::job::kinds;
use crate::node::Node;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Stdio;
use tokio::process::Command;

/// What a job runs, `URL` in the place of its ping address; the beats that come of it; how their sender calls itself.
struct Way {
    program: &'static str,
    words: &'static [&'static str],
    kinds: &'static [&'static str],
    agent: &'static str,
    method: &'static str,
    body: &'static str,
}

const URLLIB: &str = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=10)";
const WITH_BODY: &str =
    "import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + '/fail', data=b'it broke', timeout=10)";
const WRAPPED: &str = "
import sys
from healthchecks_wrapper import HealthCheck

with HealthCheck(sys.argv[1]):
    pass
try:
    with HealthCheck(sys.argv[1]):
        raise RuntimeError('the disk is full')
except RuntimeError:
    pass
";

const WAYS: &[Way] = &[
    Way {
        program: "curl",
        words: &["-fsS", "-m", "10", "--retry", "5", "-o", "/dev/null", "URL"],
        kinds: &["success"],
        agent: "curl/",
        method: "GET",
        body: "",
    },
    Way {
        program: "curl",
        words: &["-fsS", "-m", "10", "--retry", "5", "--data-raw", "dumped 12 tables", "URL/0"],
        kinds: &["success/0"],
        agent: "curl/",
        method: "POST",
        body: "dumped 12 tables",
    },
    Way {
        program: "curl",
        words: &["-fsSI", "-m", "10", "URL/start"],
        kinds: &["start"],
        agent: "curl/",
        method: "HEAD",
        body: "",
    },
    Way {
        program: "curl",
        words: &["-fsS", "--http1.0", "-m", "10", "URL"],
        kinds: &["success"],
        agent: "curl/",
        method: "GET",
        body: "",
    },
    Way {
        program: "wget",
        words: &["-q", "-T", "10", "-t", "5", "-O", "/dev/null", "URL"],
        kinds: &["success"],
        agent: "Wget/",
        method: "GET",
        body: "",
    },
    Way {
        program: "wget",
        words: &["-q", "-T", "10", "--post-data=out of space", "-O", "/dev/null", "URL/fail"],
        kinds: &["fail"],
        agent: "Wget/",
        method: "POST",
        body: "out of space",
    },
    Way {
        program: "sh",
        words: &["-c", "curl -fsS URL/start && false; curl -fsS \"URL/$?\""],
        kinds: &["start", "fail/1"],
        agent: "curl/",
        method: "GET",
        body: "",
    },
    Way {
        program: "python3",
        words: &["-c", URLLIB, "URL"],
        kinds: &["success"],
        agent: "Python-urllib/",
        method: "GET",
        body: "",
    },
    Way {
        program: "python3",
        words: &["-c", WITH_BODY, "URL"],
        kinds: &["fail"],
        agent: "Python-urllib/",
        method: "POST",
        body: "it broke",
    },
];

#[tokio::test]
async fn what_is_at_hand() {
    let node = Installation::new().start().await;
    for way in WAYS {
        let shown = format!("{} {}", way.program, way.words.join(" "));
        let (id, url) = heartbeat(&node, &shown).await;
        let words: Vec<String> = way.words.iter().map(|word| word.replace("URL", &url)).collect();
        let mut command = Command::new(way.program);
        run(command.args(words), &shown).await;
        let beats = node.items(format!("/api/v1/monitors/{id}/beats")).await;
        assert_eq!(kinds(&beats), way.kinds, "{shown}");
        let last = &beats[0];
        assert!(
            last["user_agent"].as_str().is_some_and(|agent| agent.starts_with(way.agent)),
            "{shown}: {last}"
        );
        assert_eq!((&last["method"], &last["scheme"]), (&json!(way.method), &json!("http")), "{shown}");
        assert_eq!(last["remote_addr"], "127.0.0.1", "{shown}");
        let body = node.http().get(format!("/api/v1/monitors/{id}/beats/{}/body", last["number"])).await;
        match way.body {
            "" => assert_eq!(last["body_bytes"], 0, "{shown}"),
            said => assert_eq!((body.status, body.text.as_str()), (200, said), "{shown}"),
        }
    }
    node.stop().await;
}

#[tokio::test]
async fn a_wrapper_from_pypi() {
    let node = Installation::new().start().await;
    let (id, url) = heartbeat(&node, "wrapped").await;
    let python = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tools/venv/bin/python3"));
    assert!(python.is_file(), "the wrapper is not here: `cargo xtask test` brings it");
    run(Command::new(python).args(["-c", WRAPPED, &url]), "wrapped").await;
    let beats = node.items(format!("/api/v1/monitors/{id}/beats")).await;
    assert_eq!(kinds(&beats), ["start", "success", "start", "fail"]);
    let body = node.http().get(format!("/api/v1/monitors/{id}/beats/4/body")).await;
    assert!(body.text.contains("RuntimeError: the disk is full"), "{}", body.text);
    node.stop().await;
}

/// A heartbeat and its ping address, as its page and the interface show it.
async fn heartbeat(node: &Node, name: &str) -> (i64, String) {
    let name: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
    let id = node.create(&json!({"name": name, "heartbeat": {"every": "1h"}})).await;
    let shown = node.monitor(id).await["beats"]["ping_url"].clone();
    let Value::String(url) = shown else { panic!("a heartbeat shows where its job reports: {shown}") };
    (id, url)
}

/// Runs it to its good end; it dies with the test.
async fn run(command: &mut Command, shown: &str) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let ended =
        tokio::time::timeout(PATIENCE, command.output()).await.unwrap_or_else(|_| panic!("{shown} hangs"));
    let output = ended.unwrap_or_else(|error| panic!("{shown}: {error}"));
    assert!(output.status.success(), "{shown}: {}", String::from_utf8_lossy(&output.stderr));
}
