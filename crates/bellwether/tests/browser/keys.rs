//! The keyboard alone: search, move, open, go, help.

use crate::browser::Browser;
use crate::eventually::{PATIENCE, eventually};
use crate::installation::Installation;
use serde_json::json;

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

#[tokio::test]
async fn everything_is_reached_by_keys() {
    let installation = Installation::new();
    let mut node = installation.start().await;
    for name in ["Alpha", "Beta", "Gamma"] {
        node.create(&json!({"name": name, "tcp": "127.0.0.1:9", "enabled": false})).await;
    }
    let browser = Browser::on(&mut node).await;
    let focused = "return document.activeElement.textContent.trim()";
    browser.go("/").await;
    // Down and up again: the first monitor, whether or not the scripts were there for an earlier try.
    eventually("the first monitor takes the focus", PATIENCE, async || {
        browser.keys("jk").await;
        match browser.evaluate(focused).await {
            focused if focused == "Alpha" => Ok(()),
            focused => Err(focused),
        }
    })
    .await;
    let outlined = "return getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.evaluate(outlined).await, "solid", "the focus is seen");
    browser.keys("jjk").await;
    assert_eq!(browser.evaluate(focused).await, "Beta");
    browser.keys(ENTER).await;
    browser.sees("Beta is paused").await;
    browser.keys("gi").await;
    browser.sees("No incident is open").await;
    browser.keys("go").await;
    browser.sees("3 monitors").await;

    browser.keys("?").await;
    browser.sees("previous monitor").await;
    browser.keys(ESCAPE).await;
    browser.keys("/").await;
    browser.keys("gam").await;
    let left = "return [...document.querySelectorAll('.rows td a')].map(a => a.textContent).join(' ')";
    eventually("the filter answers while one types", PATIENCE, async || match browser.evaluate(left).await {
        left if left == "Gamma" => Ok(()),
        left => Err(left),
    })
    .await;
    assert_eq!(browser.path().await, "/?q=gam", "the filter stands in the address");
    browser.keys(ESCAPE).await;
    browser.keys("n").await;
    browser.sees("What to watch").await;
    browser.close().await;
    node.stop().await;
}
