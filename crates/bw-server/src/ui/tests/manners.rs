//! What holds for every page: the content policy and nothing that it forbids, text from outside made harmless, errors
//! in the manner of the others, assets kept for ever.

use super::world::{World, failed};
use crate::auth::AuthConfig;
use axum::body::Body;
use bw_domain::outcome::{Code, Evidence, Exchange};
use http::Request;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use serde_json::json;

const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";

async fn every_page(world: &World) -> Vec<String> {
    let shop = world
        .declare(json!({
            "name": EVIL, "http": "https://shop.test/?a=<b>\"'", "labels": {"team": EVIL},
            "expect": ["body contains \"<script>\""],
        }))
        .await;
    world
        .slots(&shop, 3, |_, outcome| {
            let mut outcome = failed(outcome, Code::EXPECT_BODY);
            let exchange = Exchange {
                status_line: EVIL.into(),
                headers: vec![(EVIL.into(), EVIL.into())],
                body: EVIL.into(),
                ..Exchange::default()
            };
            outcome.evidence = Some(Box::new(Evidence { exchange: Some(exchange), ..Evidence::text(EVIL) }));
            outcome
        })
        .await;
    let incident = world.open_incident(&shop).await;
    let job = world
        .declare(json!({
            "name": format!("{EVIL} job"), "labels": {"team": EVIL},
            "heartbeat": {"schedule": "0 3 * * *", "description": EVIL},
        }))
        .await;
    assert_eq!(job.id.0, 2);
    world.evil_beat(&job, EVIL).await;
    let paths = [
        "/",
        "/?q=%3Cscript%3E&group=team&label=team",
        "/ui/monitors/1",
        "/ui/monitors/1/edit",
        "/ui/monitors/1/delete",
        "/ui/monitors/new",
        "/ui/monitors/2",
        "/ui/monitors/2/edit",
        "/ui/monitors/2/delete",
        "/ui/monitors/2/beats/1",
        "/ui/monitors/2/beats/2",
        "/ui/heartbeats/new",
        "/ui/incidents",
        "/ui/deliveries",
        "/ui/system",
        "/ui/sign-in?next=%22%3E%3Cscript%3E",
        "/ui/nowhere",
        "/ui/monitors/999",
        "/ui/monitors/word",
    ];
    paths.into_iter().map(str::to_owned).chain([format!("/ui/incidents/{incident}")]).collect()
}

#[tokio::test]
async fn pages_are_strict_and_harmless() {
    let world = World::new();
    for path in every_page(&world).await {
        let page = world.get(&path).await;
        assert!(page.headers[CONTENT_TYPE].to_str().expect("text").starts_with("text/html"), "{path}");
        let policy = page.headers[CONTENT_SECURITY_POLICY].to_str().expect("text");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self';"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.headers[REFERRER_POLICY], "same-origin", "{path}");
        assert_eq!(page.headers[X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert_eq!(page.headers[CACHE_CONTROL], "no-store", "{path}");
        for forbidden in [" style=", " onerror=alert", " onclick=", "<script>", "javascript:", "<style"] {
            let stands = page.html.to_lowercase().find(forbidden);
            let around =
                |at: usize| page.html.chars().skip(at.saturating_sub(80)).take(160).collect::<String>();
            assert!(
                stands.is_none() || forbidden == " onerror=alert" && !page.html.contains("<img"),
                "{path} holds {forbidden}: {}",
                around(stands.unwrap_or(0))
            );
        }
    }
}

#[tokio::test]
async fn pages_name_their_parts() {
    let world = World::new();
    for path in every_page(&world).await {
        let html = world.get(&path).await.html;
        for part in [
            "<html lang=en>",
            "<title>",
            "<main id=main",
            "<h1",
            "class=skip href=#main",
            "<header class=bar>",
        ] {
            assert!(html.contains(part), "{path} has no {part}");
        }
        assert_eq!(html.matches("<h1").count(), 1, "{path}");
    }
}

#[tokio::test]
async fn errors_are_pages_too() {
    let world = World::new();
    for (path, status, sentence) in [
        ("/ui/nowhere", 404, "No page has this address."),
        ("/ui/monitors/7", 404, "It was deleted, or the address is not right."),
        ("/ui/monitors/seven", 404, "There is nothing here"),
        ("/ui/incidents/7", 404, "There is nothing here"),
        ("/?after=nonsense", 400, "This could not be understood"),
    ] {
        let page = world.get(path).await;
        assert_eq!(page.status, status, "{path}");
        page.says(sentence);
    }
}

#[tokio::test]
async fn who_is_not_let_in_reads_why() {
    let world = World::new();
    let rebound = Request::get("/")
        .header(ACCEPT, "text/html,*/*")
        .header(HOST, "evil.test")
        .body(Body::empty())
        .expect("a request");
    let page = world.ask(rebound).await;
    assert_eq!(page.status, 403);
    page.says("Not allowed");
    page.says("the Host header `evil.test` is no name of this machine");
    assert!(!page.html.contains("Deliveries"), "nothing of the inside is shown");
    let foreign =
        Request::post("/ui/monitors/new").header(ACCEPT, "text/html").header(ORIGIN, "http://evil.test");
    let page = world.ask(foreign.body(Body::empty()).expect("a request")).await;
    assert_eq!(page.status, 403);
    page.says("A page of another site sent this request");
}

#[tokio::test]
async fn an_open_door_is_said_on_every_page() {
    let world = World::guarded(AuthConfig { none: true, ..AuthConfig::default() });
    for path in ["/", "/ui/monitors/new", "/ui/system", "/ui/nowhere"] {
        world.get(path).await.says("whoever reaches this address may change everything");
    }
}

#[tokio::test]
async fn assets_are_kept_for_ever_under_their_hash() {
    let world = World::new();
    let page = world.get("/").await.html;
    let sheet = page
        .split("stylesheet href=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a style sheet");
    let asset = world.get(sheet).await;
    assert_eq!(asset.status, 200);
    assert_eq!(asset.headers[CACHE_CONTROL], "public, max-age=31536000, immutable");
    assert_eq!(asset.headers[CONTENT_TYPE], "text/css; charset=utf-8");
    let old = world.get("/assets/0000000000000000/bellwether.js").await;
    assert_eq!((old.status.as_u16(), old.headers[CACHE_CONTROL].to_str().expect("text")), (200, "no-store"));
    assert_eq!(world.get("/assets/0000000000000000/other.js").await.status, 404);
}
