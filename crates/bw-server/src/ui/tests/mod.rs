//! Pages through the router without sockets: what they say, what they keep, what they never do.

mod deeds;
mod heartbeats;
mod lists;
mod manners;
mod world;

use bw_domain::outcome::Code;
use bw_domain::time::Duration;
use serde_json::json;
use world::{World, failed};

#[tokio::test]
async fn a_monitor_says_how_it_is_since_when_and_why() {
    let world = World::new();
    let shop = world.declare(json!({"name": "Shop", "http": "https://shop.test/"})).await;
    let page = world.get("/ui/monitors/1").await;
    page.says("Shop waits for its first probe");
    page.says("None yet: the first begins within seconds of saving.");
    page.says("Nobody. Give this monitor a webhook");

    world.slots(&shop, 5, |_, outcome| outcome).await;
    let page = world.get("/ui/monitors/1").await;
    page.says("Shop has been up for 4 minutes");
    page.says("ended as pass after 31 ms");
    page.says("5 passed");
    page.says("p95 over 24 h");
    page.says("status &#60; 400");

    world.slots(&shop, 2, |_, outcome| failed(outcome, Code::CONNECT_REFUSED)).await;
    let page = world.get("/ui/monitors/1?range=1h").await;
    page.says("Shop has been down for 1 minute");
    page.says("Connection refused");
    page.says("The last failure");
    page.says("5 passed, 2 failed");
    assert!(page.html.contains("icon-down.svg"), "the tab shows it too");
}

#[tokio::test]
async fn an_incident_is_told_from_the_first_failure_to_the_recovery() {
    let world = World::new();
    let shop = world.declare(json!({"name": "Shop", "http": "https://shop.test/"})).await;
    world.slots(&shop, 2, |_, outcome| outcome).await;
    world.slots(&shop, 3, |_, outcome| failed(outcome, Code::WAIT_TIMEOUT)).await;
    let id = world.open_incident(&shop).await;
    let path = format!("/ui/incidents/{id}");
    let page = world.get(&path).await;
    page.says("Shop has been down for 2 minutes");
    page.says("It is still open");
    page.says("Acknowledge");
    page.says("First failing probe");
    page.says("The probes that decided");
    assert_eq!(
        page.html.matches("no complete answer in time<td").count(),
        2,
        "both rounds, and no later probe"
    );

    world.slots(&shop, 2, |_, outcome| outcome).await;
    let page = world.get(&path).await;
    page.says("Shop was down for");
    page.says("It is over: recovered");
    assert!(!page.html.contains(">Acknowledge<"), "there is nothing to take on");
    world.get("/ui/incidents?state=closed").await.says(&format!("href=/ui/incidents/{id}"));
    assert!(!world.get("/ui/incidents?state=open").await.html.contains(&format!("href=/ui/incidents/{id}")));
}

#[tokio::test]
async fn a_schedule_that_has_stopped_does_not_look_healthy() {
    let world = World::new();
    let shop = world.declare(json!({"name": "Shop", "http": "https://shop.test/"})).await;
    world.slots(&shop, 70, |_, outcome| outcome).await;
    assert!(world.get("/").await.html.contains("d=\"M0 8h239\""), "sixty passes are one run");
    world.wait(Duration::from_secs(60 * 20 + 30));
    assert!(!world.get("/").await.html.contains("d=\"M0 8h239\""), "the slots that were missed are gaps");
    world.app.services.vitals.schedule_lag.store(20_000, std::sync::atomic::Ordering::Relaxed);
    let page = world.get("/").await;
    page.says("The schedule is 20 seconds behind");
    page.says("<body class=behind>");
}
