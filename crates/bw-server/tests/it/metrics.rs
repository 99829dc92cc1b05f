//! `/metrics` as Prometheus' own tool sees it, and the two probes of orchestrators.

use crate::house::{House, Seen};
use bw_domain::outcome::{Code, Verdict};
use bw_engine::vitals::LoopName;
use bw_testkit::builders::START;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

const NAMES: [&str; 15] = [
    "bellwether_build_info",
    "bellwether_monitors",
    "bellwether_outcomes_total",
    "bellwether_beats_total",
    "bellwether_schedule_lag_seconds",
    "bellwether_accounted_lag_seconds",
    "bellwether_queue_jobs",
    "bellwether_queue_oldest_seconds",
    "bellwether_worker_busy_ratio",
    "bellwether_commit_seconds",
    "bellwether_deliveries_total",
    "bellwether_delivery_oldest_seconds",
    "bellwether_config_reload_success",
    "bellwether_clock_offset_seconds",
    "bellwether_shards_owned",
];

async fn house() -> House {
    let house = House::new().await;
    house.declare(json!({"name": "a", "http": "https://a.example/", "every": "10s"})).await;
    house.settle();
    for _ in 0..2 {
        house.observe(1, Seen::Fail(Code::WAIT_TIMEOUT)).await;
    }
    let vitals = &house.app.services.vitals;
    vitals.outcome(Verdict::Fail);
    vitals.beat("success");
    vitals.beat("throttled");
    vitals.commit(Duration::from_millis(3));
    vitals.commit(Duration::from_secs(9));
    house
}

#[tokio::test]
async fn text() {
    let house = house().await;
    let reply = house.get("/metrics").await;
    assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = reply.text();
    for line in [
        "bellwether_build_info{version=\"0.1.0\"} 1.0",
        "bellwether_monitors{health=\"DOWN\",mode=\"active\"} 1.0",
        "bellwether_outcomes_total{verdict=\"fail\"} 1",
        "bellwether_beats_total{result=\"success\"} 1",
        "bellwether_beats_total{result=\"throttled\"} 1",
        "bellwether_beats_total{result=\"refused\"} 0",
        "bellwether_commit_seconds_bucket{le=\"0.0025\"} 0",
        "bellwether_commit_seconds_bucket{le=\"0.005\"} 1",
        "bellwether_commit_seconds_bucket{le=\"+Inf\"} 2",
        "bellwether_commit_seconds_count 2",
        "# TYPE bellwether_outcomes_total counter",
    ] {
        assert!(text.lines().any(|seen| seen == line), "{line} in\n{text}");
    }
    let families: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    assert_eq!(families, BTreeSet::from(NAMES));
    let series: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(id, _)| id)
        .collect();
    assert_eq!(series.len(), series.iter().collect::<BTreeSet<_>>().len(), "no series twice");
    assert!(text.ends_with('\n') && !text.contains("# EOF"));
}

#[tokio::test]
async fn open_metrics() {
    let house = house().await;
    let mut request = house.request("GET /metrics", Value::Null);
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    request.headers_mut().insert("accept", HeaderValue::from_static(accept));
    let reply = house.send(request).await;
    assert_eq!(reply.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(reply.text().ends_with("# EOF\n"));
    assert!(reply.text().contains("# TYPE bellwether_outcomes counter\n"));
    assert!(reply.text().contains("bellwether_outcomes_total{verdict=\"fail\"} 1\n"));
}

#[tokio::test]
async fn promtool_finds_nothing() {
    let house = house().await;
    let text = house.get("/metrics").await.body;
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    #[expect(
        clippy::disallowed_methods,
        reason = "a test that lacks its tool asks whether that is a failure here"
    )]
    let strict = std::env::var("BELLWETHER_TEST_STRICT").is_ok_and(|value| value == "1");
    let mut promtool = match started {
        Ok(promtool) => promtool,
        Err(error) => {
            assert!(!strict, "promtool is needed: {error}");
            return;
        }
    };
    promtool.stdin.take().expect("a pipe").write_all(&text).expect("written");
    let out = promtool.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && said.is_empty(), "{said}");
}

#[tokio::test]
async fn healthy_means_that_the_loops_tick() {
    let house = House::new().await;
    assert_eq!(house.get("/-/healthy").await.status, StatusCode::OK, "a start has its time");
    house.skip(Duration::from_secs(11));
    let silent = house.get("/-/healthy").await;
    assert_eq!((silent.status, silent.problem().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert!(silent.text().contains("`plan` has not ticked for 11 s"), "{}", silent.text());
    let now = START + Duration::from_secs(11);
    for name in [LoopName::Plan, LoopName::Judge] {
        house.app.services.vitals.tick(name, now);
    }
    assert_eq!(house.get("/-/healthy").await.status, StatusCode::OK);
}
