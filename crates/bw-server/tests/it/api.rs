//! `/api/v1`: monitors, problem documents, paging, preconditions.

use crate::house::{House, Seen};
use bw_domain::outcome::Code;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn shop() -> Value {
    json!({"name": "Shop", "http": "https://shop.example/", "every": "30s", "expect": ["status == 200"],
        "labels": {"team": "web"}, "webhook_url": "https://hooks.example/s3cret"})
}

#[tokio::test]
async fn a_monitor_is_its_declaration_and_what_is_believed() {
    let house = House::new().await;
    let reply = house.ask("POST /api/v1/monitors", shop()).await;
    assert_eq!((reply.status, reply.header("etag")), (StatusCode::CREATED, "\"1\""));
    assert_eq!(reply.header("location"), "/api/v1/monitors/1");
    let mut made = reply.json();
    assert!(made["uuid"].as_str().is_some_and(|uuid| uuid.len() == 36));
    made["uuid"] = Value::Null;
    assert_eq!(
        made,
        json!({
            "id": 1, "uuid": null, "owner": null, "revision": 1, "health": "UNKNOWN", "mode": "active",
            "state": "UNKNOWN", "since": "2026-11-21T12:00:00.000Z", "last_slot": null,
            "created_at": "2026-11-21T12:00:00.000Z", "observed": [],
            "name": "Shop", "http": "https://shop.example/", "every": "30s", "expect": ["status == 200"],
            "labels": {"team": "web"}, "webhook_url": "***",
        })
    );
    house.settle();
    let slot = house.observe(1, Seen::Fail(Code::CONNECT_REFUSED)).await;
    house.observe(1, Seen::Fail(Code::CONNECT_REFUSED)).await;
    let reply = house.get("/api/v1/monitors/1").await;
    assert_eq!((reply.header("etag"), reply.header("server-timing")), ("\"1\"", "rows;desc=0"));
    let seen = reply.json();
    assert_eq!((&seen["health"], &seen["state"]), (&json!("DOWN"), &json!("DOWN")));
    let since = seen["since"].as_str().expect("since");
    assert!(
        since > slot.to_string().as_str() && since < seen["last_slot"].as_str().expect("a slot"),
        "{seen}"
    );
    let cell = &seen["observed"][0];
    assert_eq!(
        (&cell["location"], &cell["family"], &cell["verdict"], &cell["code"], &cell["latency_ms"]),
        (&json!("local"), &json!("any"), &json!("fail"), &json!("connect.refused"), &json!(31.2))
    );
}

#[tokio::test]
async fn what_is_read_may_be_written_back() {
    let house = House::new().await;
    house.declare(shop()).await;
    let read = house.get("/api/v1/monitors/1").await.json();
    let reply = house.ask("PUT /api/v1/monitors/1", read).await;
    assert_eq!(
        (reply.status, reply.header("etag")),
        (StatusCode::OK, "\"1\""),
        "nothing changed, so no revision"
    );
    let stored = house.app.services.catalog.get(bw_domain::id::MonitorId(1)).expect("a monitor");
    let webhook = stored.declared.webhook_url.as_ref().expect("a webhook");
    assert_eq!(webhook.expose(), "https://hooks.example/s3cret", "*** kept it");
}

