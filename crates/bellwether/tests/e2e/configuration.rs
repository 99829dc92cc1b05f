//! The configuration file in the life of a process: what changes takes effect, what does not change notices nothing,
//! and a mistake changes nothing at all.

use crate::client::Request;
use crate::eventually::{PATIENCE, eventually};
use crate::installation::Installation;
use crate::node::Node;
use crate::slots;
use bw_testkit::server::{Answer, Target};
use rustix::process::Signal;
use serde_json::{Value, json};

/// Two monitors, one of which is edited by the tests, and an action.
fn file(target: &Target, every: &str) -> String {
    let (shop, mail) = (target.at("/shop"), target.at("/mail"));
    format!(
        "monitors:
  - name: Shop
    http: {shop}
    every: 1s
    confirm: {{ failures: 2, recoveries: 1, after: 500ms }}
  - name: Mail
    http: {mail}
    every: {every}
    timeout: 1s
actions:
  - name: ops
    type: webhook
    url: {url}
",
        url = target.at("/ops")
    )
}

async fn by_name(node: &Node, name: &str) -> Option<Value> {
    let all = node.items("/api/v1/monitors").await;
    all.into_iter().find(|monitor| monitor["name"] == name)
}

async fn named(node: &Node, name: &str) -> Value {
    by_name(node, name).await.unwrap_or_else(|| panic!("there is no {name}"))
}

/// Waits until a monitor has this revision.
async fn revision(node: &Node, name: &str, revision: u32) {
    eventually(&format!("revision {revision} of {name}"), PATIENCE, async || {
        let monitor = named(node, name).await;
        if monitor["revision"] == revision { Ok(()) } else { Err(monitor) }
    })
    .await;
}

/// Waits until the file was taken over, or refused.
async fn config_error(node: &Node, refused: bool) -> Value {
    eventually("the file was looked at", PATIENCE, async || {
        let config = node.get("/api/v1/system").await["config"].clone();
        if config["error"].is_null() == refused { Err(config) } else { Ok(config["error"].clone()) }
    })
    .await
}

/// When the file in force was read.
async fn loaded_at(node: &Node) -> Value {
    node.get("/api/v1/system").await["config"]["loaded_at"].clone()
}

/// What an edit of something else must not touch.
async fn standing(node: &Node, id: i64) -> [Value; 4] {
    let monitor = node.monitor(id).await;
    let incidents = node.items("/api/v1/incidents").await;
    let incident = incidents.first().map_or(Value::Null, |incident| incident["id"].clone());
    let timeline = match incident.as_i64() {
        Some(id) => node.get(format!("/api/v1/incidents/{id}")).await["timeline"].clone(),
        None => Value::Null,
    };
    [monitor["revision"].clone(), monitor["since"].clone(), incident, timeline]
}

async fn failures_in_a_row(node: &Node, id: i64) -> i64 {
    let monitor = node.get(format!("/monitors/{id}")).await;
    monitor["consecutive_failures"].as_i64().expect("a count")
}

#[tokio::test]
async fn an_edit_touches_nothing_else() {
    let target = Target::start().await;
    target.set_path("/shop", Answer::status(503));
    let installation = Installation::new().file(&file(&target, "10s"));
    let node = installation.start().await;
    let id = named(&node, "Shop").await["id"].as_i64().expect("an id");
    node.until(id, "DOWN", PATIENCE).await;
    eventually("the action was told", PATIENCE, async || {
        let deliveries = node.deliveries().await;
        if deliveries.iter().any(|delivery| delivery["state"] == "sent") {
            Ok(())
        } else {
            Err(json!(deliveries))
        }
    })
    .await;
    let (before, failures) = (standing(&node, id).await, failures_in_a_row(&node, id).await);

    installation.write_file(&file(&target, "20s"));
    node.signal(Signal::HUP);
    revision(&node, "Mail", 2).await;
    installation.write_file(&file(&target, "30s"));
    revision(&node, "Mail", 3).await;
    let looked = loaded_at(&node).await;
    node.signal(Signal::HUP);
    eventually("an unchanged file is looked at when asked", PATIENCE, async || {
        match loaded_at(&node).await {
            again if again != looked => Ok(()),
            same => Err(same),
        }
    })
    .await;

    eventually("probes go on", PATIENCE, async || match failures_in_a_row(&node, id).await {
        more if more > failures + 2 => Ok(()),
        other => Err(format!("{other} failures in a row, {failures} before")),
    })
    .await;
    assert_eq!(standing(&node, id).await, before);
    slots::all_accounted(&node, id).await;
}

