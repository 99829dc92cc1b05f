//! What forms do: declare, test, edit, pause, delete, acknowledge, note, sign in; and what they refuse.

use super::world::{World, failed};
use crate::auth::AuthConfig;
use axum::body::Body;
use bw_domain::outcome::Code;
use bw_domain::secret::Secret;
use bw_engine::usecase::monitors;
use bw_testkit::builders::{START, job, spec};
use http::Request;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use serde_json::json;

#[tokio::test]
async fn a_url_becomes_a_monitor() {
    let world = World::new();
    let added = world.post("/ui/monitors/new", "target=https%3A%2F%2Fshop.test%2F&action=save").await;
    assert_eq!((added.status.as_u16(), added.location()), (303, "/ui/monitors/1?said=added"));
    world.get("/ui/monitors/1?said=added").await.says("Added. The first probe begins now.");
    world.get("/").await.says(">shop.test</a>");
}

#[tokio::test]
async fn mistakes_stand_beside_their_fields_and_keep_what_was_typed() {
    let world = World::new();
    let form =
        "target=shop+test&name=The+Shop&every=ten&expect=status+%3D%3D+200%0D%0Abody+hopes&action=save";
    let page = world.post("/ui/monitors/new", form).await;
    assert_eq!(page.status, 422);
    page.says("value=\"shop test\"");
    page.says("value=\"The Shop\"");
    page.says("value=\"ten\"");
    page.says("id=w-every");
    page.says("write a number with its unit");
    page.says("<details id=more open>");
    page.says("id=w-target");
    page.says("Line 2: ");
    assert!(world.app.services.catalog.is_empty(), "nothing was declared");
}

#[tokio::test]
async fn test_now_shows_the_probe_and_declares_nothing() {
    let world = World::new();
    let probed = spec(1, &json!({"name": "Shop", "http": "https://shop.test/"}));
    world.prober.sees(failed(bw_testkit::builders::pass(job(&probed, START)), Code::TLS_EXPIRED));
    let page = world.post("/ui/monitors/new", "target=https%3A%2F%2Fshop.test%2F&action=test").await;
    assert_eq!(page.status, 200);
    page.says("The test saw");
    page.says("tls.expired");
    page.says("class=fall");
    page.says("value=\"https://shop.test/\"");
    assert!(world.app.services.catalog.is_empty(), "nothing was declared");
}

#[tokio::test]
async fn an_edit_keeps_secrets_and_what_the_form_does_not_show() {
    let world = World::new();
    let document = json!({
        "name": "Shop", "http": "https://shop.test/", "slug": "the-shop", "headers": {"x-key": "hush"},
        "webhook_url": "https://hooks.test/hush",
    });
    let shop = world.declare(document).await;
    let page = world.get("/ui/monitors/1/edit").await;
    assert!(!page.html.contains("hush"), "secrets are never shown");
    page.says("x-key: ***");
    let form = "target=https%3A%2F%2Fshop.test%2F&name=Store&headers=x-key%3A+***&webhook_url=***&revision=1";
    assert_eq!(world.post("/ui/monitors/1/edit", form).await.status, 303);
    let view = monitors::get(&world.app.services, shop.id).await.expect("it is there");
    let declared = &view.spec.declared;
    assert_eq!((declared.name.as_str(), declared.slug.as_deref()), ("Store", Some("the-shop")));
    assert_eq!(declared.probing.headers["x-key"].expose(), "hush");
    assert_eq!(declared.webhook_url.as_ref().map(Secret::expose), Some("https://hooks.test/hush"));

    let stale = world.post("/ui/monitors/1/edit", form).await;
    assert_eq!(stale.status, 422);
    stale.says("Somebody has edited this monitor meanwhile");
    stale.says("name=revision value=2");
}

