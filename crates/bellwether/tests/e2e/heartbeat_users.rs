//! Users of the heartbeat service and of Healthchecks point their jobs here: what they sent there is sent here byte for
//! byte, and what they look at is there.

use crate::client::Request;
use crate::eventually::{PATIENCE, eventually};
use crate::installation::Installation;
use crate::job::kinds;
use crate::node::Node;
use crate::raw::{Raw, once};
use bw_testkit::server::Sink;
use serde_json::Value;
use std::process::Stdio;
use tokio::process::Command;

const SECRET: &str = "hush";
const PING_KEY: &str = "0123456789abcdefghijkl";
const UUID: &str = "728b3763-ea80-4113-9fc0-f49b4adb226e";
const PULSED: (u16, &str) = (200, "Successful Heartbeat Pulse");

/// As the service's client sends it: two headers, nothing encoded that its library does not encode.
fn recorded(query: &[u8]) -> Vec<u8> {
    let head: &[u8] = b"GET /v1/heartbeat/pulse?";
    let rest: &[u8] = b" HTTP/1.1\r\nhost: beats.example.com\r\nConnection: keep-alive\r\n\r\n";
    [head, query, rest].concat()
}

#[tokio::test]
async fn a_user_of_the_heartbeat_service() {
    let slack = Sink::start().await;
    let file = format!("heartbeat_service:\n  secret: {SECRET}\n  slack_url: {}\n", slack.url());
    let node = Installation::new().file(&file).start().await;
    let url = node.http().url();

    // The recorded bytes, one after the other on one connection.
    let mut client = Raw::to(&url).await.expect("it listens");
    for query in [
        &b"host=upload&category=ABC&type=XYZ&name=1234"[..],
        b"host=upload&category=ABC&type=XYZ&name=1234&threshold=48",
        b"host=upload&category=ABC&type=XYZ&name=a%20b",
        b"host=upload&category=ABC&type=ty?pe&name=a=b",
        b"host=upload&category=ABC&type=XYZ&name=a/b",
    ] {
        let told = client.ask(&recorded(query)).await.expect("it answers");
        assert_eq!((told.status, told.body.as_str()), PULSED, "{}", String::from_utf8_lossy(query));
    }
    // Bytes that no library takes; the connection ends with their answer.
    let odd = once(&url, &recorded(b"host=web1&category=k\xf6ln&type=XYZ&name=<\"{a|b}\">")).await;
    assert_eq!((odd.status, odd.body.as_str()), PULSED, "{}", odd.head);
    let old =
        once(&url, b"GET /heartbeat/pulse?host=upload&category=ABC&type=old&name=1 HTTP/1.0\r\n\r\n").await;
    assert_eq!((old.status, old.body.as_str()), PULSED, "HTTP/1.0 without a host");
    let missing =
        client.ask(&recorded(b"host=upload&category=ABC&name=1234")).await.expect("every pulse is answered");
    assert!(missing.status == 400 && missing.body.contains("`type`"), "{missing:?}");

    let pulses = node.items("/api/v1/monitors?kind=heartbeat").await;
    assert_eq!(pulses.len(), 6, "the second was the first once more");
    assert_eq!(pulses[0]["heartbeat"]["every"], "1d", "only the first pulse's threshold counts");
    assert!(pulses.iter().any(|pulse| pulse["heartbeat"]["pulse"]["category"] == "köln"), "{pulses:?}");

    let page = |path: &str| node.http().get(format!("/v1/heartbeat/{path}"));
    let dashboard = page(&format!("dashboard?secret={SECRET}")).await;
    assert!(dashboard.status == 200 && dashboard.text.contains("id=myTable"), "{}", dashboard.text);
    assert!(dashboard.text.contains("köln") && !dashboard.text.contains("table-danger"));
    assert_eq!(page("dashboard?secret=guessed").await.status, 403);

    // A threshold so short that the pulse is exceeded at once, by the edit page.
    let id = pulses[0]["uuid"].as_str().expect("an address");
    let edit = format!("/v1/heartbeat/edit?secret={SECRET}&id={id}");
    assert_eq!(node.http().get(&edit).await.status, 200);
    let form = Request::new("POST", &edit)
        .body("threshold=0.0003&saturday=1")
        .header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(node.http().send(form).await.status, 303);
    let monitor = format!("monitor?secret={SECRET}");
    eventually("the edited pulse is overdue", PATIENCE, async || {
        let told = page(&monitor).await;
        match slack.received().is_empty() || told.text != "Check Slack for error notifications" {
            true => Err(format!("{} {}", told.status, told.text)),
            false => Ok(()),
        }
    })
    .await;
    let told = slack.received();
    let text = String::from_utf8_lossy(&told[0].body).into_owned();
    assert!(text.starts_with("payload=") && text.contains("upload"), "{text}");
    assert!(!text.contains(SECRET), "no secret is in a message");
    assert!(page(&format!("dashboard?secret={SECRET}")).await.text.contains("table-danger"));
    assert_eq!(page(&monitor).await.status, 200, "it answers in every case");
    assert_eq!(slack.received().len(), 1, "each is told once");

    client.ask(&recorded(b"host=upload&category=ABC&type=XYZ&name=1234")).await.expect("it answers");
    assert!(!node.log().contains(SECRET), "no secret is in the log");
    node.stop().await;
}