#[tokio::test]
async fn patches_pauses_and_ends() {
    let house = House::new().await;
    house.declare(shop()).await;
    let patch = json!({"labels": {"tier": "gold", "team": null}, "every": "1m", "webhook_url": null});
    let reply = house.ask("PATCH /api/v1/monitors/1", patch).await;
    let seen = reply.json();
    assert_eq!(reply.status, StatusCode::OK, "{seen}");
    assert_eq!((&seen["labels"], &seen["every"]), (&json!({"tier": "gold"}), &json!("1m")));
    assert_eq!((&seen["webhook_url"], &seen["revision"]), (&Value::Null, &json!(2)));

    let paused = house.ask("POST /api/v1/monitors/1/pause", Value::Null).await.json();
    assert_eq!(
        (&paused["mode"], &paused["state"], &paused["health"]),
        (&json!("paused"), &json!("PAUSED"), &json!("UNKNOWN"))
    );
    let again = house.ask("POST /api/v1/monitors/1/pause", Value::Null).await.json();
    assert_eq!(again["revision"], paused["revision"], "paused is paused");
    let resumed = house.ask("POST /api/v1/monitors/1/resume", Value::Null).await.json();
    assert_eq!((&resumed["mode"], &resumed["revision"]), (&json!("active"), &json!(4)));

    assert_eq!(house.ask("DELETE /api/v1/monitors/1", Value::Null).await.status, StatusCode::NO_CONTENT);
    for what in ["GET", "DELETE"] {
        let reply = house.ask(&format!("{what} /api/v1/monitors/1"), Value::Null).await;
        assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::NOT_FOUND, "not-found"));
    }
}