#[tokio::test]
async fn pausing_resuming_deleting() {
    let world = World::new();
    world.declare(json!({"name": "Shop", "http": "https://shop.test/"})).await;
    assert_eq!(world.post("/ui/monitors/1/pause", "").await.location(), "/ui/monitors/1?said=paused");
    world.get("/ui/monitors/1").await.says("Shop is paused");
    world.get("/").await.says("PAUSED");
    assert_eq!(world.post("/ui/monitors/1/resume", "").await.location(), "/ui/monitors/1?said=resumed");
    world.get("/ui/monitors/1/delete").await.says("Delete Shop?");
    assert_eq!(world.post("/ui/monitors/1/delete", "").await.location(), "/?said=deleted");
    assert_eq!(world.get("/ui/monitors/1").await.status, 404);
}

#[tokio::test]
async fn probe_now_shows_what_it_saw() {
    let world = World::new();
    world.declare(json!({"name": "Shop", "http": "https://shop.test/"})).await;
    let page = world.post("/ui/monitors/1/probe", "").await;
    page.says("Shop passed in 31 ms");
    page.says("It is not recorded and moves nothing.");
}

#[tokio::test]
async fn an_incident_is_taken_on_and_written_about() {
    let world = World::new();
    let shop = world.declare(json!({"name": "Shop", "http": "https://shop.test/"})).await;
    world.slots(&shop, 2, |_, outcome| failed(outcome, Code::CONNECT_REFUSED)).await;
    let path = format!("/ui/incidents/{}", world.open_incident(&shop).await);
    assert_eq!(world.post(&format!("{path}/acknowledge"), "").await.status, 303);
    let note = "text=Looking+at+%3Cb%3Eit%3C%2Fb%3E";
    assert_eq!(world.post(&format!("{path}/notes"), note).await.status, 303);
    let page = world.get(&path).await;
    page.says("Acknowledged");
    page.says("Looking at &#60;b&#62;it&#60;/b&#62;");
    let refused = world.post(&format!("{path}/notes"), "text=+").await;
    assert_eq!(refused.status, 422);
    refused.says("id=w-text");
}

#[tokio::test]
async fn a_session_opens_with_the_password_and_its_forms_prove_themselves() {
    let auth = AuthConfig { admin_password: Some(Secret::new("open sesame")), ..AuthConfig::default() };
    let world = World::guarded(auth);
    let asked = world.get("/ui/system").await;
    assert_eq!((asked.status.as_u16(), asked.location()), (303, "/ui/sign-in?next=/ui/system"));
    let wrong = world.post("/ui/sign-in", "password=guess&next=%2Fui%2Fsystem").await;
    assert_eq!(wrong.status, 403);
    wrong.says("That is not the password.");
    let entered = world.post("/ui/sign-in", "password=open+sesame&next=%2Fui%2Fsystem").await;
    assert_eq!((entered.status.as_u16(), entered.location()), (303, "/ui/system"));
    let cookie =
        entered.headers[SET_COOKIE].to_str().expect("text").split(';').next().expect("a pair").to_owned();

    let get = |path: &str| Request::get(path).header(COOKIE, &cookie).body(Body::empty()).expect("a request");
    let post = |path: &str, form: String| {
        let request = Request::post(path).header(COOKIE, &cookie).header(ORIGIN, "http://127.0.0.1:8080");
        request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form))
            .expect("a request")
    };
    let page = world.ask(get("/ui/monitors/new")).await;
    page.says("Sign out");
    let csrf = page
        .html
        .split("name=csrf value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a token");
    let form = "target=https%3A%2F%2Fshop.test%2F";
    assert_eq!(world.ask(post("/ui/monitors/new", form.to_owned())).await.status, 403);
    assert_eq!(world.ask(post("/ui/monitors/new", format!("{form}&csrf={csrf}"))).await.status, 303);
    let left = world.ask(post("/ui/sign-out", format!("csrf={csrf}"))).await;
    assert_eq!(left.headers[LOCATION], "/ui/sign-in");
    assert_eq!(world.ask(get("/")).await.status, 303);
}
