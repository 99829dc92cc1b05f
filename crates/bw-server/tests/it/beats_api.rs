//! Heartbeats in `/api/v1`: what is declared, what is expected, what was reported, and how they stand in lists.

use crate::house::House;
use bw_domain::beat::{Beat, RunId, Signal, Via};
use bw_domain::id::MonitorId;
use bw_domain::port::clock::Clock;
use bw_domain::port::store::{Answer, Appended, Commit, Incoming};
use bw_domain::state::{Context, Heard, Trigger, step};
use http::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

/// A beat now, and what `sweep` decides of it.
async fn beat(house: &House, id: i64, change: impl FnOnce(Beat) -> Beat) {
    let services = &house.app.services;
    let spec = services.catalog.get(MonitorId(id)).expect("it is there");
    let beat = change(Beat {
        monitor: spec.id,
        at: house.clock.now(),
        happened: None,
        signal: Signal::Success,
        ignored: false,
        run: None,
        took: None,
        via: Via {
            scheme: "https".into(),
            method: "GET".into(),
            remote: "10.0.0.7".into(),
            agent: "curl/8".into(),
        },
        body: Default::default(),
    });
    let kept = services.store.beats.append(vec![Incoming { spec, beat }]).await.expect("it is kept");
    assert!(matches!(kept[..], [Appended::Taken(_)]), "{kept:?}");
    decide(house, id).await;
}

async fn decide(house: &House, id: i64) {
    let (services, id) = (&house.app.services, MonitorId(id));
    let spec = services.catalog.get(id).expect("it is there");
    let loaded = services.store.states.load(vec![id]).await.expect("rows").pop().flatten().expect("a row");
    let Some(track) = loaded.track.as_deref() else { return };
    let spare = services.store.incidents.spare().await.expect("an id");
    let now = house.clock.now();
    let context = Context { now, spare, base_url: "", actor: "" };
    let heard = Trigger::Heard(Heard { track, until: now, deaf: &[] });
    let step = step(&spec, &loaded.observed, &loaded.state, heard, &context);
    let commit = Commit {
        monitor: id,
        expect_seq: loaded.observed.seq,
        outcome: None,
        keep_evidence: false,
        observed: step.observed,
        state: step.state,
        transition: step.transition,
        incident: step.incident,
        events: step.events.into_vec(),
        track: step.track,
    };
    let answers = services.store.states.commit(vec![commit]).await.expect("a commit");
    assert_eq!(answers, [Answer::Committed]);
}

fn backup() -> Value {
    json!({"name": "Backup", "heartbeat": {"every": "1h", "grace": "10m"}})
}