#[tokio::test]
async fn a_user_of_uptime_kuma() {
    const TOKEN: &str = "oVQqYwPvzZ";
    // The old token in lower case is the slug: no job is edited.
    let file = "monitors:\n  - { name: Pushed, slug: ovqqywpvzz, heartbeat: { every: 60s, grace: 1s } }\n";
    let node = Installation::new().file(file).start().await;
    let mut job = Raw::to(&node.http().url()).await.expect("it listens");
    let id = node.items("/api/v1/monitors").await[0]["id"].as_i64().expect("an id");
    for (query, state) in
        [("status=up&msg=OK&ping=", "UP"), ("status=down&msg=disk%20full&ping=12.5", "DOWN"), ("", "UP")]
    {
        let told = job.get(&format!("/api/push/{TOKEN}?{query}")).await.expect("it answers");
        assert_eq!((told.status, told.body.as_str()), (200, "{\"ok\":true}"), "{query}");
        node.until(id, state, PATIENCE).await;
    }
    let unknown = job.get("/api/push/nobody?status=up").await.expect("it answers");
    assert!(
        unknown.status == 404 && unknown.body.contains("Monitor not found or not active."),
        "{unknown:?}"
    );
    let said = beats(&node, &Value::from(id)).await;
    assert_eq!(kinds(&said), ["success", "fail", "success"]);
    assert_eq!(said[1]["duration_ms"], 12, "{}", said[1]);
    let kept = node.http().get(format!("/api/v1/monitors/{id}/beats/2/body")).await;
    assert_eq!((kept.status, kept.text.as_str()), (200, "disk full"));
    node.stop().await;
}

async fn beats(node: &Node, id: &Value) -> Vec<Value> {
    node.items(format!("/api/v1/monitors/{id}/beats")).await
}

#[tokio::test]
async fn a_user_of_healthchecks() {
    let file = format!(
        "healthchecks:\n  ping_key: {PING_KEY}\nmonitors:\n  - name: Nightly\n    slug: nightly-dump\n    \
         heartbeat: {{ rules: healthchecks, every: 1h, grace: 10m, uuid: {UUID} }}\n"
    );
    let installation = Installation::new().file(&file);
    let node = installation.start().await;
    let url = node.http().url();
    let id = node.items("/api/v1/monitors").await[0]["id"].clone();
    let number = id.as_i64().expect("an id");

    let mut job = Raw::to(&url).await.expect("it listens");
    let by_uuid = format!("/ping/{UUID}");
    let by_slug = format!("/ping/{PING_KEY}/nightly-dump");
    for place in [&by_uuid, &by_slug] {
        for (ending, state) in
            [("/start", None), ("", Some("UP")), ("/fail", Some("DOWN")), ("/0", Some("UP"))]
        {
            let told = job.get(&format!("{place}{ending}")).await.expect("it answers");
            assert_eq!((told.status, told.body.as_str()), (200, "OK"), "{place}{ending}");
            assert!(told.head.to_ascii_lowercase().contains("ping-body-limit: 65536\r\n"), "{}", told.head);
            if let Some(state) = state {
                node.until(number, state, PATIENCE).await;
            }
        }
    }
    let body = "all is well";
    let post =
        format!("POST {by_uuid}/log HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    assert_eq!(job.ask(post.as_bytes()).await.expect("it answers").status, 200);
    let unknown = job.get(&format!("/ping/{PING_KEY}/nobody")).await.expect("it answers");
    assert_eq!((unknown.status, unknown.body.as_str()), (404, "not found"));
    let made = job.get(&format!("/ping/{PING_KEY}/new-job?create=1")).await.expect("it answers");
    assert_eq!((made.status, made.body.as_str()), (201, "Created"));

    let said = beats(&node, &id).await;
    let each = ["start", "success", "fail", "success/0"];
    assert_eq!(kinds(&said), [&each[..], &each[..], &["log"]].concat());
    assert!(said[7]["duration_ms"].is_u64(), "the time from start to success is known: {}", said[7]);
    let kept = node.http().get(format!("/api/v1/monitors/{id}/beats/9/body")).await;
    assert_eq!((kept.status, kept.text.as_str()), (200, body));
    assert_eq!(node.incidents().await.len(), 2, "two failures, two incidents");

    // The same job under `exec`, by UUID and by slug: its status is the command's, its output is kept.
    let exec = async |variables: &[(&str, &str)], words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
        command.arg("exec").args(words).env_clear().envs(variables.iter().copied());
        command.env("HOME", installation.data()).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        let output =
            tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let address = format!("{url}{by_uuid}");
    let failed =
        exec(&[("BELLWETHER_BEAT", &address)], &["--", "sh", "-c", "echo disk is full; exit 3"]).await;
    assert_eq!(failed, (Some(3), String::new()));
    node.until(number, "DOWN", PATIENCE).await;
    let by_name = [("BELLWETHER_URL", url.as_str()), ("BELLWETHER_PING_KEY", PING_KEY)];
    assert_eq!(exec(&by_name, &["--slug", "nightly-dump", "--", "true"]).await, (Some(0), String::new()));
    node.until(number, "UP", PATIENCE).await;
    let said = beats(&node, &id).await;
    let last = kinds(&said);
    assert_eq!(last[9..], ["start", "fail/3", "start", "success/0"], "{last:?}");
    assert!(said.iter().take(4).all(|beat| beat["run"].is_string()), "each run has its number: {said:?}");
    let output = node.http().get(format!("/api/v1/monitors/{id}/beats/11/body")).await;
    assert_eq!((output.status, output.text.as_str()), (200, "disk is full\n"));
    assert!(!node.log().contains(PING_KEY), "the key is not in the log");
    let page = node.http().get(format!("/ui/monitors/{id}")).await;
    assert!(page.status == 200 && page.text.contains("Nightly"), "{}", page.text);
    node.stop().await;
}
