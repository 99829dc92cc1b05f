//! The first five minutes: add a monitor by the form, mend a mistake, test, edit, pause, delete; with scripts and
//! without, since nothing of it needs them.

use crate::browser::Browser;
use crate::installation::Installation;
use bw_testkit::server::{Answer, Target};

#[tokio::test]
async fn with_scripts() {
    first_five_minutes(true).await;
}

#[tokio::test]
async fn without_scripts() {
    first_five_minutes(false).await;
}

async fn first_five_minutes(scripts: bool) {
    let target = Target::start().await;
    let installation = Installation::new();
    let mut node = installation.start().await;
    let mut browser = Browser::on(&mut node).await;
    if !scripts {
        browser = browser.without_scripts().await;
    }
    browser.go("/").await;
    browser.sees("Nothing is watched yet").await;
    browser.press("main a.button").await;
    browser.sees("New monitor").await;

    // A mistake stands beside its field, and what was typed is kept.
    browser.fill("#f-target", "not a url").await;
    browser.fill("#f-name", "Shop").await;
    browser.press("#more summary").await;
    browser.fill("#f-every", "sometimes").await;
    browser.press("button[value=save]").await;
    browser.sees("`sometimes` is not a duration").await;
    assert_eq!(browser.evaluate("return document.querySelector('#f-name').value").await, "Shop");
    assert_eq!(browser.evaluate("return document.querySelector('#more').open").await, true);

    // Test now shows the real probe and keeps the form.
    browser.fill("#f-target", &target.url()).await;
    browser.fill("#f-every", "1s").await;
    browser.press("button[value=test]").await;
    browser.sees("The test saw").await;
    browser.sees("connect").await;
    assert_eq!(browser.evaluate("return document.querySelector('#f-every').value").await, "1s");

    browser.press("button[value=save]").await;
    browser.sees("Added. The first probe begins now.").await;
    browser.go("/ui/monitors/1").await;
    if !scripts {
        node.until(1, "UP", crate::eventually::PATIENCE).await;
        browser.go("/ui/monitors/1").await;
    }
    browser.sees("Shop has been up for").await;

    browser.press("form[action$='/probe'] button").await;
    browser.sees("Shop passed in").await;
    browser.go("/ui/monitors/1/edit").await;
    browser.fill("#f-name", "Store").await;
    browser.press("button[value=save]").await;
    browser.sees("Saved.").await;
    browser.sees("Store has been up for").await;

    browser.press("form[action$='/pause'] button").await;
    browser.sees("Store is paused").await;
    browser.press("form[action$='/resume'] button").await;
    browser.sees("Resumed.").await;
    browser.press("a[href$='/delete']").await;
    browser.sees("Delete Store?").await;
    browser.press("form[action$='/delete'] button").await;
    browser.sees("Nothing is watched yet").await;
    browser.close_after(&["status of 422"]).await;
    node.stop().await;
}

#[tokio::test]
async fn lists_are_sorted_filtered_and_paged_without_scripts() {
    let target = Target::start().await;
    target.set_path("/broken", Answer::status(503));
    let installation = Installation::new().file(&format!(
        "monitors:\n  - {{ name: Alpha, http: '{0}/', every: 1s, labels: {{ team: web }} }}\n  - {{ name: Beta, http: '{0}/broken', \
         every: 1s, confirm: {{ after: 1s }}, labels: {{ team: ops }} }}\n  - {{ name: Gamma, http: '{0}/', every: 1s }}\n",
        target.url().trim_end_matches('/')
    ));
    let mut node = installation.start().await;
    node.until(2, "DOWN", crate::eventually::PATIENCE).await;
    node.until(3, "UP", crate::eventually::PATIENCE).await;
    let browser = Browser::on(&mut node).await.without_scripts().await;
    let names = "return [...document.querySelectorAll('.rows td a')].map(a => a.textContent).join(' ')";
    browser.go("/").await;
    browser.sees("Beta has been down for").await;
    browser.shows(names, "Beta Alpha Gamma").await;
    browser.press(".rows thead th:nth-child(2) a").await;
    browser.shows(names, "Alpha Beta Gamma").await;
    browser.press(".rows thead th:nth-child(2) a").await;
    browser.shows(names, "Gamma Beta Alpha").await;
    browser.fill("input[type=search]", "web").await;
    browser.press("form.tools .apply").await;
    browser.shows(names, "Alpha").await;
    assert_eq!(browser.path().await, "/?q=web&group=&sort=-name");
    browser.go("/?state=up").await;
    browser.shows(names, "Alpha Gamma").await;
    browser.go("/?limit=2").await;
    browser.press("a[rel=next]").await;
    browser.shows(names, "Gamma").await;
    browser.close().await;
    node.stop().await;
}
