//! Bellwether watched from outside: health for orchestrators, figures for Prometheus.

use crate::client::Request;
use crate::eventually::{PATIENCE, eventually};
use crate::installation::Installation;
use bw_testkit::server::Target;
use serde_json::json;
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Set where everything that a test needs must be there.
const STRICT: &str = "BELLWETHER_TEST_STRICT";

#[tokio::test]
async fn health_and_figures() {
    let target = Target::start().await;
    let node = Installation::new().start().await;
    let id = node.create(&json!({"name": "Shop", "http": target.url(), "every": "1s"})).await;
    node.until(id, "UP", PATIENCE).await;
    for (path, text) in [("/-/healthy", "healthy\n"), ("/-/ready", "ready\n")] {
        let reply = node.http().get(path).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, text), "{path}");
    }

    eventually("what was done is counted", PATIENCE, async || {
        let passes = node.metric("bellwether_outcomes_total{verdict=\"pass\"}").await;
        if passes >= 2.0 { Ok(()) } else { Err(passes) }
    })
    .await;
    assert_eq!(node.metric("bellwether_monitors{health=\"UP\",mode=\"active\"}").await, 1.0);
    assert_eq!(node.metric("bellwether_shards_owned").await, 64.0);
    assert!(node.metric("bellwether_schedule_lag_seconds").await < 5.0);

    let text = node.http().get("/metrics").await;
    assert!(text.header("content-type").is_some_and(|media| media.starts_with("text/plain; version=0.0.4")));
    assert!(
        !text.text.contains("Shop") && !text.text.contains("127.0.0.1"),
        "labels are closed sets:\n{}",
        text.text
    );
    match promtool(&text.text).await {
        Some(said) => assert_eq!(said, "", "{}", text.text),
        None => println!("promtool is not on the PATH: the document was not checked"),
    }

    let newer = Request::get("/metrics").header("accept", "application/openmetrics-text;version=1.0.0");
    let newer = node.http().send(newer).await;
    assert!(
        newer.header("content-type").is_some_and(|media| media.starts_with("application/openmetrics-text"))
    );
    assert!(newer.text.ends_with("# EOF\n"), "{}", newer.text);
}

/// What Prometheus' own tool has to say of a document: nothing, of a clean one. `None` when it is not there.
async fn promtool(document: &str) -> Option<String> {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        #[expect(
            clippy::disallowed_methods,
            reason = "the workshop says by a variable that nothing may be missing"
        )]
        let strict = std::env::var_os(STRICT).is_some_and(|value| value == "1");
        assert!(!strict, "promtool is not on the PATH: install the package `prometheus`");
        return None;
    };
    let mut stdin = child.stdin.take().expect("it was asked for");
    stdin.write_all(document.as_bytes()).await.expect("promtool reads");
    drop(stdin);
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = ended.expect("promtool is quick").expect("a child of ours can be waited for");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned();
    assert!(output.status.success(), "{}: {said}", output.status);
    Some(said)
}
