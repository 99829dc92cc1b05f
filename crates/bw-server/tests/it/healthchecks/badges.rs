//! Badges: their addresses, their forms, two and three states.

use super::{READ_ONLY, World, is_open, uuid};
use http::StatusCode;
use serde_json::{Value, json};

/// The path of an address.
fn path(address: &Value) -> String {
    address
        .as_str()
        .and_then(|text| text.strip_prefix("http://127.0.0.1:8080"))
        .expect("an address")
        .to_owned()
}

#[tokio::test]
async fn every_tag_has_its_badges() {
    let world = World::new().await;
    let id = uuid(&world.make(json!({"name": "a", "tags": "prod a/b", "timeout": 60, "grace": 60})).await);
    world.make(json!({"name": "b", "tags": "prod"})).await;
    let seen = world.with_key("GET /api/v3/badges/", READ_ONLY, Value::Null).await;
    let badges = seen.json()["badges"].clone();
    let tags: Vec<&String> = badges.as_object().expect("an object").keys().collect();
    assert_eq!(tags, ["*", "a/b", "prod"]);
    let place = seen.text().find("\"prod\":").expect("a tag");
    let mut rest = &seen.text()[place..];
    for form in ["svg", "svg3", "json", "json3", "shields", "shields3"] {
        let at = rest.find(&format!("\"{form}\":")).unwrap_or_else(|| panic!("{form} in its order"));
        rest = &rest[at + 1..];
    }

    world.ping(&id, "", "").await;
    world.when(&id, "up").await;
    let states = |two: &'static str, three: &'static str| [("json", two), ("json3", three)];
    for (tag, total) in [("*", 2), ("prod", 2), ("a/b", 1)] {
        for (form, status) in states("up", "up") {
            let badge = world.get(&path(&badges[tag][form])).await;
            let text = format!(r#"{{"status":"{status}","total":{total},"grace":0,"down":0}}"#);
            assert_eq!((badge.status, badge.text()), (StatusCode::OK, text.as_str()), "{tag} {form}");
        }
    }
    world.pass(60);
    world.when(&id, "grace").await;
    for (form, status) in states("up", "late") {
        let badge = world.get(&path(&badges["prod"][form])).await;
        assert_eq!(badge.text(), format!(r#"{{"status":"{status}","total":2,"grace":1,"down":0}}"#));
    }
    for (form, message, color) in [("shields", "up", "success"), ("shields3", "late", "important")] {
        let badge = world.get(&path(&badges["prod"][form])).await;
        let text = format!(r#"{{"schemaVersion":1,"label":"prod","message":"{message}","color":"{color}"}}"#);
        assert_eq!((badge.text(), badge.header("content-type")), (text.as_str(), "application/json"));
    }
    world.ping(&id, "/fail", "").await;
    world.when(&id, "down").await;
    for (form, status) in states("down", "down") {
        let badge = world.get(&path(&badges["*"][form])).await;
        assert_eq!(badge.text(), format!(r#"{{"status":"{status}","total":2,"grace":0,"down":1}}"#));
    }
    let shield = world.get(&path(&badges["prod"]["shields3"])).await.json();
    assert_eq!(shield, json!({"schemaVersion": 1, "label": "prod", "message": "down", "color": "critical"}));
    for form in ["svg", "svg3"] {
        let badge = world.get(&path(&badges["a/b"][form])).await;
        assert_eq!(badge.header("content-type"), "image/svg+xml");
        assert_eq!(badge.header("cache-control"), "max-age=0, no-cache, no-store, must-revalidate, private");
        is_open(&badge, "GET, OPTIONS");
        assert!(badge.text().contains("<title>a/b: down</title>"), "{}", badge.text());
    }
}

#[tokio::test]
async fn every_check_has_its_badge() {
    let world = World::new().await;
    let check = world.make(json!({"name": "a < b", "timeout": 60, "grace": 60})).await;
    let nameless = world.make(json!({})).await;
    let two = path(&check["badge_url"]);
    let three = two.replace("/b/2/", "/b/3/");
    world.ping(&uuid(&check), "", "").await;
    world.pass(60);
    world.when(&uuid(&check), "grace").await;
    for (path, status) in [(&two, "up"), (&three, "late")] {
        let badge = world.get(path).await;
        assert!(badge.text().contains(&format!("<title>a &lt; b: {status}</title>")), "{}", badge.text());
        let badge = world.get(&path.replace(".svg", ".json")).await;
        assert_eq!(badge.text(), format!(r#"{{"status":"{status}","total":1,"grace":1,"down":0}}"#));
        let badge = world.get(&path.replace(".svg", ".shields")).await.json();
        assert_eq!((&badge["label"], &badge["message"]), (&json!("a < b"), &json!(status)));
    }
    let badge = world.get(&path(&nameless["badge_url"])).await;
    assert!(badge.text().contains("<title>check: up</title>"));
    assert!(!badge.text().contains(&uuid(&nameless)), "a badge does not give the address away");
}

#[tokio::test]
async fn other_badges_are_not_there() {
    let world = World::new().await;
    let check = world.make(json!({"tags": "prod"})).await;
    let badges = world.get("/api/v3/badges/").await.json()["badges"].clone();
    let (all, prod, one) =
        (path(&badges["*"]["svg"]), path(&badges["prod"]["svg"]), path(&check["badge_url"]));
    for there in [&all, &prod, &one] {
        assert_eq!(world.get(there).await.status, StatusCode::OK);
    }
    let other_key = all.replacen(&all[7..9], if &all[7..9] == "00" { "11" } else { "00" }, 1);
    for nowhere in [
        all.replace(".svg", ".png"),
        prod.replace("prod", "test"),
        other_key,
        one.replace("/b/2/", "/b/4/"),
        one.replace("/b/2/", "/b/"),
        format!("/b/2/{}.svg", uuid(&check)),
        "/b/2/728b3763-ea80-4113-9fc0-f49b4adb226e.svg".to_owned(),
        "/badge/x".to_owned(),
    ] {
        let reply = world.get(&nowhere).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{nowhere}");
        is_open(&reply, "GET, OPTIONS");
    }
    for (method, status) in [("OPTIONS", StatusCode::NO_CONTENT), ("POST", StatusCode::METHOD_NOT_ALLOWED)] {
        let reply = world.ask(&format!("{method} {all}"), Value::Null).await;
        assert_eq!((reply.status, reply.text()), (status, ""));
    }
}