#[tokio::test]
async fn a_heartbeat_is_its_declaration_and_what_its_job_has_reported() {
    let house = House::new().await;
    let made = house.ask("POST /api/v1/monitors", backup()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let made = made.json();
    let uuid = made["uuid"].as_str().expect("a uuid").to_owned();
    assert_eq!((&made["heartbeat"], &made["observed"]), (&backup()["heartbeat"], &json!([])));
    assert_eq!(
        made["beats"],
        json!({
            "status": "new", "started_at": null, "last_beat_at": null, "last_duration_ms": null,
            "next_expected_at": null, "deadline_at": null, "late_s": null, "count": 0,
            "ping_url": format!("/ping/{uuid}"),
        })
    );
    beat(&house, 1, |beat| Beat { signal: Signal::Start, ..beat }).await;
    let seen = house.get("/api/v1/monitors/1").await.json();
    assert_eq!(seen["beats"]["started_at"], "2026-11-21T12:00:00.000Z");
    house.skip(Duration::from_secs(90));
    beat(&house, 1, |beat| beat).await;
    house.skip(Duration::from_secs(3_600 + 60));
    let seen = house.get("/api/v1/monitors/1").await.json();
    assert_eq!((&seen["health"], &seen["state"]), (&json!("UP"), &json!("UP")));
    assert_eq!(
        seen["beats"],
        json!({
            "status": "grace", "started_at": null, "last_beat_at": "2026-11-21T12:01:30.000Z",
            "last_duration_ms": 90_000, "next_expected_at": "2026-11-21T13:01:30.000Z",
            "deadline_at": "2026-11-21T13:11:30.000Z", "late_s": 60.0, "count": 2,
            "ping_url": format!("/ping/{uuid}"),
        })
    );
    house.skip(Duration::from_secs(600));
    decide(&house, 1).await;
    let seen = house.get("/api/v1/monitors/1").await.json();
    assert_eq!((&seen["health"], &seen["beats"]["status"]), (&json!("DOWN"), &json!("down")));
    let back = house.ask("PUT /api/v1/monitors/1", seen).await;
    assert_eq!(
        (back.status, back.header("etag")),
        (StatusCode::OK, "\"1\""),
        "what is read may be written back"
    );
}

#[tokio::test]
async fn beats_are_read_newest_first_page_by_page_with_their_bodies() {
    let house = House::new().await;
    house.declare(backup()).await;
    for number in 1..=5u8 {
        house.skip(Duration::from_secs(60));
        let run = Some(RunId(u128::from(number)));
        beat(&house, 1, |beat| Beat {
            signal: Signal::Exit(number - 1),
            run,
            body: vec![0xff, number].into(),
            ..beat
        })
        .await;
    }
    let all = house.get("/api/v1/monitors/1/beats").await.json();
    let numbers = |page: &Value| -> Vec<u64> {
        let items = page["items"].as_array().expect("items").iter();
        items.map(|item| item["number"].as_u64().expect("a number")).collect()
    };
    assert_eq!((numbers(&all), &all["next"]), (vec![5, 4, 3, 2, 1], &Value::Null));
    assert_eq!(
        all["items"][0],
        json!({
            "number": 5, "at": "2026-11-21T12:05:00.000Z", "happened_at": null, "kind": "fail", "exit_status": 4,
            "run": "00000000-0000-0000-0000-000000000005", "duration_ms": null, "slot": "2026-11-21T13:04:00.000Z",
            "late_ms": -3_540_000, "scheme": "https", "method": "GET", "remote_addr": "10.0.0.7",
            "user_agent": "curl/8", "body_bytes": 2,
        })
    );
    assert_eq!(all["items"][4]["kind"], "success");
    let page = house.get("/api/v1/monitors/1/beats?limit=2").await.json();
    assert_eq!((numbers(&page), &page["next"]), (vec![5, 4], &json!("4")));
    let page = house.get("/api/v1/monitors/1/beats?limit=3&before=4").await.json();
    assert_eq!((numbers(&page), &page["next"]), (vec![3, 2, 1], &Value::Null));

    let body = house.get("/api/v1/monitors/1/beats/3/body").await;
    assert_eq!((body.status, &body.body[..]), (StatusCode::OK, &[0xff, 3][..]));
    assert_eq!(body.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(body.header("x-content-type-options"), "nosniff");
    assert_eq!(body.header("content-disposition"), "attachment; filename=\"beat-1-3.txt\"");
    assert_eq!(house.get("/api/v1/monitors/1/beats/6/body").await.problem(), "not-found");
}

#[tokio::test]
async fn the_tail_goes_on_from_its_cursor() {
    let house = House::new().await;
    house.declare(backup()).await;
    house.declare(json!({"name": "Report", "heartbeat": {"schedule": "0 3 * * *"}})).await;
    let none = house.get("/api/v1/beats").await.json();
    assert_eq!(none["items"], json!([]));
    beat(&house, 1, |beat| beat).await;
    beat(&house, 2, |beat| beat).await;
    let said = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().expect("items").iter();
        items.map(|item| format!("{} {} {}", item["monitor"], item["monitor_name"], item["number"])).collect()
    };
    let cursor = none["cursor"].as_str().expect("a cursor");
    let page = house.get(&format!("/api/v1/beats?after={cursor}&limit=1")).await.json();
    assert_eq!(said(&page), ["1 \"Backup\" 1"]);
    let cursor = page["cursor"].as_str().expect("a cursor");
    let page = house.get(&format!("/api/v1/beats?after={cursor}")).await.json();
    assert_eq!(said(&page), ["2 \"Report\" 1"]);
    assert_eq!(said(&house.get("/api/v1/beats?limit=1").await.json()), ["2 \"Report\" 1"], "the last ones");
    house.ask("DELETE /api/v1/monitors/2", Value::Null).await;
    let page = house.get(&format!("/api/v1/beats?after={cursor}")).await.json();
    assert!(said(&page).iter().all(|line| line == "2 null 1"), "{page}");
}

#[tokio::test]
async fn what_only_the_other_kind_has_is_said_where_it_is_asked_for() {
    let house = House::new().await;
    house.declare(backup()).await;
    house.declare(json!({"name": "Shop", "http": "https://shop.example/"})).await;
    for (what, status, sentence) in [
        (
            "GET /api/v1/monitors/1/outcomes",
            404,
            "is a heartbeat and has no outcomes: what its job reports is at",
        ),
        ("GET /api/v1/monitors/1/latency", 404, "is a heartbeat and has no latency"),
        ("POST /api/v1/monitors/1/probe", 409, "a heartbeat is not probed: send it a beat"),
        ("GET /api/v1/monitors/2/beats", 404, "is probed and has no beats: what was seen of it is at"),
        ("GET /api/v1/monitors/2/beats/1/body", 404, "is probed and has no beats"),
        ("GET /api/v1/monitors/3/beats", 404, "there is no such thing"),
        ("GET /api/v1/monitors/1/beats?limit=1001", 400, "1000"),
        ("GET /api/v1/monitors/1/beats?before=x", 400, "the number of a beat"),
        ("GET /api/v1/beats?after=x", 400, "the `cursor` of an answer before"),
        ("GET /api/v1/monitors/1/beats/x/body", 400, "ids are whole numbers"),
        ("GET /api/v1/monitors?kind=cron", 400, "heartbeat, http, tcp, tls"),
    ] {
        let reply = house.ask(what, Value::Null).await;
        assert_eq!(reply.status.as_u16(), status, "{what}: {}", reply.text());
        assert!(!reply.problem().is_empty() && reply.text().contains(sentence), "{what}: {}", reply.text());
    }
    for (query, names) in
        [("kind=heartbeat", json!(["Backup"])), ("kind=http", json!(["Shop"])), ("kind=tls", json!([]))]
    {
        let page = house.get(&format!("/api/v1/monitors?{query}")).await.json();
        let items = page["items"].as_array().expect("items").iter();
        assert_eq!(Value::from_iter(items.map(|item| item["name"].clone())), names, "{query}");
        assert_eq!(page["total"], names.as_array().map_or(0, Vec::len), "{query}");
    }
}

#[tokio::test]
async fn mistakes_of_a_heartbeat_are_told_at_their_paths() {
    let house = House::new().await;
    let errors = async |what: &str, body: Value| -> Vec<String> {
        let reply = house.ask(what, body).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.text());
        let document = reply.json();
        let errors = document["errors"].as_array().expect("a list").iter();
        errors.map(|error| error["path"].as_str().expect("a path").to_owned()).collect()
    };
    let shapes =
        json!({"name": "a", "heartbeat": {"every": 5, "zne": "UTC", "count": "fridays", "post_only": "yes"}});
    let paths = errors("POST /api/v1/monitors", shapes).await;
    for path in ["heartbeat.every", "heartbeat.zne", "heartbeat.count", "heartbeat.post_only"] {
        assert!(paths.iter().any(|seen| seen == path), "{path} in {paths:?}");
    }
    for (heartbeat, path) in [
        (json!({"schedule": ["0 3 * * *", "99 3 * * *"]}), "heartbeat.schedule[1]"),
        (json!({"schedule": "0 3 * * *", "every": "1h"}), "heartbeat.schedule"),
        (json!({"schedule": "0 3 * * *", "zone": "Europe/Berln"}), "heartbeat.zone"),
        (json!({"every": "1d", "holidays": ["2026-13-01"]}), "heartbeat.holidays[0]"),
        (json!({"every": "1d", "grace": "9000d"}), "heartbeat.grace"),
    ] {
        assert_eq!(
            errors("POST /api/v1/monitors", json!({"name": "a", "heartbeat": heartbeat})).await,
            [path]
        );
    }
    house.declare(backup()).await;
    let patch = json!({"heartbeat": {"every": null, "schedule": "0 3 * * 8-9"}});
    assert_eq!(errors("PATCH /api/v1/monitors/1", patch).await, ["heartbeat.schedule"]);
    let patch = json!({"heartbeat": {"every": null, "schedule": "0 3 * * 1-5", "zone": "Europe/Berlin"}});
    let seen = house.ask("PATCH /api/v1/monitors/1", patch).await.json();
    assert_eq!(
        seen["heartbeat"],
        json!({"schedule": "0 3 * * 1-5", "zone": "Europe/Berlin", "grace": "10m"})
    );
    assert_eq!(
        errors("PUT /api/v1/monitors/1", json!({"name": "a", "every": "1h", "heartbeat": {}})).await,
        ["every"]
    );
}

#[tokio::test]
async fn uptime_is_weighted_by_the_time_between_changes() {
    let house = House::new().await;
    house.declare(backup()).await;
    house.skip(Duration::from_secs(600));
    beat(&house, 1, |beat| beat).await;
    house.skip(Duration::from_secs(4_200 + 1_800));
    decide(&house, 1).await;
    beat(&house, 1, |beat| beat).await;
    house.skip(Duration::from_secs(1_200));
    house.ask("POST /api/v1/monitors/1/pause", Value::Null).await;
    house.skip(Duration::from_secs(900));
    let seen = house.get("/api/v1/monitors/1/uptime").await.json();
    let close = |name: &str, wanted: f64| {
        let value = seen[name].as_f64().unwrap_or(-1.0);
        assert!((value - wanted).abs() <= 3.0, "{name} is {value}, not {wanted}: {seen}");
    };
    close("unknown_s", 600.0);
    close("up_s", 4_200.0 + 1_200.0);
    close("down_s", 1_800.0);
    close("paused_s", 900.0);
    assert!((seen["ratio"].as_f64().expect("known") - 5_400.0 / 7_200.0).abs() < 0.001, "{seen}");
}