#[tokio::test]
async fn preconditions() {
    let house = House::new().await;
    house.declare(shop()).await;
    let guarded = |what: &str, tag: &'static str, body: Value| {
        let mut request = house.request(what, body);
        request.headers_mut().insert("if-match", HeaderValue::from_static(tag));
        request
    };
    let patch = || json!({"every": "45s"});
    let stale = house.send(guarded("PATCH /api/v1/monitors/1", "\"7\"", patch())).await;
    assert_eq!((stale.status, stale.problem().as_str()), (StatusCode::PRECONDITION_FAILED, "stale"));
    assert_eq!(stale.header("etag"), "\"1\"", "the revision that is there");
    assert_eq!(
        house.send(guarded("DELETE /api/v1/monitors/1", "W/\"1\"", Value::Null)).await.status,
        StatusCode::PRECONDITION_FAILED
    );
    assert_eq!(
        house.send(guarded("PUT /api/v1/monitors/1", "\"2\"", shop())).await.status,
        StatusCode::PRECONDITION_FAILED
    );
    let good = house.send(guarded("PATCH /api/v1/monitors/1", "\"1\"", patch())).await;
    assert_eq!((good.status, good.header("etag")), (StatusCode::OK, "\"2\""));
    assert_eq!(
        house.send(guarded("DELETE /api/v1/monitors/1", "*", Value::Null)).await.status,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn a_creation_with_a_key_happens_once() {
    let house = House::new().await;
    let keyed = |body: Value| {
        let mut request = house.request("POST /api/v1/monitors", body);
        request.headers_mut().insert("idempotency-key", HeaderValue::from_static("k1"));
        request
    };
    let first = house.send(keyed(shop())).await;
    let again = house.send(keyed(shop())).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(first.json(), again.json());
    let other = house.send(keyed(json!({"name": "b", "http": "https://b.example/"}))).await;
    assert_eq!((other.status, other.problem().as_str()), (StatusCode::CONFLICT, "refused"));
    assert_eq!(house.get("/api/v1/monitors").await.json()["total"], 1);
    house.ask("DELETE /api/v1/monitors/1", Value::Null).await;
    assert_eq!(house.send(keyed(shop())).await.status, StatusCode::CONFLICT, "it made one that has ended");
}

#[tokio::test]
async fn mistakes_are_told_all_at_once_and_change_nothing() {
    let house = House::new().await;
    let body =
        json!({"name": "", "http": "nonsense", "evry": "1s", "timeout": 5, "expect": ["statsu == 200"]});
    let reply = house.ask("POST /api/v1/monitors", body).await;
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"));
    let paths: Vec<String> = errors(&reply.json());
    assert_eq!(paths, ["evry", "timeout"], "shapes first");
    let body = json!({"name": "", "http": "nonsense", "timeout": "9m", "expect": ["statsu == 200"]});
    let paths = errors(&house.ask("POST /api/v1/monitors", body).await.json());
    assert_eq!(
        BTreeSet::from_iter(paths),
        BTreeSet::from(["name", "timeout", "http", "expect[0]"].map(str::to_owned))
    );
    let reply = house
        .ask(
            "POST /api/v1/monitors",
            json!({"name": "a", "http": "https://a.example/", "webhook_url": "***"}),
        )
        .await;
    assert_eq!(errors(&reply.json()), ["webhook_url"], "there is nothing to keep");
    assert_eq!(house.get("/api/v1/monitors").await.json()["total"], 0);
}

fn errors(document: &Value) -> Vec<String> {
    let errors = document["errors"].as_array().expect("a list");
    errors.iter().map(|error| error["path"].as_str().expect("a path").to_owned()).collect()
}

#[tokio::test]
async fn everything_that_can_be_wrong_has_a_problem_document() {
    let house = House::new().await;
    house.declare(shop()).await;
    for (what, status, code) in [
        ("GET /nowhere", 404, "not-found"),
        ("GET /api/v1/nowhere", 404, "not-found"),
        ("GET /api/v1/monitors/7", 404, "not-found"),
        ("GET /api/v1/monitors/seven", 400, "invalid-id"),
        ("GET /api/v1/monitors/99999999999999999999", 400, "invalid-id"),
        ("GET /api/v1/monitors/1/evidence/x", 400, "invalid-id"),
        ("GET /api/v1/monitors/1/evidence/5", 404, "not-found"),
        ("DELETE /api/v1/monitors", 405, "method-not-allowed"),
        ("PATCH /api/v1/system", 405, "method-not-allowed"),
        ("POST /api/v1/monitors", 415, "unsupported-media-type"),
        ("GET /api/v1/monitors?limit=0", 400, "invalid"),
        ("GET /api/v1/monitors?limit=10001", 400, "invalid"),
        ("GET /api/v1/monitors?limt=5", 400, "invalid"),
        ("GET /api/v1/monitors?state=SIDEWAYS", 400, "invalid"),
        ("GET /api/v1/monitors?state=up&status=down", 400, "invalid"),
        ("GET /api/v1/monitors?sort=colour", 400, "invalid"),
        ("GET /api/v1/monitors?after=x", 400, "invalid"),
        ("GET /api/v1/monitors?limit=1&limit=2", 400, "invalid"),
        ("GET /api/v1/monitors/1?x=1", 400, "invalid"),
        ("GET /api/v1/monitors/1/outcomes?verdict=maybe", 400, "invalid"),
        ("GET /api/v1/monitors/1/outcomes?from=yesterday", 400, "invalid"),
        ("GET /api/v1/monitors/1/latency?q=2", 400, "invalid"),
        ("GET /api/v1/monitors/1/latency?q=x", 400, "invalid"),
        ("GET /api/v1/monitors/1/latency?step=1ms", 400, "invalid"),
        ("GET /api/v1/monitors/1/uptime?from=2026-11-22T00:00:00Z&to=2026-11-21T00:00:00Z", 400, "invalid"),
        ("GET /api/v1/incidents?state=ajar", 400, "invalid"),
        ("GET /api/v1/incidents/7", 404, "not-found"),
        ("POST /api/v1/incidents/7/acknowledge", 404, "not-found"),
        ("GET /api/v1/deliveries?state=lost", 400, "invalid"),
        ("GET /api/v1/deliveries?after=x", 400, "invalid"),
        ("DELETE /api/v1/tokens/9", 404, "not-found"),
    ] {
        let reply = house.ask(what, Value::Null).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem().as_str()),
            (status, code),
            "{what}: {}",
            reply.text()
        );
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
    let near = house.get("/api/v1/monitors?limt=5").await.json();
    assert_eq!(near["errors"][0]["message"], "unknown parameter; did you mean `limit`?");
    let mut request = house.request("POST /api/v1/monitors", json!({}));
    *request.body_mut() = axum::body::Body::from("{\"name\": ");
    let reply = house.send(request).await;
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::BAD_REQUEST, "malformed"));
    let mut request = house.request("POST /api/v1/monitors", json!({}));
    *request.body_mut() = axum::body::Body::from(vec![b' '; (1 << 20) + 1]);
    let reply = house.send(request).await;
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"));
}

