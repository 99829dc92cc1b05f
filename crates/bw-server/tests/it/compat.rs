//! The health monitor's interface as its users know it: real bodies in, real bodies out.

use crate::house::{House, Seen};
use bw_domain::monitor::Declaration;
use bw_domain::outcome::Code;
use bw_domain::secret::Secret;
use bw_engine::usecase::apply::{Declared, apply};
use bw_server::auth::AuthConfig;
use http::StatusCode;
use serde_json::{Value, json};

const CREATED: &str = "2026-11-21T12:00:00.000Z";

#[tokio::test]
async fn create_answers_ten_columns_with_defaults_and_a_normal_url() {
    let house = House::new().await;
    let reply =
        house.ask("POST /monitors", json!({"name": "Google Homepage", "url": "https://google.com"})).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("content-type"), "application/json");
    let expected = json!({
        "id": 1, "name": "Google Homepage", "url": "https://google.com/", "check_interval": 60, "timeout": 5,
        "expected_status_code": 200, "webhook_url": null, "enabled": true, "created_at": CREATED, "status": "UNKNOWN",
    });
    assert_eq!(reply.json(), expected);

    let mut all = expected;
    all["last_checked_at"] = Value::Null;
    all["consecutive_failures"] = json!(0);
    all["consecutive_successes"] = json!(0);
    assert_eq!(house.get("/monitors").await.json(), json!([all.clone()]));
    assert_eq!(house.get("/monitors/1/").await.json(), all);
}

