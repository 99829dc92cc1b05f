//! Pages that keep themselves fresh: trouble appears without a touch, what the reader did stays, and a page that has
//! lost its server says so.

use crate::browser::Browser;
use crate::installation::Installation;
use bw_testkit::server::{Answer, Target};
use serde_json::json;
use std::time::Duration;

/// A refresh and what it waits for.
const SOON: Duration = Duration::from_secs(15);

#[tokio::test]
async fn trouble_appears_by_itself_and_leads_to_its_incident() {
    let target = Target::start().await;
    let installation = Installation::new();
    let mut node = installation.start().await;
    let shop = json!({"name": "Shop", "http": target.url(), "every": "1s", "confirm": {"after": "1s"}});
    node.create(&shop).await;
    let browser = Browser::on(&mut node).await;
    browser.go("/").await;
    browser.sees_within("The one monitor is up", SOON).await;
    browser.evaluate("window.kept = true; document.querySelector('input[type=search]').focus()").await;

    target.set(Answer::status(503).body("closed"));
    browser.sees_within("Shop has been down for", SOON).await;
    browser.sees("DOWN").await;
    let kept = browser.evaluate("return [window.kept, document.activeElement.type, document.title]").await;
    assert_eq!((&kept[0], &kept[1]), (&json!(true), &json!("search")), "the page was not loaded anew");
    assert!(kept[2].as_str().is_some_and(|title| title.starts_with("Shop has been down")), "{kept}");

    browser.press(".card").await;
    browser.sees("What happened").await;
    browser.sees("saw 503").await;
    browser.press("#f-text").await;
    browser.fill("#f-text", "on it").await;
    browser.press("form.note button").await;
    browser.sees("on it").await;
    browser.press("form[action$='/acknowledge'] button").await;
    browser.sees("Acknowledged").await;

    target.set(Answer::ok("open"));
    browser.sees_within("It is over: recovered", SOON).await;
    browser.close().await;
    node.stop().await;
}

#[tokio::test]
async fn a_page_without_its_server_turns_grey_and_recovers() {
    let installation = Installation::new();
    let mut node = installation.start().await;
    let browser = Browser::on(&mut node).await;
    browser.go("/ui/system").await;
    browser.sees("Bellwether is well").await;
    let address = node.ready_line().expect("it is ready").trim_start_matches("http://").to_owned();
    node.stop().await;
    browser.sees_within("No answer since", SOON).await;
    assert_eq!(browser.evaluate("return document.body.classList.contains('stale')").await, true);
    browser.picture("lost").await;

    let mut again = installation.flag("--listen", &address).start().await;
    crate::eventually::eventually("the page is fresh again", SOON, async || {
        let stale = browser.evaluate("return document.body.classList.contains('stale')").await;
        if stale == false { Ok(()) } else { Err(stale) }
    })
    .await;
    assert!(again.ready_line().is_some());
    browser
        .close_after(&["ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "ERR_SOCKET"])
        .await;
    again.stop().await;
}
