//! Secrets stay where they belong: sealed in the database, masked in answers, absent from logs.

use crate::client::Request;
use crate::eventually::{PATIENCE, eventually};
use crate::installation::Installation;
use crate::node::Node;
use bw_testkit::server::{Answer, Target};
use serde_json::{Value, json};

/// Parts of addresses, headers and credentials, each of which is found nowhere but at its receiver.
const SECRETS: [&str; 6] =
    ["hook-5f0ac1", "action-9d27be", "header-e8443a", "password-27c6d0", "signing-71fd2b", "bearer-c0ffee"];

const READ: [&str; 14] = [
    "/api/v1/monitors",
    "/api/v1/monitors/{id}",
    "/api/v1/monitors/{id}/outcomes",
    "/api/v1/incidents",
    "/api/v1/deliveries",
    "/api/v1/tokens",
    "/api/v1/system",
    "/metrics",
    "/",
    "/ui/monitors/{id}",
    "/ui/monitors/{id}/edit",
    "/ui/incidents",
    "/ui/deliveries",
    "/ui/system",
];

#[tokio::test]
async fn secrets_stay_where_they_belong() {
    let (target, sinks) = (Target::start().await, Target::start().await);
    target.set(Answer::status(503));
    let [hook, action, header, password, signing, bearer] = SECRETS;
    // What is refused, repeated and taken is all told in logs and ledger.
    sinks.set_path(&format!("/{action}"), Answer::status(404).body(format!("no hook at /{action}")));
    let file = format!(
        "actions:\n  - name: ops\n    type: webhook\n    url: {}\n    secret: {signing}\n    headers: {{ x-key: {header} }}\n",
        sinks.at(&format!("/{action}"))
    );
    let installation = Installation::new().file(&file);
    let node = installation.start().await;
    let declared = json!({
        "name": "Shop", "http": target.url(), "every": "1s", "confirm": {"after": "500ms"},
        "webhook_url": sinks.at(&format!("/{hook}")), "headers": {"x-key": header},
        "auth": {"username": "shop", "password": password},
    });
    let id = node.create(&declared).await;
    let other = json!({"name": "Token", "http": target.url(), "every": "1s", "auth": {"bearer": bearer}});
    node.create(&other).await;
    node.until(id, "DOWN", PATIENCE).await;
    eventually("everybody was told", PATIENCE, async || match sinks.hits() {
        0 | 1 => Err("too few requests"),
        _ => Ok(()),
    })
    .await;
    let asked = target.received();
    let has = |name: &str, value: &str| asked.iter().any(|request| request.header(name) == Some(value));
    assert!(has("x-key", header) && has("authorization", &format!("Bearer {bearer}")), "the target has them");

    nothing_is_said(&node, id).await;
    a_mask_keeps_the_value(&node, id, &target).await;
    let shown = node.get(format!("/monitors/{id}")).await;
    assert_eq!(shown["webhook_url"], sinks.at(&format!("/{hook}")), "this interface alone shows it");
    let stored = || {
        let files = ["bellwether.db", "bellwether.db-wal", "bellwether.db-shm"]
            .map(|name| installation.data().join(name));
        files.iter().filter_map(|file| std::fs::read(file).ok()).flatten().collect::<Vec<u8>>()
    };
    nothing_is_in("the database", &stored());
    nothing_is_in("the log", node.stop().await.as_bytes());
    nothing_is_in("the database that was left", &stored());
}

/// No answer of our own interface and no page has a secret.
async fn nothing_is_said(node: &Node, id: i64) {
    for path in READ {
        let reply = node.http().get(path.replace("{id}", &id.to_string())).await;
        assert_eq!(reply.status, 200, "{path}");
        nothing_is_in(path, reply.text.as_bytes());
    }
    for incident in node.incidents().await {
        let detail = node.http().get(format!("/api/v1/incidents/{}", incident["id"])).await;
        nothing_is_in("an incident with its evidence", detail.text.as_bytes());
    }
}

/// What was read may be written back: `***` keeps the value.
async fn a_mask_keeps_the_value(node: &Node, id: i64, target: &Target) {
    let mut read = node.monitor(id).await;
    assert_eq!((&read["webhook_url"], &read["headers"]["x-key"]), (&json!("***"), &json!("***")));
    read["name"] = Value::from("Shop 2");
    let path = format!("/api/v1/monitors/{id}");
    let written = node.http().send(Request::new("PUT", path).json(&read)).await.expect(200);
    assert_eq!(written["webhook_url"], "***");
    let before = target.hits();
    let asked = target.wait_for(before + 4).await;
    let recent = asked[before..].iter().find(|request| request.header("x-key").is_some());
    assert_eq!(recent.and_then(|request| request.header("x-key")), Some(SECRETS[2]));
}

#[track_caller]
fn nothing_is_in(place: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for secret in SECRETS {
        if let Some(at) = text.find(secret) {
            let around: String =
                text[..at].chars().rev().take(80).collect::<Vec<_>>().into_iter().rev().collect();
            panic!("{secret} is in {place}, after {around}");
        }
    }
}