#[tokio::test]
async fn every_column_is_kept() {
    let house = House::new().await;
    let body = json!({
        "name": "Shop", "url": "http://shop.example:8080/a?b=c", "check_interval": "30", "timeout": 10.0,
        "expected_status_code": 204, "webhook_url": "https://hooks.example", "enabled": "no", "id": 99, "status": "UP",
    });
    let seen = house.ask("POST /monitors/", body).await.json();
    let expected = json!({
        "id": 1, "name": "Shop", "url": "http://shop.example:8080/a?b=c", "check_interval": 30, "timeout": 10,
        "expected_status_code": 204, "webhook_url": "https://hooks.example/", "enabled": false,
        "created_at": CREATED, "status": "UNKNOWN",
    });
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn mistakes_have_the_framework_s_shape() {
    let house = House::new().await;
    let good = json!({"name": "a", "url": "https://a.example/"});
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    for (body, kind, place) in [
        (json!({"name": "a"}), "missing", json!(["body", "url"])),
        (json!({"url": "https://a.example"}), "missing", json!(["body", "name"])),
        (with("name", json!(5)), "string_type", json!(["body", "name"])),
        (with("url", json!(["x"])), "string_type", json!(["body", "url"])),
        (with("url", json!("nonsense")), "url_parsing", json!(["body", "url"])),
        (with("url", json!("ftp://a.example/")), "url_parsing", json!(["body", "url"])),
        (with("check_interval", json!("soon")), "int_parsing", json!(["body", "check_interval"])),
        (with("check_interval", json!(1.5)), "int_from_float", json!(["body", "check_interval"])),
        (with("check_interval", json!(null)), "int_type", json!(["body", "check_interval"])),
        (with("check_interval", json!(-1)), "greater_than_equal", json!(["body", "check_interval"])),
        (with("check_interval", json!(0)), "value_error", json!(["body", "check_interval"])),
        (with("timeout", json!(61)), "value_error", json!(["body", "timeout"])),
        (with("expected_status_code", json!(99999)), "value_error", json!(["body", "expected_status_code"])),
        (with("enabled", json!("perhaps")), "bool_parsing", json!(["body", "enabled"])),
        (with("enabled", json!([])), "bool_type", json!(["body", "enabled"])),
        (with("webhook_url", json!("nonsense")), "url_parsing", json!(["body", "webhook_url"])),
        (json!([1]), "model_attributes_type", json!(["body"])),
    ] {
        let reply = house.ask("POST /monitors", body.clone()).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{body} {}", reply.text());
        let mistake = &reply.json()["detail"][0];
        assert_eq!((&mistake["type"], &mistake["loc"]), (&json!(kind), &place), "{body} {mistake}");
        assert!(mistake["msg"].as_str().is_some_and(|msg| msg.len() > 5) && mistake.get("input").is_some());
    }
    let both = house.ask("POST /monitors", json!({"timeout": "x"})).await.json();
    assert_eq!(both["detail"].as_array().map(Vec::len), Some(3), "all at once: {both}");
    assert_eq!(both["detail"][0]["msg"], "Field required");
    assert_eq!(both["detail"][0]["input"], json!({"timeout": "x"}));
    assert_eq!(house.get("/monitors").await.json(), json!([]), "nothing was made");
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    let house = House::new().await;
    for (body, kind) in [("{\"name\":", "json_invalid"), ("", "missing"), ("\"x\"", "model_attributes_type")]
    {
        let mut request = house.request("POST /monitors", Value::Null);
        *request.body_mut() = axum::body::Body::from(body);
        let reply = house.send(request).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(reply.json()["detail"][0]["type"], kind, "{}", reply.text());
    }
    let mut request = house.request("POST /monitors", Value::Null);
    *request.body_mut() = axum::body::Body::from(vec![b' '; (1 << 20) + 1]);
    assert_eq!(house.send(request).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_is_not_there() {
    let house = House::new().await;
    let form = json!({"name": "a", "url": "https://a.example/"});
    for (what, body) in
        [("GET /monitors/7", Value::Null), ("PUT /monitors/7", form), ("DELETE /monitors/7", Value::Null)]
    {
        let reply = house.ask(what, body).await;
        assert_eq!(
            (reply.status, reply.json()),
            (StatusCode::NOT_FOUND, json!({"detail": "Monitor not found"})),
            "{what}"
        );
    }
    let reply = house.get("/monitors/seven").await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    let mistake = &reply.json()["detail"][0];
    assert_eq!((&mistake["type"], &mistake["loc"]), (&json!("int_parsing"), &json!(["path", "monitor_id"])));
    let reply = house.ask("PATCH /monitors/7", json!({})).await;
    assert_eq!(
        (reply.status, reply.json()),
        (StatusCode::METHOD_NOT_ALLOWED, json!({"detail": "Method Not Allowed"}))
    );
    assert!(reply.header("allow").contains("PUT"), "{}", reply.header("allow"));
}

#[tokio::test]
async fn put_replaces_the_form_and_keeps_what_it_cannot_say() {
    let house = House::new().await;
    let id = house
        .declare(json!({
            "name": "Shop", "http": {"url": "https://shop.example/", "verify": false}, "every": "30s",
            "expect": ["body contains \"Welcome\"", "status == 204"], "labels": {"team": "web"},
            "webhook_url": "https://hooks.example/x", "headers": {"x-key": "s3cret"},
        }))
        .await;
    let reply = house
        .ask(&format!("PUT /monitors/{id}"), json!({"name": "Shop 2", "url": "https://shop.example/2"}))
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let row = reply.json();
    assert_eq!(
        (
            &row["check_interval"],
            &row["expected_status_code"],
            &row["webhook_url"],
            &row["consecutive_failures"]
        ),
        (&json!(60), &json!(200), &Value::Null, &json!(0))
    );
    let kept = house.get(&format!("/api/v1/monitors/{id}")).await.json();
    assert_eq!(kept["expect"], json!(["body contains \"Welcome\"", "status == 200"]));
    assert_eq!(kept["labels"], json!({"team": "web"}));
    assert_eq!(kept["http"], json!({"url": "https://shop.example/2", "verify": false}));
    assert_eq!(kept["headers"], json!({"x-key": "***"}));
    assert_eq!(kept["tell"], Value::Null, "only monitors made here speak of their first UP");
    assert_eq!(kept["revision"], 2);
}

#[tokio::test]
async fn deletion() {
    let house = House::new().await;
    house.ask("POST /monitors", json!({"name": "a", "url": "https://a.example/"})).await;
    let reply = house.ask("DELETE /monitors/1/", Value::Null).await;
    assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!({"message": "deleted"})));
    assert_eq!(house.get("/monitors/1").await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.get("/monitors").await.json(), json!([]));
}

#[tokio::test]
async fn counters_status_and_edits() {
    let house = House::new().await;
    let form = json!({"name": "a", "url": "https://a.example/", "check_interval": 10});
    house.ask("POST /monitors", form.clone()).await;
    assert_eq!(house.get("/api/v1/monitors/1").await.json()["tell"], json!({"first_up": true}));
    house.settle();
    let slot = house.observe(1, Seen::Pass).await;
    house.observe(1, Seen::Pass).await;
    let row = house.get("/monitors/1").await.json();
    assert_eq!((&row["status"], &row["consecutive_successes"]), (&json!("UP"), &json!(2)));
    assert!(row["last_checked_at"].as_str().is_some_and(|at| at > slot.to_string().as_str()));
    for _ in 0..3 {
        house.observe(1, Seen::Fail(Code::EXPECT_STATUS)).await;
    }
    let row = house.get("/monitors/1").await.json();
    assert_eq!(
        (&row["status"], &row["consecutive_failures"], &row["consecutive_successes"]),
        (&json!("DOWN"), &json!(3), &json!(0))
    );

    let mut renamed = form.clone();
    renamed["name"] = json!("b");
    let row = house.ask("PUT /monitors/1", renamed.clone()).await.json();
    assert_eq!(
        (&row["name"], &row["consecutive_failures"]),
        (&json!("b"), &json!(3)),
        "a name changes nothing else"
    );

    renamed["expected_status_code"] = json!(503);
    let row = house.ask("PUT /monitors/1", renamed).await.json();
    assert_eq!(
        (&row["status"], &row["consecutive_failures"]),
        (&json!("DOWN"), &json!(0)),
        "the status stays"
    );
    let open = house.get("/api/v1/incidents?state=open").await.json();
    assert_eq!(open["items"].as_array().map(Vec::len), Some(1), "and so does the incident");
}

#[tokio::test]
async fn only_http_monitors_are_of_this_interface() {
    let house = House::new().await;
    let id = house.declare(json!({"name": "Mail", "tcp": "mail.example:25"})).await;
    assert_eq!(house.get("/monitors").await.json(), json!([]));
    assert_eq!(house.get(&format!("/monitors/{id}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_the_file_declares_is_listed_and_not_edited() {
    let house = House::new().await;
    let document =
        json!({"name": "Shop", "http": "https://shop.example", "every": "1500ms", "timeout": "800ms"});
    let monitors = vec![Declaration::from_json(&document).expect("a declaration")];
    let owner = "bellwether.yaml".into();
    apply(&house.app.services, &owner, Declared { monitors, actions: vec![] }).await.expect("applied");
    let row = &house.get("/monitors").await.json()[0];
    assert_eq!(
        (&row["check_interval"], &row["timeout"]),
        (&json!(2), &json!(1)),
        "whole seconds, the longer ones"
    );
    let id = row["id"].as_i64().expect("an id");
    let refused = json!({"detail": "Monitor is managed by the configuration file"});
    let form = json!({"name": "x", "url": "https://x.example/"});
    for (what, body) in [("PUT", form), ("DELETE", Value::Null)] {
        let reply = house.ask(&format!("{what} /monitors/{id}"), body).await;
        assert_eq!((reply.status, reply.json()), (StatusCode::CONFLICT, refused.clone()), "{what}");
    }
}

#[tokio::test]
async fn the_webhook_is_shown_to_those_who_may_write() {
    let token = Some(Secret::new("writer-token"));
    let house = House::with(AuthConfig { token, ..AuthConfig::default() }).await;
    let asked = |what: &str, token: &str, body: Value| {
        let mut request = house.request(what, body);
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
        request
    };
    let form =
        json!({"name": "a", "url": "https://a.example/", "webhook_url": "https://hooks.example/s3cret"});
    let made = house.send(asked("POST /monitors", "writer-token", form)).await.json();
    assert_eq!(made["webhook_url"], "https://hooks.example/s3cret");
    let reader =
        house.send(asked("POST /api/v1/tokens", "writer-token", json!({"name": "r", "scope": "read"}))).await;
    let reader = reader.json()["token"].as_str().expect("a token").to_owned();
    let seen = house.send(asked("GET /monitors", &reader, Value::Null)).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(!seen.text().contains("s3cret"), "{}", seen.text());
    assert_eq!(
        house.send(asked("DELETE /monitors/1", &reader, Value::Null)).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(house.get("/monitors").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn health() {
    let house = House::new().await;
    for path in ["/health", "/health/"] {
        let reply = house.get(path).await;
        assert_eq!((reply.status, reply.text()), (StatusCode::OK, r#"{"status":"ok"}"#));
    }
    house.app.services.vitals.store_answered(false, bw_testkit::builders::START);
    house.skip(std::time::Duration::from_secs(31));
    assert_eq!(house.get("/health").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(house.get("/-/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
}