#[tokio::test]
async fn a_mistake_changes_nothing() {
    let target = Target::start().await;
    let good = file(&target, "10s");
    let bad = good.replace("timeout", "timout").replace("name: Shop", "name: Other");
    let installation = Installation::new().file(&bad);
    let refusal = installation.refused().await;
    assert_eq!(refusal.status, Some(1), "{refusal:?}");
    assert!(refusal.stderr.contains("bellwether.yaml:9:5"), "{refusal:?}");

    installation.write_file(&good);
    let node = installation.start().await;
    assert_eq!(config_error(&node, false).await, Value::Null);
    assert_eq!(node.metric("bellwether_config_reload_success").await, 1.0);
    installation.write_file(&bad);
    node.signal(Signal::HUP);
    let error = config_error(&node, true).await;
    let place = "bellwether.yaml:9:5: monitors[1].timout: unknown key; did you mean `timeout`?";
    assert!(error.as_str().is_some_and(|error| error.contains(place)), "{error}");
    assert_eq!(node.metric("bellwether_config_reload_success").await, 0.0);
    assert_eq!(node.lines_with(place).len(), 1, "{}", node.log());
    assert_eq!(named(&node, "Shop").await["revision"], 1);
    assert_eq!(by_name(&node, "Other").await, None);

    installation.write_file(&good.replace("10s", "20s"));
    assert_eq!(config_error(&node, false).await, Value::Null);
    assert_eq!(node.metric("bellwether_config_reload_success").await, 1.0);
    revision(&node, "Mail", 2).await;
}

#[tokio::test]
async fn what_a_file_owns() {
    let target = Target::start().await;
    let whole = file(&target, "10s");
    let installation = Installation::new().file(&whole);
    let node = installation.start().await;
    let by_hand = node.create(&json!({"name": "By hand", "http": target.url(), "every": "10s"})).await;
    let before = standing(&node, by_hand).await;
    let mail = named(&node, "Mail").await["id"].as_i64().expect("an id");
    refused_elsewhere(&node, mail).await;

    let (shop, rest) = whole.split_once("  - name: Mail").expect("two monitors");
    let actions = &rest[rest.find("actions:").expect("an action")..];
    installation.write_file(&format!("{shop}{actions}"));
    node.signal(Signal::HUP);
    eventually("Mail is gone", PATIENCE, async || by_name(&node, "Mail").await.map_or(Ok(()), Err)).await;
    assert_eq!(node.http().get(format!("/monitors/{mail}")).await.status, 404);
    assert_eq!(named(&node, "Shop").await["revision"], 1);
    assert_eq!(standing(&node, by_hand).await, before);
    assert_eq!(node.monitor(by_hand).await["owner"], Value::Null);
}

/// Neither interface changes what the file declares.
async fn refused_elsewhere(node: &Node, id: i64) {
    let (ours, compatible) = (format!("/api/v1/monitors/{id}"), format!("/monitors/{id}"));
    let declared = json!({"name": "Mine", "http": "http://127.0.0.1:1/"});
    for request in [
        Request::new("PUT", ours.as_str()).json(&declared),
        Request::new("PATCH", ours.as_str()).json(&json!({"every": "5s"})),
        Request::new("DELETE", ours.as_str()),
        Request::new("POST", format!("{ours}/pause")),
    ] {
        let problem = node.http().send(request).await.expect(409);
        assert_eq!(problem["code"], "owned", "{problem}");
    }
    let form = json!({"name": "Mine", "url": "http://127.0.0.1:1/"});
    for request in
        [Request::new("PUT", compatible.as_str()).json(&form), Request::new("DELETE", compatible.as_str())]
    {
        let refusal = node.http().send(request).await.expect(409);
        assert_eq!(refusal, json!({"detail": "Monitor is managed by the configuration file"}));
    }
    let monitor = node.monitor(id).await;
    assert_eq!((&monitor["revision"], &monitor["owner"]), (&json!(1), &json!("bellwether.yaml")));
}
