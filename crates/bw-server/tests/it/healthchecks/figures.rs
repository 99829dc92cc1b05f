//! Checks as figures for Prometheus.

use super::{KEY, READ_ONLY, World, uuid};
use http::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn figures_have_the_original_s_names() {
    let world = World::new().await;
    let a = uuid(&world.make(json!({"name": "a \"b\" \\", "tags": "prod"})).await);
    let b = uuid(&world.make(json!({"name": "b", "tags": "prod test"})).await);
    let c = uuid(&world.make(json!({"name": "c"})).await);
    world.ping(&a, "/fail", "").await;
    world.when(&a, "down").await;
    world.ping(&b, "/start", "").await;
    world.ask(&format!("POST /api/v3/checks/{c}/pause"), Value::Null).await;
    let list = world.with_key("GET /api/v3/checks/", READ_ONLY, Value::Null).await.json();
    let keys: Vec<&str> = list["checks"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|check| check["unique_key"].as_str())
        .collect();
    let reply = world.with_key(&format!("GET /projects/{a}/metrics/{READ_ONLY}"), "", Value::Null).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.header("content-type").starts_with("text/plain"));
    let series = |index: usize| match index {
        0 => format!(r#"{{name="a \"b\" \\",tags="prod",unique_key="{}"}}"#, keys[0]),
        1 => format!(r#"{{name="b",tags="prod test",unique_key="{}"}}"#, keys[1]),
        _ => format!(r#"{{name="c",tags="",unique_key="{}"}}"#, keys[2]),
    };
    for (family, values) in [
        ("hc_check_up", [0, 1, 1]),
        ("hc_check_started", [0, 1, 0]),
        ("hc_check_grace", [0, 0, 0]),
        ("hc_check_paused", [0, 0, 1]),
    ] {
        assert!(reply.text().contains(&format!("# TYPE {family} gauge\n")), "{}", reply.text());
        for (index, value) in values.into_iter().enumerate() {
            let line = format!("{family}{} {value}\n", series(index));
            assert!(reply.text().contains(&line), "{line} in {}", reply.text());
        }
    }
    for line in [
        "hc_tag_up{tag=\"prod\"} 0\n",
        "hc_tag_up{tag=\"test\"} 1\n",
        "\nhc_checks_total 3\n",
        "\nhc_checks_down_total 1\n",
    ] {
        assert!(reply.text().contains(line), "{line} in {}", reply.text());
    }
}

#[tokio::test]
async fn figures_want_a_key() {
    let world = World::new().await;
    let project = "/projects/728b3763-ea80-4113-9fc0-f49b4adb226e/metrics";
    for (path, bearer, status) in [
        (format!("{project}/{READ_ONLY}"), None, StatusCode::OK),
        (format!("{project}/{KEY}"), None, StatusCode::OK),
        (format!("{project}/wrong"), None, StatusCode::FORBIDDEN),
        (format!("{project}/"), None, StatusCode::UNAUTHORIZED),
        (format!("{project}/"), Some(READ_ONLY), StatusCode::OK),
        (format!("{project}/"), Some("wrong"), StatusCode::FORBIDDEN),
        (project.to_owned(), None, StatusCode::MOVED_PERMANENTLY),
    ] {
        let mut request = world.house.request(&format!("GET {path}"), Value::Null);
        if let Some(key) = bearer {
            let value = format!("Bearer {key}").parse().expect("a header");
            request.headers_mut().insert("authorization", value);
        }
        let reply = world.send(request).await;
        assert_eq!(reply.status, status, "{path} {bearer:?}");
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            assert_eq!(reply.text(), "");
        }
    }
}
