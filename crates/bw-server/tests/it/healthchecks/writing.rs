//! Making, changing, pausing, resuming and deleting checks.

use super::{World, error, uuid};
use http::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn mistakes_are_told_in_the_original_s_words() {
    let world = World::new().await;
    let check = world.make(json!({"name": "a"})).await;
    let long = |length: usize| "x".repeat(length);
    let schedule = "is not a valid cron or OnCalendar expression";
    for (member, value, ending) in [
        ("name", json!(long(101)), "is too long"),
        ("name", json!(5), "is not a string"),
        ("name", Value::Null, "is not a string"),
        ("name", json!("a\nb"), "does not match pattern"),
        ("slug", json!(long(101)), "is too long"),
        ("slug", json!("Upper"), "does not match pattern"),
        ("slug", json!("a b"), "does not match pattern"),
        ("slug", json!(1), "is not a string"),
        ("tags", json!(["a"]), "is not a string"),
        ("tags", json!(long(10_001)), "is too long"),
        ("desc", json!(1), "is not a string"),
        ("timeout", json!(59), "is too small"),
        ("timeout", json!(31_536_001), "is too large"),
        ("timeout", json!("60"), "is not a number"),
        ("timeout", json!(60.5), "is not a number"),
        ("timeout", Value::Null, "is not a number"),
        ("timeout", json!(true), "is too small"),
        ("grace", json!(0), "is too small"),
        ("grace", json!(99_999_999_999_999_999_999_u128 as f64), "is not a number"),
        ("grace", json!(u64::MAX), "is too large"),
        ("grace", json!([]), "is not a number"),
        ("schedule", json!(long(101)), "is too long"),
        ("schedule", json!("surprise"), schedule),
        ("schedule", json!("* * * * * *"), schedule),
        ("schedule", json!("@daily"), schedule),
        ("schedule", json!("0 3 * * *\n0 4 * * *"), schedule),
        ("schedule", json!("0 0 31 2 *"), schedule),
        ("schedule", json!(""), schedule),
        ("schedule", json!(1), "is not a string"),
        ("tz", json!("Europe/Bonn"), "is not a valid timezone"),
        ("tz", json!(1), "is not a string"),
        ("manual_resume", json!("yes"), "is not a boolean"),
        ("manual_resume", Value::Null, "is not a boolean"),
        ("methods", json!("PUT"), "has unexpected value"),
        ("methods", json!(5), "has unexpected value"),
        ("channels", json!(5), "is not a string"),
        ("start_kw", json!(long(201)), "is too long"),
        ("success_kw", json!(long(201)), "is too long"),
        ("failure_kw", json!(long(201)), "is too long"),
        ("subject", json!(long(201)), "is too long"),
        ("subject_fail", json!(1), "is not a string"),
        ("filter_subject", json!(1), "is not a boolean"),
        ("filter_body", json!(1), "is not a boolean"),
        ("filter_http_body", json!(1), "is not a boolean"),
        ("filter_default_fail", json!(1), "is not a boolean"),
        ("unique", json!("name"), "is not an array"),
    ] {
        for path in ["".to_owned(), uuid(&check)] {
            for version in 1..=3 {
                let what = format!("POST /api/v{version}/checks/{path}");
                let reply = world.ask(&what, json!({ member: value })).await;
                let sentence = format!("json validation error: {member} {ending}");
                assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{member} {value}");
                assert_eq!(reply.text(), error(&sentence), "{member} {value}");
            }
        }
    }
    let reply = world.ask("POST /api/v3/checks/", json!({"unique": ["surprise"]})).await;
    assert_eq!(reply.text(), error("json validation error: an item in 'unique' has unexpected value"));
    let all = world.get("/api/v3/checks/").await.json();
    assert_eq!(all, json!({"checks": [check]}), "nothing was made or changed");
}

