//! `import healthchecks` between two of our servers: what the one shows through Healthchecks' management interface is made
//! on the other, which then shows the same.

use crate::client::{Client, Request};
use crate::eventually::PATIENCE;
use crate::installation::Installation;
use crate::node::Node;
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::process::Command;

const WRITE: &str = "0123456789abcdef0123456789abcdef";
const READ: &str = "fedcba9876543210fedcba9876543210";

/// A server with keys.
async fn server() -> (Node, Client) {
    let file = format!("healthchecks:\n  api_key: {WRITE}\n  read_only_key: {READ}\n");
    let node = Installation::new().file(&file).start().await;
    let client = node.http().with("x-api-key", WRITE);
    (node, client)
}

/// What a command printed, and how it ended.
#[derive(Debug)]
struct Ended {
    status: Option<i32>,
    out: String,
    err: String,
}

async fn import(to: &Node, words: &[&str], key: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
    command.args(["import", "healthchecks"]).args(words).env_clear();
    command.env("BELLWETHER_URL", to.http().url()).env("HEALTHCHECKS_API_KEY", key);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Ended { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// What a server shows of its checks, without what belongs to the server.
async fn checks(client: &Client) -> Vec<Value> {
    let mut checks =
        client.get("/api/v3/checks/").await.expect(200)["checks"].as_array().expect("a list").clone();
    for check in &mut checks {
        let check = check.as_object_mut().expect("a check");
        for key in [
            "ping_url",
            "update_url",
            "pause_url",
            "resume_url",
            "badge_url",
            "n_pings",
            "last_ping",
            "next_ping",
        ] {
            check.remove(key);
        }
    }
    checks.sort_by_key(|check| check["uuid"].to_string());
    checks
}

#[tokio::test]
async fn from_one_server_into_another() {
    let ((from, there), (to, here)) = (server().await, server().await);
    for check in [
        json!({"name": "Nightly dump", "slug": "dump", "tags": "prod team:db", "desc": "dumps", "timeout": 3600, "grace": 600}),
        json!({"name": "", "schedule": "0 3 * * 1-5", "tz": "Europe/Berlin", "methods": "POST", "manual_resume": true}),
        json!({"name": "Weekly", "schedule": "Mon *-*-* 04:00", "tz": "UTC", "grace": 60}),
        json!({"name": "Words", "failure_kw": "ERROR, FATAL", "success_kw": "done", "filter_http_body": true,
               "filter_default_fail": true, "filter_subject": true}),
        json!({"name": "Resting"}),
    ] {
        let made = there.send(Request::new("POST", "/api/v3/checks/").json(&check)).await.expect(201);
        if made["name"] == "Resting" {
            let pause = format!("/api/v3/checks/{}/pause", made["uuid"].as_str().expect("an address"));
            there.send(Request::new("POST", pause)).await.expect(200);
        }
    }
    let url = from.http().url();
    let before = checks(&there).await;
    let at = ["--url", url.as_str()];
    let planned = import(&to, &[&at[..], &["--plan"]].concat(), WRITE).await;
    assert_eq!((planned.status, planned.err.as_str()), (Some(0), ""), "{planned:?}");
    assert!(planned.out.contains("5 would be made, 0 were there, 0 refused"), "{}", planned.out);
    assert!(planned.out.contains("+ Nightly dump: every 3600 s, grace 600 s\n"), "{}", planned.out);
    assert_eq!(checks(&here).await, Vec::<Value>::new(), "a plan makes nothing");

    let made = import(&to, &at, WRITE).await;
    assert_eq!((made.status, made.err.as_str()), (Some(0), ""), "{made:?}");
    assert!(made.out.contains("5 made, 0 were there, 0 refused"), "{}", made.out);
    assert_eq!(checks(&here).await, before);
    for check in &before {
        let uuid = check["uuid"].as_str().expect("an address");
        assert!(!made.out.contains(uuid), "addresses are secrets: {}", made.out);
        if check["status"] != "paused" {
            let method = if check["methods"] == "POST" { "POST" } else { "GET" };
            let ping = to.http().send(Request::new(method, format!("/ping/{uuid}"))).await;
            assert_eq!((ping.status, ping.text.as_str()), (200, "OK"), "jobs find it: {check}");
        }
    }

    // Again: what is there stays, also what was changed meanwhile.
    let weekly = before.iter().find(|check| check["name"] == "Weekly").expect("it was made");
    let edit = format!("/api/v3/checks/{}", weekly["uuid"].as_str().expect("an address"));
    here.send(Request::new("POST", edit).json(&json!({"grace": 7200}))).await.expect(200);
    let again = import(&to, &at, WRITE).await;
    assert_eq!((again.status, again.err.as_str()), (Some(0), ""), "{again:?}");
    assert!(again.out.contains("0 made, 5 were there, 0 refused"), "{}", again.out);
    let changed: Vec<&str> = again.out.lines().filter(|line| line.contains("other settings")).collect();
    assert!(changed.len() == 1 && changed[0].starts_with("= Weekly: "), "{}", again.out);

    for (key, says) in [(READ, "may only read"), ("x", "does not take this key"), ("", "--key KEY")] {
        let refused = import(&to, &at, key).await;
        assert!(refused.status != Some(0) && refused.out.is_empty(), "{key}: {refused:?}");
        assert!(refused.err.contains(says) && refused.err.lines().count() == 1, "{key}: {refused:?}");
    }
    for node in [from, to] {
        assert!(!node.log().contains(WRITE), "the key is not in a log");
        node.stop().await;
    }
}
