//! Who comes in: the matrix itself is a table beside `auth::policy`; here are its ends, from headers to answers.

use crate::house::{House, Reply};
use axum::extract::ConnectInfo;
use bw_domain::secret::Secret;
use bw_server::auth::AuthConfig;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

const FAR: &str = "203.0.113.7:40000";
const PASSWORD: &str = "correct horse battery staple";

/// Sends a request with further headers, from another machine if asked to.
async fn ask(house: &House, what: &str, headers: &[(&'static str, &str)], from: Option<&str>) -> Reply {
    let body = if what.starts_with("GET") {
        Value::Null
    } else {
        json!({"name": "a", "http": "https://a.example/"})
    };
    let mut request = house.request(what, body);
    for (name, value) in headers {
        request.headers_mut().insert(*name, HeaderValue::from_str(value).expect("a header"));
    }
    if let Some(from) = from {
        let from: SocketAddr = from.parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(from));
    }
    house.send(request).await
}

async fn closed() -> House {
    let admin_password = Some(Secret::new(PASSWORD));
    House::with(AuthConfig { admin_password, beyond_loopback: true, ..AuthConfig::default() }).await
}

#[tokio::test]
async fn this_machine_is_asked_nothing_and_others_are_told_why() {
    let house = House::new().await;
    assert_eq!(ask(&house, "POST /api/v1/monitors", &[], None).await.status, StatusCode::CREATED);
    for (headers, word) in [
        (&[("host", "evil.example")][..], "evil.example"),
        (&[("x-forwarded-for", "203.0.113.7")][..], "Forwarded"),
        (&[("forwarded", "for=203.0.113.7")][..], "Forwarded"),
    ] {
        for what in ["GET /api/v1/monitors", "GET /", "GET /monitors"] {
            let reply = ask(&house, what, headers, None).await;
            assert_eq!(
                (reply.status, reply.problem().as_str()),
                (StatusCode::FORBIDDEN, "forbidden"),
                "{what}"
            );
            assert!(
                reply.json()["detail"].as_str().is_some_and(|text| text.contains(word)),
                "{}",
                reply.text()
            );
        }
    }
    let foreign = [("origin", "https://evil.example")];
    assert_eq!(ask(&house, "GET /api/v1/monitors", &foreign, None).await.status, StatusCode::OK);
    assert_eq!(ask(&house, "POST /api/v1/monitors", &foreign, None).await.status, StatusCode::FORBIDDEN);
    let cross = [("sec-fetch-site", "cross-site")];
    assert_eq!(ask(&house, "POST /monitors", &cross, None).await.status, StatusCode::FORBIDDEN);
    let far = ask(&house, "GET /api/v1/monitors", &[], Some(FAR)).await;
    assert_eq!((far.status, far.header("www-authenticate")), (StatusCode::UNAUTHORIZED, "Bearer"));
    assert_eq!(
        ask(&house, "GET /health", &[("host", "evil.example")], Some(FAR)).await.status,
        StatusCode::OK
    );
    assert_eq!(ask(&house, "GET /metrics", &[], None).await.status, StatusCode::OK);
    assert_eq!(ask(&house, "GET /metrics", &[], Some(FAR)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn tokens_live_from_their_creation_to_their_end() {
    let house = closed().await;
    let cookie = signed_in(&house).await;
    let session = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
    let mut request = house.request("POST /api/v1/tokens", json!({"name": "ci", "scope": "write"}));
    for (name, value) in session {
        request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a header"));
    }
    let made = house.send(request).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let text = made.json()["token"].as_str().expect("its text").to_owned();
    assert!(text.starts_with("bw_") && text.len() == 3 + 43, "{text}");
    let bearer = format!("Bearer {text}");
    let held = [("authorization", bearer.as_str())];
    assert_eq!(ask(&house, "POST /api/v1/monitors", &held, Some(FAR)).await.status, StatusCode::CREATED);
    let listed = ask(&house, "GET /api/v1/tokens", &held, Some(FAR)).await;
    assert!(!listed.text().contains(&text) && listed.json()["items"][0]["prefix"] == text[..8]);
    assert_eq!(ask(&house, "DELETE /api/v1/tokens/1", &held, Some(FAR)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ask(&house, "GET /api/v1/monitors", &held, Some(FAR)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn wrong_tokens_are_refused_even_here_and_not_for_ever() {
    let house = House::new().await;
    let wrong = [("authorization", "Bearer bw_nonsense")];
    let mut refused = 0;
    let throttled = loop {
        let reply = ask(&house, "GET /api/v1/monitors", &wrong, None).await;
        match reply.status {
            StatusCode::UNAUTHORIZED => refused += 1,
            _ => break reply,
        }
    };
    assert_eq!(refused, bw_server::limits::WRONG_BURST);
    assert_eq!(
        (throttled.status, throttled.problem().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "too-many-requests")
    );
    assert!(throttled.header("retry-after").parse::<u64>().is_ok_and(|wait| wait > 0));
    let basic = [("authorization", "Basic eDp5")];
    assert_eq!(ask(&house, "GET /api/v1/monitors", &basic, Some(FAR)).await.status, StatusCode::UNAUTHORIZED);
}

/// Signs in and answers the cookie.
async fn signed_in(house: &House) -> String {
    let from = "127.0.0.1".parse().expect("an address");
    let app = &house.app;
    let set = bw_server::auth::sign_in(&app.auth, &app.services, from, PASSWORD).await.expect("the password");
    let set = set.to_str().expect("text");
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
    set.split(';').next().expect("a pair").to_owned()
}

#[tokio::test]
async fn sessions() {
    let house = closed().await;
    let page = ask(&house, "GET /ui/incidents?state=open", &[], Some(FAR)).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert_eq!(page.header("location"), "/ui/sign-in?next=/ui/incidents%3Fstate%3Dopen");
    let cookie = signed_in(&house).await;
    let cookie = cookie.as_str();
    let host = ("host", "bw.example");
    assert_eq!(
        ask(&house, "GET /api/v1/monitors", &[("cookie", cookie), host], Some(FAR)).await.status,
        StatusCode::OK
    );
    let post = "POST /api/v1/monitors";
    let bare = ask(&house, post, &[("cookie", cookie), host], Some(FAR)).await;
    assert_eq!(bare.status, StatusCode::FORBIDDEN, "a cookie alone proves nothing");
    let own = ("origin", "https://bw.example");
    assert_eq!(
        ask(&house, post, &[("cookie", cookie), host, own], Some(FAR)).await.status,
        StatusCode::CREATED
    );
    let foreign = ("origin", "https://evil.example");
    assert_eq!(
        ask(&house, post, &[("cookie", cookie), host, foreign], Some(FAR)).await.status,
        StatusCode::FORBIDDEN
    );
    house.skip(Duration::from_secs(12 * 3_600 + 1));
    assert_eq!(
        ask(&house, "GET /api/v1/monitors", &[("cookie", cookie)], Some(FAR)).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn passwords_are_guessed_slowly() {
    let house = closed().await;
    let from = "203.0.113.9".parse().expect("an address");
    let app = &house.app;
    let mut answers = Vec::new();
    for _ in 0..12 {
        let tried = bw_server::auth::sign_in(&app.auth, &app.services, from, "guess").await;
        answers.push(tried.expect_err("a guess").to_string());
    }
    assert_eq!(answers[0], "that is not the password");
    assert!(answers[11].starts_with("too many attempts"), "{}", answers[11]);
}

#[tokio::test]
async fn auth_none_lets_everybody_in_but_no_other_site() {
    let house = House::with(AuthConfig { none: true, beyond_loopback: true, ..AuthConfig::default() }).await;
    assert!(house.app.auth.is_none());
    assert_eq!(
        ask(&house, "POST /api/v1/monitors", &[("host", "bw.example")], Some(FAR)).await.status,
        StatusCode::CREATED
    );
    let foreign = [("host", "bw.example"), ("origin", "https://evil.example")];
    assert_eq!(ask(&house, "POST /api/v1/monitors", &foreign, Some(FAR)).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn too_many_requests_of_one_address() {
    let house = House::with(AuthConfig { none: true, ..AuthConfig::default() }).await;
    let mut last = ask(&house, "GET /health", &[], Some(FAR)).await;
    for _ in 0..3 * bw_server::limits::REQUESTS_BURST {
        last = ask(&house, "GET /health", &[], Some(FAR)).await;
        if last.status != StatusCode::OK {
            break;
        }
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!last.header("retry-after").is_empty());
    assert_eq!(
        ask(&house, "GET /health", &[], None).await.status,
        StatusCode::OK,
        "this machine is not counted"
    );
}
