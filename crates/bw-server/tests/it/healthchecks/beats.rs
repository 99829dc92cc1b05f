//! Pings and flips as they are listed, and statuses that follow from them.

use super::{World, uuid};
use http::StatusCode;
use serde_json::{Value, json};

const A: &str = "728b3763-ea80-4113-9fc0-f49b4adb226e";
const B: &str = "00000000-1111-2222-3333-444444444444";

#[tokio::test]
async fn a_start_ends_with_the_success_of_its_run() {
    let world = World::new().await;
    let id = uuid(&world.make(json!({"name": "a"})).await);
    let of = |version: u8| format!("/api/v{version}/checks/{id}");
    world.ping(&id, &format!("/start?rid={A}"), "").await;
    world.pass(5);
    world.ping(&id, &format!("?rid={B}"), "").await;
    let check = world.when(&id, "up").await;
    assert_eq!((&check["started"], check.get("last_duration")), (&json!(true), None));
    assert_eq!(world.get(&of(1)).await.json()["status"], "started", "the first version has it for a status");
    assert_eq!(world.get(&of(2)).await.json()["status"], "up");
    world.pass(2);
    world.ping(&id, &format!("?rid={A}"), "it went well").await;
    let check = world.get(&of(3)).await.json();
    assert_eq!((&check["started"], &check["last_duration"]), (&json!(false), &json!(7)));
    assert_eq!((&check["n_pings"], &check["last_ping"]), (&json!(3), &json!("2026-11-21T12:00:07+00:00")));

    let pings = world.get(&format!("{}/pings/", of(3))).await;
    let site = "http://127.0.0.1:8080";
    let last = format!(
        "{{\"pings\":[{{\"type\":\"success\",\"date\":\"2026-11-21T12:00:07.000000+00:00\",\"n\":3,\
         \"scheme\":\"http\",\"remote_addr\":\"127.0.0.1\",\"method\":\"POST\",\"ua\":\"\",\"rid\":\"{A}\",\
         \"body_url\":\"{site}{}/pings/3/body\",\"duration\":7.0}},",
        of(3)
    );
    assert!(pings.text().starts_with(&last), "{}", pings.text());
    let pings = pings.json()["pings"].as_array().expect("a list").clone();
    let told: Vec<(&Value, &Value, bool)> =
        pings.iter().map(|ping| (&ping["type"], &ping["rid"], ping.get("duration").is_some())).collect();
    let (success, start) = (json!("success"), json!("start"));
    assert_eq!(told, [(&success, &json!(A), true), (&success, &json!(B), false), (&start, &json!(A), false)]);
    assert_eq!(pings[1]["body_url"], Value::Null);

    let body = world.get(&format!("{}/pings/3/body", of(3))).await;
    assert_eq!((body.status, body.text()), (StatusCode::OK, "it went well"));
    assert_eq!(body.header("content-type"), "text/plain");
    for number in [0, 1, 4] {
        let none = world.get(&format!("{}/pings/{number}/body", of(3))).await;
        assert_eq!(none.status, StatusCode::NOT_FOUND, "{number}");
    }
}

#[tokio::test]
async fn every_type_of_ping() {
    let world = World::new().await;
    let wish = json!({"success_kw": "OK", "filter_http_body": true});
    let id = uuid(&world.make(wish).await);
    for (end, body) in
        [("", "OK"), ("/start", ""), ("/fail", ""), ("/log", "note"), ("", "nothing"), ("/3", "")]
    {
        world.ping(&id, end, body).await;
    }
    let pings = world.get(&format!("/api/v3/checks/{id}/pings/")).await.json();
    let types: Vec<&str> =
        pings["pings"].as_array().expect("a list").iter().filter_map(|ping| ping["type"].as_str()).collect();
    assert_eq!(types, ["fail", "ign", "log", "fail", "start", "success"]);
}

#[tokio::test]
async fn flips_are_listed_newest_first_and_filtered() {
    let world = World::new().await;
    let id = uuid(&world.make(json!({"name": "a", "timeout": 60})).await);
    let path = format!("/api/v3/checks/{id}/flips/");
    assert_eq!(world.get(&path).await.text(), r#"{"flips":[]}"#);
    for (count, end) in ["", "/fail", ""].into_iter().enumerate() {
        world.ping(&id, end, "").await;
        let decided = |flips: &Value| flips["flips"].as_array().is_some_and(|flips| flips.len() == count + 1);
        world.eventually(&path, decided).await;
        world.pass(10);
    }
    let flip =
        |second: u8, up: u8| format!(r#"{{"timestamp":"2026-11-21T12:00:{second:02}+00:00","up":{up}}}"#);
    let all = [flip(20, 1), flip(10, 0), flip(0, 1)];
    let start = 1_795_262_400;
    for (query, from, to) in [
        (String::new(), 0, 3),
        ("?seconds=15".to_owned(), 0, 1),
        (format!("?start={}", start + 10), 0, 2),
        (format!("?end={}", start + 10), 2, 3),
        (format!("?start={}&end={}", start + 5, start + 15), 1, 2),
        (format!("?start={}", start + 100), 0, 0),
    ] {
        let seen = world.get(&format!("{path}{query}")).await;
        assert_eq!(seen.text(), format!("{{\"flips\":[{}]}}", all[from..to].join(",")), "{query}");
    }
    for query in ["?start=x", "?end=-1", "?seconds=x", "?seconds=-1", "?seconds=31536001", "?start="] {
        let reply = world.get(&format!("{path}{query}")).await;
        assert_eq!((reply.status, reply.text()), (StatusCode::BAD_REQUEST, ""), "{query}");
        super::is_open(&reply, "GET, OPTIONS");
    }
}

#[tokio::test]
async fn a_late_check_is_in_its_grace() {
    let world = World::new().await;
    let id = uuid(&world.make(json!({"timeout": 60, "grace": 60})).await);
    world.ping(&id, "", "").await;
    world.when(&id, "up").await;
    world.pass(60);
    let check = world.when(&id, "grace").await;
    assert_eq!(check["next_ping"], "2026-11-21T12:01:00+00:00");
    world.ping(&id, "/fail", "").await;
    let check = world.when(&id, "down").await;
    assert_eq!(check["next_ping"], Value::Null);
    assert_eq!(check["last_ping"], "2026-11-21T12:01:00+00:00");
}