#[tokio::test]
async fn every_member_is_written_and_read_back() {
    let world = World::new().await;
    let wish = json!({
        "name": "Täglich um 3", "slug": "t-3", "tags": "prod  team=web 4x", "desc": "what it does",
        "timeout": 120, "grace": 31_536_000, "manual_resume": true, "methods": "POST", "start_kw": "begin",
        "success_kw": "OK,done", "failure_kw": "ERROR", "filter_subject": true, "filter_body": true,
        "filter_http_body": true, "filter_default_fail": true, "unknown": "is passed over",
    });
    let mut expected = wish.as_object().expect("an object").clone();
    expected.remove("unknown");
    expected.insert("subject".to_owned(), json!("OK,done"));
    expected.insert("subject_fail".to_owned(), json!("ERROR"));
    let made = world.make(wish.clone()).await;
    let path = format!("/api/v3/checks/{}", uuid(&made));
    for check in [made.clone(), world.get(&path).await.json()] {
        for (member, value) in &expected {
            assert_eq!(&check[member], value, "{member}");
        }
    }
    // What is not named stays; what is named is changed at once.
    for (change, member, value) in [
        (json!({"desc": "other"}), "desc", json!("other")),
        (json!({"timeout": 60}), "timeout", json!(60)),
        (json!({"tags": ""}), "tags", json!("")),
        (json!({"methods": ""}), "methods", json!("")),
        (json!({"name": "renamed"}), "name", json!("renamed")),
        (json!({"filter_http_body": false}), "filter_http_body", json!(false)),
        (json!({"schedule": "daily", "tz": "Europe/Berlin"}), "schedule", json!("daily")),
        (json!({"timeout": 3_600}), "timeout", json!(3_600)),
    ] {
        let before = world.get(&path).await.json();
        let after = world.ask(&format!("POST {path}"), change.clone()).await;
        assert_eq!(after.status, StatusCode::OK, "{}", after.text());
        assert_eq!(after.json(), world.get(&path).await.json());
        let mut expected = before;
        expected[member] = value;
        match &change {
            Value::Object(change) if change.contains_key("tz") => {
                expected["tz"] = json!("Europe/Berlin");
                expected.as_object_mut().expect("an object").remove("timeout");
            }
            Value::Object(change) if change.contains_key("timeout") => {
                for member in ["schedule", "tz"] {
                    expected.as_object_mut().expect("an object").remove(member);
                }
            }
            _ => {}
        }
        assert_eq!(after.json(), expected, "{change}");
    }
    assert_eq!(world.get(&path).await.json()["slug"], "t-3", "the third version makes none of the name");
}

#[tokio::test]
async fn the_older_subjects_are_words_for_e_mails() {
    let world = World::new().await;
    let check = world.make(json!({"subject": "OK", "subject_fail": "FAILED"})).await;
    for (member, value) in [
        ("subject", json!("OK")),
        ("subject_fail", json!("FAILED")),
        ("success_kw", json!("OK")),
        ("failure_kw", json!("FAILED")),
        ("filter_subject", json!(true)),
        ("filter_http_body", json!(false)),
    ] {
        assert_eq!(check[member], value, "{member}");
    }
    // They are not looked for in the body of a ping.
    world.ping(&uuid(&check), "", "FAILED").await;
    world.when(&uuid(&check), "up").await;
    let cleared = json!({"subject": "", "subject_fail": ""});
    let check = world.ask(&format!("POST /api/v3/checks/{}", uuid(&check)), cleared).await.json();
    assert_eq!((&check["filter_subject"], &check["success_kw"]), (&json!(false), &json!("")));
}

#[tokio::test]
async fn slugs_come_of_names_before_the_third_version() {
    let world = World::new().await;
    for (version, name, slug) in
        [(1, "Foo & Bar", "foo-bar"), (2, "Foo & Bar", "foo-bar"), (3, "Foo & Bar", "")]
    {
        let what = format!("POST /api/v{version}/checks/");
        let check = world.ask(&what, json!({"name": name})).await.json();
        assert_eq!((&check["name"], &check["slug"]), (&json!(name), &json!(slug)), "v{version}");
        let path = format!("POST /api/v{version}/checks/{}", uuid(&check));
        let check = world.ask(&path, json!({"name": "Other"})).await.json();
        assert_eq!(check["slug"], if version < 3 { "other" } else { "" });
        let check = world.ask(&path, json!({"name": "Third", "slug": "mine"})).await.json();
        assert_eq!(check["slug"], "mine");
    }
    // A check without a slug is in nobody's way.
    let nameless = world.ask("POST /api/v1/checks/", json!({})).await.json();
    assert_eq!((&nameless["name"], &nameless["slug"]), (&json!(""), &json!("")));
    world.make(json!({"name": "backup"})).await;
    world.make(json!({"name": "other", "slug": "backup"})).await;
    world.ping(&format!("{}/backup", super::PING_KEY), "", "").await;
}

#[tokio::test]
async fn what_is_unique_is_made_once() {
    let world = World::new().await;
    let wish = json!({"name": "a", "tags": "x", "timeout": 60, "unique": ["name"]});
    let first = world.ask("POST /api/v3/checks/", wish).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let id = uuid(&first.json());
    for (wish, status, timeout) in [
        (json!({"name": "a", "timeout": 120, "unique": ["name"]}), StatusCode::OK, 120),
        (json!({"name": "a", "tags": "x", "unique": ["name", "tags"]}), StatusCode::OK, 120),
        (json!({"timeout": 120, "grace": 3_600, "unique": ["timeout", "grace"]}), StatusCode::OK, 120),
        (json!({"slug": "", "unique": ["slug"]}), StatusCode::OK, 120),
        (json!({"name": "a", "tags": "y", "unique": ["name", "tags"]}), StatusCode::CREATED, 86_400),
        (json!({"name": "a", "unique": ["name", "grace"]}), StatusCode::CREATED, 86_400),
        (json!({"name": "a", "unique": []}), StatusCode::CREATED, 86_400),
        (json!({"name": "A", "unique": ["name"]}), StatusCode::CREATED, 86_400),
    ] {
        let reply = world.ask("POST /api/v3/checks/", wish.clone()).await;
        assert_eq!(reply.status, status, "{wish}");
        assert_eq!(uuid(&reply.json()) == id, status == StatusCode::OK, "{wish}");
        assert_eq!(reply.json()["timeout"], timeout, "{wish}");
    }
}

