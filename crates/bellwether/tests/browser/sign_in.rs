//! Signing in with the password, going on to where one wanted to go, and out again.

use crate::browser::Browser;
use crate::installation::Installation;

#[tokio::test]
async fn the_password_opens_the_pages() {
    let installation = Installation::new().variable("BELLWETHER_ADMIN_PASSWORD", "open sesame");
    let mut node = installation.start().await;
    let browser = Browser::on(&mut node).await;
    browser.go("/ui/system").await;
    browser.sees("With the password of this installation").await;
    browser.picture("sign-in").await;
    browser.fill("#f-password", "guess").await;
    browser.press("button.main").await;
    browser.sees("That is not the password.").await;
    browser.fill("#f-password", "open sesame").await;
    browser.press("button.main").await;
    browser.sees("Bellwether is well").await;
    assert_eq!(browser.path().await, "/ui/system");

    // Forms of the session are taken.
    browser.go("/ui/monitors/new").await;
    browser.fill("#f-target", "127.0.0.1:9").await;
    browser.evaluate("document.querySelector('select[name=kind]').value = 'tcp'").await;
    browser.press("button[value=save]").await;
    browser.sees("Added.").await;
    browser.press(".bar form button").await;
    browser.sees("Sign in").await;
    browser.go("/").await;
    assert_eq!(browser.path().await, "/ui/sign-in?next=/");
    browser.close_after(&["status of 403"]).await;
    node.stop().await;
}
