//! Heartbeats in a browser: from the form to the first beat, with scripts and without, and pictures of their pages when
//! there is none, one, and many in every state.

use crate::browser::Browser;
use crate::eventually::{PATIENCE, eventually};
use crate::installation::Installation;
use crate::looks::pictures;
use crate::node::Node;
use serde_json::json;
use std::time::Duration;

/// The path of a heartbeat's address.
async fn path(node: &Node, id: i64) -> String {
    let uuid = node.get(format!("/api/v1/monitors/{id}")).await["uuid"].clone();
    format!("/ping/{}", uuid.as_str().expect("a uuid is text"))
}

async fn beat(node: &Node, path: &str, body: &str) {
    let request = crate::client::Request::new("POST", path).body(body.to_owned());
    let reply = node.http().send(request.header("user-agent", "curl/8.14.1")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// How long ago something happened, as a beat says it.
#[expect(clippy::disallowed_methods, reason = "the process under test has the clock of this machine, too")]
fn ago(seconds: u64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    (now.as_millis() - u128::from(seconds) * 1_000).to_string()
}

#[tokio::test]
async fn from_the_form_to_the_first_beat_with_scripts() {
    first_beat(true).await;
}

#[tokio::test]
async fn from_the_form_to_the_first_beat_without_scripts() {
    first_beat(false).await;
}

async fn first_beat(scripts: bool) {
    let mut node = Installation::new().start().await;
    let mut browser = Browser::on(&mut node).await;
    if !scripts {
        browser = browser.without_scripts().await;
    }
    browser.go("/").await;
    browser.press("main a[href='/ui/heartbeats/new']").await;
    browser.sees("New heartbeat").await;
    browser.fill("#f-name", "Backup").await;
    browser.fill("#f-schedule", "0 3 * *").await;
    browser.press("button[value=save]").await;
    browser.shows("return document.querySelector('#f-schedule').ariaInvalid", "true").await;
    assert_eq!(browser.evaluate("return document.querySelector('#f-name').value").await, "Backup");
    browser.fill("#f-schedule", "0 3 * * *").await;
    browser.fill("#f-zone", "Europe/Berlin").await;
    browser.press("button[value=save]").await;
    browser.sees("Backup waits for its first beat").await;
    let address = browser.evaluate("return document.querySelector('.snip pre').textContent").await;
    let address = address.as_str().expect("text").to_owned();
    let local = node.http().url();
    let path = address.strip_prefix(&local).unwrap_or_else(|| panic!("{address} is not below {local}"));
    let shown = "return String(getComputedStyle(document.querySelector('button.copy')).display !== 'none')";
    browser.shows(shown, if scripts { "true" } else { "false" }).await;
    if scripts {
        browser.press("button.copy").await;
        browser
            .shows(
                "return document.querySelector('button.copy').textContent !== 'Copy' ? 'told' : ''",
                "told",
            )
            .await;
    }
    beat(&node, path, "hello").await;
    browser.go("/ui/monitors/1").await;
    browser.sees("Backup is up: the next beat is due in").await;
    browser.press("a[href='/ui/monitors/1/beats/1']").await;
    browser.sees("Beat 1 of Backup: success").await;
    browser.sees("hello").await;
    browser.go("/ui/monitors/1").await;
    browser.press("form[action$='/pause'] button").await;
    browser.sees("Backup is paused").await;
    browser.press("form[action$='/resume'] button").await;
    browser.sees("Resumed.").await;
    browser.close_after(&["status of 422"]).await;
    node.stop().await;
}

#[tokio::test]
async fn looks_of_one_that_is_new() {
    let mut node = Installation::new().start().await;
    node.create(
        &json!({"name": "Nightly backup", "heartbeat": {"schedule": "0 3 * * *", "zone": "Europe/Berlin"}}),
    )
    .await;
    let browser = Browser::on(&mut node).await;
    pictures(&browser, "heartbeat-new", "/ui/monitors/1").await;
    pictures(&browser, "heartbeat-form", "/ui/heartbeats/new").await;
    pictures(&browser, "heartbeat-edit", "/ui/monitors/1/edit").await;
    pictures(&browser, "heartbeat-delete", "/ui/monitors/1/delete").await;
    pictures(&browser, "heartbeat-one-overview", "/").await;
    browser.close().await;
    node.stop().await;
}

#[tokio::test]
async fn looks_of_many() {
    let mut node = Installation::new().start().await;
    for document in [
        json!({"name": "Nightly backup", "labels": {"team": "ops", "tier": "gold"},
            "heartbeat": {"schedule": "0 3 * * *", "zone": "Europe/Berlin", "grace": "30m", "run_limit": "2h"}}),
        json!({"name": "Invoices", "labels": {"team": "payments"}, "heartbeat": {"every": "1h", "grace": "10m"}}),
        json!({"name": "Queue worker", "labels": {"team": "web"}, "heartbeat": {"every": "2s", "grace": "1s"}}),
        json!({"name": "Late report", "labels": {"team": "web"}, "heartbeat": {"every": "2s", "grace": "1h"}}),
        json!({"name": "The synchronisation of the directory with the very long name", "labels": {"team": "identity"},
            "heartbeat": {"every": "1d"}}),
        json!({"name": "Newsletter", "enabled": false, "heartbeat": {"every": "7d"}}),
        json!({"name": "Shop", "tcp": "127.0.0.1:9", "every": "1s", "confirm": {"after": "1s"}}),
    ] {
        node.create(&document).await;
    }
    let mut paths = vec![String::new()];
    for id in 1..=4 {
        paths.push(path(&node, id).await);
    }
    for number in 0..26u64 {
        let (began, took) = (ago(85_400 - number * 3_400), 60 + number * 37 % 240);
        let run = format!("00000000-0000-4000-8000-{number:012}");
        let said = format!("rid={run}&at={began}");
        beat(&node, &format!("{}/start?{said}", paths[2]), "").await;
        let status = if number == 17 { 3 } else { 0 };
        let ended = ago(85_400 - number * 3_400 - took);
        let body = "charged 214 invoices\nwarning: 3 addresses are incomplete\n";
        beat(&node, &format!("{}/{status}?rid={run}&at={ended}", paths[2]), body).await;
    }
    beat(&node, &format!("{}/log", paths[2]), "a line of the log").await;
    beat(&node, &format!("{}/start", paths[2]), "").await;
    beat(&node, &paths[1], "").await;
    for path in &paths[3..] {
        beat(&node, path, "").await;
    }
    node.until(3, "DOWN", PATIENCE).await;
    eventually("one is late", Duration::from_secs(20), async || {
        let seen = node.get("/api/v1/monitors/4").await["beats"]["status"].clone();
        if seen == "grace" { Ok(()) } else { Err(seen) }
    })
    .await;
    node.until(7, "DOWN", PATIENCE).await;
    let incident = node.incidents().await;
    let silent = incident
        .iter()
        .find(|one| one["cause"]["code"].as_str().is_some_and(|code| code.starts_with("beat")));
    let silent = silent.and_then(|one| one["id"].as_i64()).expect("one is open");
    let browser = Browser::on(&mut node).await;
    for (name, path) in [
        ("heartbeats-overview", "/".to_owned()),
        ("heartbeat-runs", "/ui/monitors/2".to_owned()),
        ("heartbeat-schedule", "/ui/monitors/1".to_owned()),
        ("heartbeat-down", "/ui/monitors/3".to_owned()),
        ("heartbeat-late", "/ui/monitors/4".to_owned()),
        ("heartbeat-incident", format!("/ui/incidents/{silent}")),
        ("heartbeat-beat", "/ui/monitors/2/beats/2".to_owned()),
    ] {
        pictures(&browser, name, &path).await;
    }
    browser.resize(1440, 900).await;
    browser.scheme("light").await;
    browser.go("/ui/heartbeats/new").await;
    browser.fill("#f-name", "Backup").await;
    browser.fill("#f-every", "often").await;
    browser.fill("#f-schedule", "0 3 * * *\n99 3 * * *").await;
    browser.fill("#f-zone", "Europe/Berln").await;
    browser.press("#more summary").await;
    browser.fill("#f-holidays", "Christmas").await;
    browser.press("button[value=save]").await;
    browser.sees("is not a duration").await;
    browser.sees("Line 2: ").await;
    browser.picture("heartbeat-mistakes").await;
    browser.close_after(&["status of 422"]).await;
    node.stop().await;
}
