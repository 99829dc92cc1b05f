//! Checks as they are shown: which members, in which order, to whom, and which checks.

use super::{READ_ONLY, World, uuid};
use serde_json::{Value, json};

#[tokio::test]
async fn members_come_in_their_order() {
    let world = World::new().await;
    let made = world.ask("POST /api/v3/checks/", json!({"name": "Nightly", "tags": "prod db"})).await;
    let id = uuid(&made.json());
    let badge = made.json()["badge_url"].as_str().expect("a badge").to_owned();
    assert!(badge.starts_with("http://127.0.0.1:8080/b/2/") && badge.ends_with(".svg"), "{badge}");
    let head = format!(
        "{{\"name\":\"Nightly\",\"slug\":\"\",\"tags\":\"prod db\",\"desc\":\"\",\"grace\":3600,\"n_pings\":0,\
         \"status\":\"new\",\"started\":false,\"last_ping\":null,\"next_ping\":null,\"manual_resume\":false,\
         \"methods\":\"\",\"subject\":\"\",\"subject_fail\":\"\",\"start_kw\":\"\",\"success_kw\":\"\",\
         \"failure_kw\":\"\",\"filter_subject\":false,\"filter_body\":false,\"filter_http_body\":false,\
         \"filter_default_fail\":false,\"badge_url\":\"{badge}\","
    );
    let site = "http://127.0.0.1:8080";
    let one = format!("{site}/api/v3/checks/{id}");
    let expected = format!(
        "{head}\"uuid\":\"{id}\",\"ping_url\":\"{site}/ping/{id}\",\"update_url\":\"{one}\",\
         \"pause_url\":\"{one}/pause\",\"resume_url\":\"{one}/resume\",\"channels\":\"\",\"timeout\":86400}}"
    );
    assert_eq!(made.text(), expected);
    assert_eq!(made.header("content-type"), "application/json");
    assert_eq!(world.get(&format!("/api/v3/checks/{id}")).await.text(), expected);
    assert_eq!(world.get("/api/v3/checks/").await.text(), format!("{{\"checks\":[{expected}]}}"));
    // Links stay in the version that was asked.
    let second = world.get(&format!("/api/v2/checks/{id}")).await;
    assert_eq!(second.text(), expected.replace("/api/v3/", "/api/v2/"));

    let read = world.with_key("GET /api/v3/checks/", READ_ONLY, Value::Null).await;
    let sha = read.json()["checks"][0]["unique_key"].as_str().expect("a digest").to_owned();
    let expected = format!("{head}\"unique_key\":\"{sha}\",\"timeout\":86400}}");
    assert_eq!(read.text(), format!("{{\"checks\":[{expected}]}}"));
    for key in [&sha, &id] {
        let read = world.with_key(&format!("GET /api/v1/checks/{key}"), READ_ONLY, Value::Null).await;
        assert_eq!(read.text(), expected);
    }
}

#[tokio::test]
async fn a_schedule_takes_the_place_of_the_timeout() {
    let world = World::new().await;
    let wish = json!({"schedule": "0 3 * * *\n", "tz": "Europe/Kiev", "timeout": 600, "grace": 60});
    let made = world.ask("POST /api/v3/checks/", wish).await;
    assert!(
        made.text().ends_with("\"channels\":\"\",\"schedule\":\"0 3 * * *\",\"tz\":\"Europe/Kyiv\"}"),
        "{}",
        made.text()
    );
    let check = world.make(json!({"schedule": "Mon 12:00\nFri 13:00"})).await;
    assert_eq!(
        (&check["schedule"], &check["tz"]),
        (&json!("Mon 12:00\nFri 13:00"), &json!("UTC")),
        "several as OnCalendar"
    );
}

#[tokio::test]
async fn filters_are_joined() {
    let world = World::new().await;
    for (slug, tags) in [("a", "prod db"), ("b", "prod"), ("c", "prodigy db")] {
        world.make(json!({"name": slug, "slug": slug, "tags": tags})).await;
    }
    for (query, names) in [
        ("", vec!["a", "b", "c"]),
        ("?tag=prod", vec!["a", "b"]),
        ("?tag=prod&tag=db", vec!["a"]),
        ("?tag=db", vec!["a", "c"]),
        ("?tag=nothing", vec![]),
        ("?slug=b", vec!["b"]),
        ("?slug=b&tag=db", vec![]),
        ("?slug=", vec!["a", "b", "c"]),
        ("?unknown=1", vec!["a", "b", "c"]),
    ] {
        for version in 1..=3 {
            let seen = world.get(&format!("/api/v{version}/checks/{query}")).await.json();
            let seen: Vec<&str> = seen["checks"]
                .as_array()
                .expect("a list")
                .iter()
                .filter_map(|check| check["name"].as_str())
                .collect();
            assert_eq!(seen, names, "{query}");
        }
    }
}

