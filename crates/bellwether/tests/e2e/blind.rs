//! An observer that has lost its own network blames nobody.

use crate::eventually::{PATIENCE, eventually};
use crate::installation::Installation;
use crate::node::Node;
use bw_testkit::server::{Sink, Target};
use serde_json::json;

async fn sees(node: &Node, blind: bool) {
    eventually(&format!("blind is {blind}"), PATIENCE, async || {
        let system = node.get("/api/v1/system").await;
        if system["blind"] == blind { Ok(()) } else { Err(system) }
    })
    .await;
}

#[tokio::test]
async fn a_blind_observer_abstains() {
    let (target, anchor, sink) = (Target::start().await, Target::start().await, Sink::start().await);
    let (target_at, anchor_at) = (target.address().to_string(), anchor.address().to_string());
    let file = format!("self_test: {{ anchors: [\"tcp:{anchor_at}\"], need: 1 }}\n");
    let node = Installation::new().file(&file).start().await;
    let declared = json!({
        "name": "Shop", "http": target.url(), "every": "1s", "timeout": "300ms", "confirm": {"after": "500ms"},
        "webhook_url": sink.url(),
    });
    let id = node.create(&declared).await;
    let up = node.until(id, "UP", PATIENCE).await;

    // The cable is pulled: nothing answers any more.
    drop((target, anchor));
    sees(&node, true).await;
    let unseen = format!("/api/v1/monitors/{id}/outcomes?verdict=inconclusive");
    eventually("several outcomes say nothing", PATIENCE, async || {
        let outcomes = node.items(unseen.as_str()).await;
        if outcomes.len() >= 3 { Ok(()) } else { Err(json!(outcomes)) }
    })
    .await;
    let codes: Vec<_> =
        node.items(unseen.as_str()).await.iter().map(|outcome| outcome["code"].clone()).collect();
    assert!(codes.iter().all(|code| code == "self.blind"), "{codes:?}");
    assert_eq!(
        node.items(format!("/api/v1/monitors/{id}/outcomes?verdict=fail")).await,
        [] as [serde_json::Value; 0]
    );

    // It is plugged in again.
    let _target = Target::start_on(&target_at).await;
    let _anchor = Target::start_on(&anchor_at).await;
    sees(&node, false).await;
    let passes = node.metric("bellwether_outcomes_total{verdict=\"pass\"}").await;
    eventually("probes pass again", PATIENCE, async || {
        let now = node.metric("bellwether_outcomes_total{verdict=\"pass\"}").await;
        if now > passes { Ok(()) } else { Err(now) }
    })
    .await;

    let after = node.monitor(id).await;
    assert_eq!(
        (&after["state"], &after["since"]),
        (&json!("UP"), &up["since"]),
        "it was never anything else"
    );
    assert_eq!(node.incidents().await, [] as [serde_json::Value; 0]);
    assert_eq!(sink.received(), []);
    eventually("the end of it is told", PATIENCE, async || {
        match node.lines_with("location.blind: over").len() {
            0 => Err(node.log()),
            _ => Ok(()),
        }
    })
    .await;
    assert_eq!(
        node.lines_with("location.blind: this observer has lost its own network").len(),
        1,
        "{}",
        node.log()
    );
    assert_eq!(node.lines_with("location.b").len(), 2, "each is told once:\n{}", node.log());
}
