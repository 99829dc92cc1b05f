//! The form: what it takes, what it says, and where it leads.

use super::*;
use bw_engine::usecase::apply::{Declared, apply};
use http::StatusCode;
use ring::digest::{SHA256, digest};
use std::sync::Arc;

fn declared(world: &World, id: MonitorId) -> Value {
    world.app.services.catalog.get(id).expect("a monitor").declared.to_json()["heartbeat"].clone()
}

fn original(joined: &str) -> String {
    digest(&SHA256, joined.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn threshold_and_saturday_are_changed_in_any_order() {
    let world = World::new().await;
    let id = world.declare(["web1", "backup", "nightly", "db"], "24h", false).await;
    let uuid = world.uuid(id);
    let page = world.get(&format!("/heartbeat/edit?secret={ENCODED}&id={uuid}")).await;
    assert_eq!(page.status, StatusCode::OK);
    for part in [
        "<th scope=col>Include Saturday",
        "<th scope=col>Threshold",
        "<th scope=col>Delete",
        "name=threshold value=\"24\"",
        "name=saturday value=\"0\"",
        "name=delete value=del",
        "method=post",
    ] {
        assert!(page.text().contains(part), "{part} in {}", page.text());
    }
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    for (form, every, count) in [
        ("threshold=1.5&saturday=1", "90m", "weekdays+saturday"),
        ("saturday=0&threshold=48", "2d", "weekdays"),
        ("saturday=1", "2d", "weekdays+saturday"),
        ("threshold=72&delete=no", "3d", "weekdays+saturday"),
        ("", "3d", "weekdays+saturday"),
    ] {
        let reply = world.post(&format!("/heartbeat/edit?id={uuid}&secret={ENCODED}"), form).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{form}: {}", reply.text());
        let location = format!("/heartbeat/dashboard?secret={ENCODED}");
        assert_eq!(reply.header("location"), location);
        let seen = declared(&world, id);
        assert_eq!((seen["every"].as_str(), seen["count"].as_str()), (Some(every), Some(count)), "{form}");
    }
    // Without the secret in the address there is none in what follows.
    let reply = world.post(&format!("/v1/heartbeat/edit/?id={uuid}"), "threshold=24").await;
    assert_eq!((reply.status, reply.header("location")), (StatusCode::SEE_OTHER, "/v1/heartbeat/dashboard"));
}

#[tokio::test]
async fn mistakes_stand_beside_their_field_and_nothing_is_changed() {
    let world = World::new().await;
    let id = world.declare(["web1", "backup", "nightly", "db"], "24h", false).await;
    let path = format!("/heartbeat/edit?id={}", world.uuid(id));
    let before = declared(&world, id);
    for (form, kept, says) in [
        ("threshold=soon&saturday=1", "value=\"soon\"", "Write hours, such as 24 or 1.5."),
        ("threshold=&saturday=1", "value=\"1\"", "Write hours, such as 24 or 1.5."),
        ("threshold=-3&saturday=0", "value=\"-3\"", "Write hours, such as 24 or 1.5."),
        ("threshold=99999&saturday=0", "value=\"99999\"", "is expected every"),
        ("threshold=48&saturday=2", "value=\"2\"", "Write 1 where Saturdays count, else 0."),
        ("threshold=48&saturday=%3Cb%3E", "value=\"&#60;b&#62;\"", "Write 1 where Saturdays count"),
    ] {
        let reply = world.post(&path, form).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(reply.text().contains(kept), "{form}: {}", reply.text());
        let said = reply.text().contains(says);
        assert!(said, "{form}: {}", reply.text());
        assert_eq!(declared(&world, id), before, "{form}");
    }
}

#[tokio::test]
async fn delete_ends_it() {
    let world = World::new().await;
    let id = world.declare(["web1", "backup", "nightly", "db"], "24h", false).await;
    let path = format!("/heartbeat/edit?id={}", world.uuid(id));
    let reply = world.post(&path, "threshold=nonsense&saturday=9&delete=del").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert!(world.app.services.catalog.get(id).is_none());
    assert_eq!(world.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.post(&path, "threshold=3").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn ids_of_the_original_lead_to_the_one_that_they_mean() {
    let world = World::new().await;
    world.declare(["web1", "backup", "nightly", "db"], "24h", false).await;
    let id = original("web1backupnightlydb");
    assert_eq!(world.get(&format!("/heartbeat/edit?id={id}")).await.status, StatusCode::OK);
    for unknown in
        [original("else"), "00000000-0000-4000-8000-000000000000".to_owned(), "1".to_owned(), String::new()]
    {
        let reply = world.get(&format!("/heartbeat/edit?id={unknown}")).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{unknown}");
    }
    world.declare(["web1back", "up", "nightly", "db"], "24h", false).await;
    let both = world.get(&format!("/heartbeat/edit?id={id}")).await;
    assert_eq!(both.status, StatusCode::CONFLICT);
    assert!(both.text().contains("Several heartbeats have this id"), "{}", both.text());
    // A monitor that is no pulse is none here.
    let other = world.house.declare(json!({"name": "a", "http": "https://a.example/"})).await;
    let uuid = world.uuid(MonitorId(other));
    assert_eq!(world.get(&format!("/heartbeat/edit?id={uuid}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_a_file_owns_is_changed_there() {
    let world = World::new().await;
    let declared = Declaration::from_json(&json!({
        "name": "db",
        "heartbeat": {
            "every": "24h", "count": "weekdays",
            "pulse": {"host": "web1", "category": "backup", "type": "nightly", "name": "db"},
        },
    }));
    let file = Declared { monitors: vec![declared.expect("a monitor")], ..Declared::default() };
    apply(&world.app.services, &Arc::from("beats.yaml"), file).await.expect("it is applied");
    let spec = world.app.services.catalog.all().pop().expect("a monitor");
    let path = format!("/heartbeat/edit?id={}", spec.uuid);
    let page = world.get(&path).await;
    assert!(page.text().contains("owned by beats.yaml"), "{}", page.text());
    assert!(!page.text().contains(">Save<"));
    for form in ["threshold=3", "delete=del"] {
        let reply = world.post(&path, form).await;
        assert_eq!(reply.status, StatusCode::CONFLICT, "{form}");
        assert!(reply.text().contains("beats.yaml"), "{}", reply.text());
    }
    assert_eq!(world.app.services.catalog.get(spec.id).map(|now| now.revision), Some(spec.revision));
}
