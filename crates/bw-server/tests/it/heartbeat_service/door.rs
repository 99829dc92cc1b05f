//! Who may come in.

use super::*;
use axum::extract::ConnectInfo;
use http::StatusCode;
use std::net::SocketAddr;

async fn closed() -> World {
    let admin_password = Some(Secret::new(PASSWORD));
    World::with(AuthConfig { admin_password, beyond_loopback: true, ..AuthConfig::default() }, false).await
}

async fn uuid(world: &World) -> String {
    let id = world.declare(["web1", "backup", "nightly", "db"], "24h", false).await;
    world.uuid(id)
}

async fn far(world: &World, what: &str, headers: &[(&'static str, &str)]) -> Reply {
    let mut request = world.house.request(what, Value::Null);
    let from: SocketAddr = "203.0.113.7:40000".parse().expect("an address");
    request.extensions_mut().insert(ConnectInfo(from));
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    world.send(request).await
}

#[tokio::test]
async fn the_secret_opens_in_an_address_or_a_header_and_nothing_else_does() {
    let world = closed().await;
    let uuid = uuid(&world).await;
    for page in ["dashboard".to_owned(), format!("edit?id={uuid}"), "monitor".to_owned()] {
        let mark = if page.contains('?') { '&' } else { '?' };
        for base in ["/heartbeat", "/v1/heartbeat"] {
            let path = format!("GET {base}/{page}");
            let reply = far(&world, &format!("{path}{mark}secret={ENCODED}"), &[]).await;
            assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
            let reply = far(&world, &path, &[("x-heartbeat-secret", SECRET)]).await;
            assert_eq!(reply.status, StatusCode::OK, "{path}");
            let reply = far(&world, &path, &[]).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(reply.header("cache-control"), "no-store");
        }
    }
    for wrong in ["secret=wrong", "secret=s3cret", "secret=s3cret+%26+mor%C3%A9"] {
        let reply = far(&world, &format!("GET /heartbeat/dashboard?{wrong}"), &[]).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{wrong}");
        assert!(!reply.text().contains("s3cret"));
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
    }
    assert_eq!(far(&world, "GET /heartbeat/dashboard?secret=", &[]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_guesses_waits() {
    let world = closed().await;
    let wrong = "GET /heartbeat/dashboard?secret=wrong";
    let mut last = far(&world, wrong, &[]).await;
    for _ in 0..20 {
        last = far(&world, wrong, &[]).await;
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(last.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=6).contains(&seconds)));
    let right = format!("GET /heartbeat/dashboard?secret={ENCODED}");
    assert_eq!(far(&world, &right, &[]).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(world.get(&right[4..]).await.status, StatusCode::OK, "others are not concerned");
}

#[tokio::test]
async fn a_session_opens_as_any_page() {
    let world = closed().await;
    let uuid = uuid(&world).await;
    let cookie = world.sign_in().await;
    let page = far(&world, "GET /heartbeat/dashboard", &[("cookie", &cookie)]).await;
    assert_eq!(page.status, StatusCode::OK);
    // Browsers name the origin of a form only so, and without it the form is refused.
    assert_eq!(page.header("referrer-policy"), "same-origin");
    let edit = far(&world, &format!("GET /heartbeat/edit?id={uuid}"), &[("cookie", &cookie)]).await;
    let csrf = edit.text().split("name=csrf value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let csrf = csrf.expect("a token").to_owned();
    let send = async |csrf: &str, origin: &str| {
        let mut request = world.house.request(&format!("POST /heartbeat/edit?id={uuid}"), Value::Null);
        *request.body_mut() = Body::from(format!("threshold=48&csrf={csrf}"));
        let headers = request.headers_mut();
        headers.insert("cookie", cookie.parse().expect("a header"));
        headers.insert("origin", origin.parse().expect("a header"));
        headers.insert("content-type", "application/x-www-form-urlencoded".parse().expect("a header"));
        world.send(request).await
    };
    let ours = "http://127.0.0.1:8080";
    assert_eq!(send(&csrf, "https://evil.example").await.status, StatusCode::FORBIDDEN);
    assert_eq!(send(&csrf, "null").await.status, StatusCode::FORBIDDEN);
    assert_eq!(send("", ours).await.status, StatusCode::FORBIDDEN);
    let done = send(&csrf, ours).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/heartbeat/dashboard"));
}

#[tokio::test]
async fn other_sites_cannot_use_a_secret_that_a_proxy_adds() {
    let world = closed().await;
    let uuid = uuid(&world).await;
    let what = format!("POST /heartbeat/edit?id={uuid}");
    let headers = [("x-heartbeat-secret", SECRET), ("origin", "https://evil.example")];
    assert_eq!(far(&world, &what, &headers).await.status, StatusCode::FORBIDDEN);
    let headers = [("x-heartbeat-secret", SECRET), ("sec-fetch-site", "cross-site")];
    assert_eq!(far(&world, &what, &headers).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn without_a_secret_only_the_guard_decides() {
    let house = House::new().await;
    let open = house.get("/heartbeat/dashboard?secret=whatever").await;
    assert_eq!(open.status, StatusCode::OK);
    assert!(!open.text().contains("whatever"), "what opened nothing is handed on nowhere");
    let mut request = house.request("GET /heartbeat/dashboard?secret=whatever", Value::Null);
    let from: SocketAddr = "203.0.113.7:40000".parse().expect("an address");
    request.extensions_mut().insert(ConnectInfo(from));
    assert_eq!(house.send(request).await.status, StatusCode::UNAUTHORIZED);
    // A name that was rebound to this machine.
    let mut request = house.request("GET /heartbeat/dashboard", Value::Null);
    request.headers_mut().insert("host", "evil.example".parse().expect("a header"));
    assert_eq!(house.send(request).await.status, StatusCode::FORBIDDEN);
}
