//! Outcomes, latency, uptime, incidents, deliveries: what was seen and what became of it.

use crate::house::{House, Seen};
use bw_domain::id::MonitorId;
use bw_domain::outcome::Code;
use bw_domain::port::store::{Gap, NodeId};
use bw_domain::schedule::shard_of;
use http::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

/// Every 10 s; pass, pass, fail, fail, pass, pass, pass.
async fn with_a_past() -> House {
    let house = House::new().await;
    house.declare(json!({"name": "Shop", "http": "https://shop.example/", "every": "10s"})).await;
    house.settle();
    for seen in [Seen::Slow(10), Seen::Slow(20)] {
        house.observe(1, seen).await;
    }
    for _ in 0..2 {
        house.observe(1, Seen::Fail(Code::EXPECT_STATUS)).await;
    }
    for _ in 0..3 {
        house.observe(1, Seen::Slow(30)).await;
    }
    house
}

#[tokio::test]
async fn outcomes_newest_first_in_pages_of_whole_slots() {
    let house = with_a_past().await;
    let reply = house.get("/api/v1/monitors/1/outcomes").await;
    assert_eq!(reply.header("server-timing"), "rows;desc=7");
    let all = reply.json();
    let items = all["items"].as_array().expect("items");
    let verdicts: Vec<&str> = items.iter().map(|item| item["verdict"].as_str().expect("a verdict")).collect();
    assert_eq!(verdicts, ["pass", "pass", "pass", "fail", "fail", "pass", "pass"]);
    assert_eq!(all["next"], Value::Null);
    let fail = &items[3];
    assert_eq!(
        (&fail["code"], &fail["status"], &fail["try"]),
        (&json!("expect.status"), &json!(503), &json!(0))
    );
    assert_eq!(
        fail["phases"],
        json!({"resolve": 1.2, "connect": 4.0, "tls": 11.0, "send": 0.1, "wait": 14.0, "receive": 0.9})
    );
    let evidence = fail["evidence"].as_i64().expect("evidence of the failure that decided");
    let seen = house.get(&format!("/api/v1/monitors/1/evidence/{evidence}")).await;
    assert_eq!(seen.json()["text"], "unexpected status", "{}", seen.text());

    let first = house.get("/api/v1/monitors/1/outcomes?limit=3").await.json();
    assert_eq!(first["items"].as_array().map(Vec::len), Some(3));
    let next = first["next"].as_str().expect("more");
    let second = house.get(&format!("/api/v1/monitors/1/outcomes?limit=3&to={next}")).await.json();
    assert_eq!(second["items"][0], items[3]);
    let fails = house.get("/api/v1/monitors/1/outcomes?verdict=fail").await.json();
    assert_eq!(fails["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn slots_that_nobody_planned_are_shown_with_their_cause() {
    let house = with_a_past().await;
    let services = &house.app.services;
    let from = services.clock.now();
    house.skip(Duration::from_secs(60));
    let (held, _) = services.store.leases.hold(NodeId(1), Duration::from_secs(10)).await.expect("leases");
    let shard = shard_of(MonitorId(1));
    let epoch = held.iter().find(|held| held.shard == shard).expect("all shards").epoch;
    let gap = Gap { shard, from, to: services.clock.now(), code: Code::SELF_MISSED };
    assert_eq!(services.store.accounts.gap(vec![(epoch, gap)]).await.expect("a gap"), [true]);

    let all = house.get("/api/v1/monitors/1/outcomes").await.json();
    let items = all["items"].as_array().expect("items");
    assert_eq!(items.len(), 7 + 6, "{all}");
    for item in &items[..6] {
        assert_eq!((&item["verdict"], &item["code"]), (&json!("inconclusive"), &json!("self.missed")));
        assert_eq!((&item["latency_ms"], &item["status"]), (&Value::Null, &Value::Null));
    }
    let slots: Vec<&str> = items.iter().map(|item| item["slot"].as_str().expect("a slot")).collect();
    assert!(slots.is_sorted_by(|a, b| a > b), "{slots:?}");
    let missed = house.get("/api/v1/monitors/1/outcomes?verdict=inconclusive&limit=4").await.json();
    assert_eq!(missed["items"].as_array().map(Vec::len), Some(4));
    let rest = format!(
        "/api/v1/monitors/1/outcomes?verdict=inconclusive&to={}",
        missed["next"].as_str().expect("more")
    );
    assert_eq!(house.get(&rest).await.json()["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn uptime_is_weighted_by_time_and_its_parts_are_the_wall() {
    let house = with_a_past().await;
    house.skip(Duration::from_secs(10));
    house.ask("POST /api/v1/monitors/1/pause", Value::Null).await;
    house.skip(Duration::from_secs(30));
    let uptime = house.get("/api/v1/monitors/1/uptime").await.json();
    let part = |name: &str| uptime[name].as_f64().unwrap_or_else(|| panic!("{name} in {uptime}"));
    assert_eq!(
        (part("up_s"), part("down_s"), part("paused_s"), part("maintenance_s")),
        (50.0, 20.0, 28.0, 0.0)
    );
    assert_eq!(part("ratio"), 50.0 / 70.0);
    let at =
        |name: &str| bw_domain::time::Instant::parse(uptime[name].as_str().expect("a time")).expect("a time");
    let wall = at("to").since(at("from")).as_secs_f64();
    let parts = part("up_s") + part("down_s") + part("unknown_s") + part("paused_s") + part("maintenance_s");
    assert!((parts - wall).abs() < 1e-6, "{parts} {wall}");
    assert!((part("coverage") - 70.0 / (wall - 28.0)).abs() < 1e-9);
    let none =
        house.get("/api/v1/monitors/1/uptime?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z").await.json();
    assert_eq!((&none["ratio"], &none["up_s"]), (&Value::Null, &json!(0.0)), "before it was declared");
}

#[tokio::test]
async fn both_families_are_two_outcomes_of_one_slot() {
    let house = House::new().await;
    let both = json!({"name": "Shop", "http": "https://shop.example/", "every": "10s", "family": "both"});
    house.declare(both).await;
    house.settle();
    for _ in 0..3 {
        house.observe(1, Seen::Pass).await;
    }
    house.skip(Duration::from_secs(10));
    let first = house.get("/api/v1/monitors/1/outcomes?limit=3").await.json();
    let families: Vec<&str> = first["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["family"].as_str().expect("a family"))
        .collect();
    assert_eq!(families, ["v4", "v6"], "a page of three holds one whole slot of two");
    assert_eq!(house.get("/api/v1/monitors/1/uptime").await.json()["up_s"], 30.0, "and its time counts once");
}

#[tokio::test]
async fn latency_in_steps() {
    let house = with_a_past().await;
    let series = house.get("/api/v1/monitors/1/latency?q=0,0.5,1&step=1h").await.json();
    assert_eq!(series["step_s"], 3600.0);
    let points = series["points"].as_array().expect("points");
    assert_eq!(points.len(), 1, "{series}");
    let point = &points[0];
    assert_eq!((&point["count"], &point["fails"]), (&json!(7), &json!(2)));
    let near = |q: &str, ms: f64| {
        let seen = point["latency_ms"][q].as_f64().expect("a latency");
        assert!((seen - ms).abs() <= ms * 0.011, "{q}: {seen}");
    };
    near("0", 10.0);
    near("0.5", 30.0);
    near("1", 31.2);
    assert!(point["phases"]["wait"].as_f64().is_some_and(|ms| (ms - 14.0).abs() < 1e-9));
    let whole = house.get("/api/v1/monitors/1/latency").await.json();
    assert_eq!(whole["points"][0]["latency_ms"].as_object().map(|map| map.len()), Some(3));
}

#[tokio::test]
async fn incidents_are_seen_taken_on_and_written_down() {
    let house = House::new().await;
    house.declare(json!({"name": "Shop", "http": "https://shop.example/", "every": "10s"})).await;
    house.settle();
    for _ in 0..2 {
        house.observe(1, Seen::Fail(Code::TLS_EXPIRED)).await;
    }
    let page = house.get("/api/v1/incidents?state=open").await.json();
    let incident = &page["items"][0];
    let id = incident["id"].as_i64().expect("an id");
    assert_eq!(incident["subject"], json!({"kind": "monitor", "id": 1, "name": "Shop"}));
    assert_eq!((&incident["closed_at"], &incident["acknowledged"]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&incident["cause"]["code"], &incident["cause"]["phase"]),
        (&json!("tls.expired"), &json!("tls"))
    );
    assert_eq!(incident["scope"]["code"], "tls");
    assert!(incident["first_failure_at"].as_str() < incident["opened_at"].as_str(), "back-dated");

    let taken = house.ask(&format!("POST /api/v1/incidents/{id}/acknowledge"), Value::Null).await.json();
    assert_eq!(taken["acknowledged"]["by"], "somebody on this machine");
    let again = house.ask(&format!("POST /api/v1/incidents/{id}/acknowledge"), Value::Null).await.json();
    assert_eq!(taken["timeline"], again["timeline"], "the first one stands");
    let noted = house
        .ask(&format!("POST /api/v1/incidents/{id}/notes"), json!({"text": "calling the registrar"}))
        .await;
    assert_eq!(noted.status, StatusCode::CREATED);
    let seen = house.get(&format!("/api/v1/incidents/{id}")).await.json();
    let kinds: Vec<&str> = seen["timeline"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| line["kind"].as_str().expect("a kind"))
        .collect();
    assert_eq!(kinds, ["observed", "confirmed", "acknowledged", "note"]);
    assert_eq!(seen["evidence"].as_array().map(Vec::len), Some(2), "{seen}");
    for body in [json!({}), json!({"text": " "}), json!({"text": 5}), json!({"txt": "x"})] {
        let reply = house.ask(&format!("POST /api/v1/incidents/{id}/notes"), body).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.text());
    }
    let events = house.app.services.store.deliveries.unrouted(10).await.expect("events");
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.name()).collect();
    assert_eq!(kinds[2..], ["incident.acknowledged", "incident.updated"], "{kinds:?}");
    assert_eq!(
        events[2].incident.as_ref().and_then(|facts| facts.acknowledged_by.as_deref()),
        Some("somebody on this machine")
    );

    house.ask("DELETE /api/v1/monitors/1", Value::Null).await;
    let closed = house.get("/api/v1/incidents?state=closed").await.json();
    assert_eq!(closed["items"][0]["id"], id, "it ends with its monitor");
    let late = house.ask(&format!("POST /api/v1/incidents/{id}/acknowledge"), Value::Null).await;
    assert_eq!(late.status, StatusCode::OK, "the acknowledgement that stands");
}

#[tokio::test]
async fn incidents_come_in_pages() {
    let house = House::new().await;
    for name in ["a", "b", "c"] {
        let id = house
            .declare(json!({"name": name, "http": format!("https://{name}.example/"), "every": "10s"}))
            .await;
        house.settle();
        house.observe(id, Seen::Fail(Code::WAIT_TIMEOUT)).await;
        house.observe(id, Seen::Fail(Code::WAIT_TIMEOUT)).await;
    }
    let first = house.get("/api/v1/incidents?limit=2").await.json();
    assert_eq!(first["items"].as_array().map(Vec::len), Some(2));
    let rest = house
        .get(&format!("/api/v1/incidents?limit=2&after={}", first["next"].as_str().expect("more")))
        .await
        .json();
    assert_eq!((rest["items"].as_array().map(Vec::len), &rest["next"]), (Some(1), &Value::Null));
    assert_eq!(
        house.get("/api/v1/incidents?monitor=2").await.json()["items"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(house.get("/api/v1/deliveries").await.json(), json!({"items": [], "next": null}));
}