#[tokio::test]
async fn pausing_resuming_and_deleting() {
    let world = World::new().await;
    let id = uuid(&world.make(json!({"name": "a", "timeout": 60})).await);
    let path = |end: &str| format!("POST /api/v3/checks/{id}{end}");
    let reply = world.ask(&path("/resume"), Value::Null).await;
    assert_eq!((reply.status, reply.text()), (StatusCode::CONFLICT, "check is not paused"));
    assert!(reply.header("content-type").starts_with("text/plain"));
    world.ping(&id, "", "").await;
    world.ping(&id, "/start", "").await;
    let up = world.when(&id, "up").await;
    assert_eq!((&up["started"], &up["n_pings"]), (&json!(true), &json!(2)));

    for body in [Value::Null, json!({})] {
        let paused = world.ask(&path("/pause"), body).await;
        assert_eq!(paused.status, StatusCode::OK);
        let paused = paused.json();
        assert_eq!((&paused["status"], &paused["started"]), (&json!("paused"), &json!(false)));
        assert_eq!((&paused["next_ping"], &paused["last_ping"]), (&Value::Null, &up["last_ping"]));
    }
    world.pass(10);
    let resumed = world.ask(&path("/resume"), Value::Null).await.json();
    for (member, value) in [
        ("status", json!("new")),
        ("started", json!(false)),
        ("last_ping", Value::Null),
        ("n_pings", json!(2)),
    ] {
        assert_eq!(resumed[member], value, "{member}");
    }
    // A ping resumes, too.
    world.ask(&path("/pause"), Value::Null).await;
    world.pass(10);
    world.ping(&id, "", "").await;
    let up = world.when(&id, "up").await;
    let deleted = world.ask(&format!("DELETE /api/v3/checks/{id}"), Value::Null).await;
    assert_eq!((deleted.status, deleted.json()), (StatusCode::OK, up));
    assert_eq!(world.get(&format!("/api/v3/checks/{id}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_manual_resume_is_one() {
    let world = World::new().await;
    let id = uuid(&world.make(json!({"manual_resume": true})).await);
    world.ask(&format!("POST /api/v3/checks/{id}/pause"), Value::Null).await;
    world.pass(10);
    world.ping(&id, "", "").await;
    let check = world.get(&format!("/api/v3/checks/{id}")).await.json();
    assert_eq!((&check["status"], &check["n_pings"]), (&json!("paused"), &json!(1)));
    let pings = world.get(&format!("/api/v3/checks/{id}/pings/")).await.json();
    assert_eq!(pings["pings"][0]["type"], "ign");
}

#[tokio::test]
async fn an_edit_keeps_what_was_heard() {
    let world = World::new().await;
    let id = uuid(&world.make(json!({"timeout": 3_600})).await);
    world.ping(&id, "", "").await;
    let before = world.when(&id, "up").await;
    let path = format!("POST /api/v3/checks/{id}");
    let after = world.ask(&path, json!({"timeout": 7_200})).await.json();
    assert_eq!((&after["status"], &after["last_ping"]), (&json!("up"), &before["last_ping"]));
    assert_eq!(before["next_ping"], "2026-11-21T13:00:00+00:00");
    assert_eq!(after["next_ping"], "2026-11-21T14:00:00+00:00");
}

#[tokio::test]
async fn writers_at_the_same_time_lose_nothing() {
    let world = World::new().await;
    let id = uuid(&world.make(json!({"name": "a"})).await);
    let path = format!("POST /api/v3/checks/{id}");
    let (name, desc, tags, timeout) = tokio::join!(
        world.aside(&path, json!({"name": "b"})),
        world.aside(&path, json!({"desc": "c"})),
        world.aside(&path, json!({"tags": "d"})),
        world.aside(&path, json!({"timeout": 60})),
    );
    for reply in [name, desc, tags, timeout] {
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    }
    let check = world.get(&format!("/api/v3/checks/{id}")).await.json();
    for (member, value) in
        [("name", json!("b")), ("desc", json!("c")), ("tags", json!("d")), ("timeout", json!(60))]
    {
        assert_eq!(check[member], value, "{member}");
    }
}

#[tokio::test]
async fn jobs_that_register_at_the_same_time_make_one_check() {
    let world = World::new().await;
    let register = || world.aside("POST /api/v3/checks/", json!({"name": "a", "unique": ["name"]}));
    let (a, b, c) = tokio::join!(register(), register(), register());
    let made = [&a, &b, &c].iter().filter(|reply| reply.status == StatusCode::CREATED).count();
    let found = [&a, &b, &c].iter().filter(|reply| reply.status == StatusCode::OK).count();
    assert_eq!((made, found), (1, 2));
    assert!([&b, &c].iter().all(|reply| uuid(&reply.json()) == uuid(&a.json())));
}