#[tokio::test]
async fn heartbeats_of_every_kind_are_checks_and_probes_are_none() {
    let world = World::new().await;
    world.house.declare(json!({"http": "https://a.example/"})).await;
    let labels = json!({"team": "web", "nightly": "", "note": "two words"});
    let document = json!({
        "name": "Own one", "labels": labels,
        "heartbeat": {"every": "10m", "keywords": {"failure": "ERROR", "otherwise": "fail"}, "post_only": true},
    });
    world.house.declare(document).await;
    let pulse = json!({"host": "h", "category": "c", "type": "t", "name": "n"});
    world.house.declare(json!({"heartbeat": {"every": "24h", "count": "weekdays", "pulse": pulse}})).await;
    let seen = world.get("/api/v3/checks/").await.json();
    let checks = seen["checks"].as_array().expect("a list");
    let expected = json!({
        "name": "Own one", "slug": "own-one", "tags": "nightly team=web", "timeout": 600, "grace": 120,
        "failure_kw": "ERROR", "filter_http_body": true, "filter_default_fail": true, "methods": "POST",
        "status": "new",
    });
    assert_eq!(checks.len(), 2, "{seen}");
    for (member, value) in expected.as_object().expect("an object") {
        assert_eq!(&checks[0][member], value, "{member}");
    }
    assert_eq!((&checks[1]["timeout"], &checks[1]["grace"]), (&json!(86_400), &json!(0)));
    // Its tags may be written there, and what they cannot say stays.
    let id = uuid(&checks[0]);
    let written = world.ask(&format!("POST /api/v3/checks/{id}"), json!({"tags": "team=db"})).await.json();
    assert_eq!(written["tags"], "team=db");
    let labels = world.house.get("/api/v1/monitors").await.json();
    let labels = labels["items"].as_array().expect("a list")[1]["labels"].clone();
    assert_eq!(labels, json!({"note": "two words", "team": "db"}));
}

#[tokio::test]
async fn channels_are_the_declared_actions() {
    use bw_domain::action::{Action, ActionKind};
    use bw_domain::id::ActionId;
    use bw_engine::usecase::apply::{Declared, apply};
    let world = World::new().await;
    let action = |name: &str| Action {
        id: ActionId(0),
        name: name.to_owned(),
        owner: None,
        kind: ActionKind::Log,
        broken: String::new(),
    };
    let owner: std::sync::Arc<str> = "bellwether.yaml".into();
    let declared = Declared { monitors: vec![], actions: vec![action("ops"), action("audit")] };
    apply(&world.house.app.services, &owner, declared).await.expect("applied");

    let seen = world.get("/api/v3/channels/").await;
    let channels = seen.json()["channels"].as_array().expect("a list").clone();
    let first = channels[0]["id"].as_str().expect("an id");
    assert!(
        seen.text().starts_with(&format!(r#"{{"channels":[{{"id":"{first}","name":"ops","kind":"log"}},"#)),
        "{}",
        seen.text()
    );
    let mut ids: Vec<&str> = channels.iter().filter_map(|channel| channel["id"].as_str()).collect();
    ids.sort_unstable();
    let check = world.make(json!({"channels": ""})).await;
    assert_eq!(check["channels"], ids.join(","), "routes tell all of them");
    for (channels, mistake) in [
        ("*".to_owned(), ""),
        ("ops".to_owned(), ""),
        (format!("{first},audit"), ""),
        ("nobody".to_owned(), "invalid channel identifier: nobody"),
        ("ops,".to_owned(), "empty channel identifier"),
    ] {
        let path = format!("POST /api/v3/checks/{}", uuid(&check));
        let reply = world.ask(&path, json!({"channels": channels})).await;
        if mistake.is_empty() {
            assert_eq!(reply.json(), check, "{channels}");
        } else {
            assert_eq!((reply.status.as_u16(), reply.text()), (400, super::error(mistake).as_str()));
        }
    }
}