#[tokio::test]
async fn pages_filters_and_orders() {
    let house = House::new().await;
    for (name, team) in [("delta", "web"), ("alpha", "web"), ("Charlie", "mail"), ("bravo", "web")] {
        house
            .declare(
                json!({"name": name, "http": format!("https://{name}.example/"), "labels": {"team": team}}),
            )
            .await;
    }
    house.settle();
    for _ in 0..2 {
        house.observe(2, Seen::Fail(Code::WAIT_TIMEOUT)).await;
        house.observe(4, Seen::Slow(20)).await;
        house.observe(1, Seen::Slow(900)).await;
    }
    house.ask("POST /api/v1/monitors/3/pause", Value::Null).await;

    for (query, expected) in [
        ("", "delta alpha Charlie bravo"),
        ("sort=name", "alpha bravo Charlie delta"),
        ("sort=-name", "delta Charlie bravo alpha"),
        ("sort=state", "alpha delta bravo Charlie"),
        ("sort=latency", "bravo alpha delta Charlie"),
        ("sort=-id", "bravo Charlie alpha delta"),
        ("state=DOWN", "alpha"),
        ("status=down", "alpha"),
        ("state=paused", "Charlie"),
        ("label=team:web&sort=name", "alpha bravo delta"),
        ("label=team:web&label=tier", ""),
        ("label=team", "delta alpha Charlie bravo"),
        ("q=CHAR", "Charlie"),
        ("q=mail", "Charlie"),
        ("q=bravo.example", "bravo"),
    ] {
        let whole = house.get(&format!("/api/v1/monitors?{query}")).await.json();
        let names = |page: &Value| -> Vec<String> {
            let items = page["items"].as_array().expect("items").iter();
            items.map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
        };
        assert_eq!(names(&whole).join(" "), expected, "{query}");
        let mut walked = Vec::new();
        let mut after = String::new();
        loop {
            let page = house.get(&format!("/api/v1/monitors?{query}&limit=1{after}")).await.json();
            walked.extend(names(&page));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={}", next.replace('+', "%2B")),
                None => break,
            }
        }
        assert_eq!(walked.join(" "), expected, "one by one: {query}");
    }
    let counts = house.get("/api/v1/monitors?state=down").await.json();
    assert_eq!(counts["counts"], json!({"UP": 2, "DOWN": 1, "UNKNOWN": 0, "PAUSED": 1, "MAINTENANCE": 0}));
    assert_eq!(counts["total"], 1);
}

#[tokio::test]
async fn probing_now_counts_nothing() {
    let house = House::new().await;
    house.declare(shop()).await;
    let reply = house.ask("POST /api/v1/monitors/1/probe", Value::Null).await;
    let seen = reply.json();
    assert_eq!(reply.status, StatusCode::OK, "{seen}");
    assert_eq!(
        (&seen["verdict"], &seen["status"], &seen["latency_ms"]),
        (&json!("pass"), &json!(200), &json!(31.2))
    );
    assert_eq!(seen["phases"]["wait"], 14.0);
    assert_eq!(house.get("/api/v1/monitors/1").await.json()["observed"], json!([]));
}

#[tokio::test]
async fn the_system_says_how_it_is() {
    let house = House::new().await;
    house.declare(shop()).await;
    let seen = house.get("/api/v1/system").await.json();
    assert_eq!(
        (&seen["version"], &seen["roles"], &seen["monitors"]),
        (&json!("0.1.0"), &json!(["serve"]), &json!(1))
    );
    assert_eq!((&seen["store"]["kind"], &seen["unready"]), (&json!("sqlite"), &Value::Null));
    for member in ["lag", "queue", "commits", "store", "config", "node", "features", "deliveries"] {
        assert!(!seen[member].is_null(), "{member}");
    }
}
