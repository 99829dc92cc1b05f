//! Pictures of every page: light and dark, on a phone and on a wide screen, empty, alone, ten thousand, in trouble.

use crate::browser::Browser;
use crate::eventually::{PATIENCE, eventually};
use crate::installation::Installation;
use crate::node::Node;
use bw_testkit::server::{Answer, Target};
use std::fmt::Write;
use std::time::Duration;

/// Takes one page in both schemes, wide and on a phone. Nothing may be wider than the screen.
pub async fn pictures(browser: &Browser, name: &str, path: &str) {
    for (width, size) in [(1440, "wide"), (390, "phone")] {
        browser.resize(width, 900).await;
        for scheme in ["light", "dark"] {
            browser.scheme(scheme).await;
            browser.go(path).await;
            browser.picture(&format!("{name}-{size}-{scheme}")).await;
        }
        let overflow = browser.evaluate("return document.documentElement.scrollWidth - innerWidth").await;
        assert!(
            overflow.as_i64().is_some_and(|pixels| pixels <= 0),
            "{path} is {overflow} px wider than {width}"
        );
    }
}

#[tokio::test]
async fn empty() {
    let installation = Installation::new();
    let mut node = installation.start().await;
    let browser = Browser::on(&mut node).await;
    for (name, path) in [
        ("empty-overview", "/"),
        ("empty-incidents", "/ui/incidents"),
        ("empty-deliveries", "/ui/deliveries"),
        ("new-monitor", "/ui/monitors/new"),
        ("not-found", "/ui/nowhere"),
    ] {
        pictures(&browser, name, path).await;
    }
    browser.close_after(&["status of 404"]).await;
    node.stop().await;
}

#[tokio::test]
async fn one_monitor() {
    let target = Target::start().await;
    let text = format!("monitors:\n  - {{ name: Shop, http: '{}', every: 1s }}\n", target.url());
    let mut node = Installation::new().file(&text).start().await;
    node.until(1, "UP", PATIENCE).await;
    slots(&node, 1, 3).await;
    let browser = Browser::on(&mut node).await;
    pictures(&browser, "one-overview", "/").await;
    pictures(&browser, "one-monitor", "/ui/monitors/1").await;
    browser.close().await;
    node.stop().await;
}

#[tokio::test]
async fn trouble() {
    let target = Target::start().await;
    let sink = Target::start().await;
    let closed = "<html>\n<body>\n<h1>The shop is closed for a moment</h1>\n</body>\n</html>\n";
    target.set_path("/moved", Answer::redirect("/shop"));
    let mut node = Installation::new().file(&village(&target, &sink)).start().await;
    for id in [1, 3] {
        node.until(id, "UP", PATIENCE).await;
    }
    slots(&node, 1, 12).await;
    target.set_path("/shop", Answer::status(503).header("content-type", "text/html").body(closed));
    node.until(1, "DOWN", PATIENCE).await;
    eventually("the message", PATIENCE, async || match node.deliveries().await {
        told if told.iter().any(|one| one["state"] == "sent") => Ok(()),
        told => Err(format!("{told:?}")),
    })
    .await;
    let passing = serde_json::json!({"name": "Passing fancy", "http": target.at("/fancy")});
    let passing = node.create(&passing).await;
    let incident = node.incidents().await.last().and_then(|one| one["id"].as_i64()).expect("one is open");
    slots(&node, 1, 20).await;
    let browser = Browser::on(&mut node).await;
    for (name, path) in [
        ("trouble-overview", "/".to_owned()),
        ("trouble-groups", "/?group=team".to_owned()),
        ("trouble-monitor", "/ui/monitors/1?range=1h".to_owned()),
        ("trouble-incident", format!("/ui/incidents/{incident}")),
        ("trouble-incidents", "/ui/incidents".to_owned()),
        ("trouble-deliveries", "/ui/deliveries".to_owned()),
        ("system", "/ui/system".to_owned()),
        ("delete", format!("/ui/monitors/{passing}/delete")),
    ] {
        pictures(&browser, name, &path).await;
    }
    browser.resize(1440, 900).await;
    browser.scheme("light").await;
    browser.go("/ui/monitors/new").await;
    browser.fill("#f-target", &target.at("/moved")).await;
    browser.press("button[value=test]").await;
    browser.sees("The test saw").await;
    browser.picture("tested").await;
    browser.go("/ui/monitors/new").await;
    browser.fill("#f-target", "shop example").await;
    browser.press("#more summary").await;
    browser.fill("#f-every", "ten").await;
    browser.fill("#f-expect", "status == 200\nbody hopes \"x\"").await;
    browser.press("button[value=save]").await;
    browser.sees("is not a duration").await;
    browser.picture("mistakes").await;
    browser.close_after(&["status of 422"]).await;
    node.stop().await;
}

/// A dozen monitors that are well, ill, paused and lost.
fn village(target: &Target, sink: &Target) -> String {
    let at = |path: &str| target.at(path);
    let mut text = format!(
        "actions:\n  - {{ name: ops-slack, type: slack, url: '{}' }}\n  - {{ name: pager, type: webhook, url: 'http://127.0.0.1:9/' }}\n\
         defaults: {{ every: 1s, confirm: {{ after: 1s }} }}\nmonitors:\n",
        sink.url()
    );
    let monitors = [
        (
            "Shop",
            format!("http: '{}', expect: ['status == 200', 'latency < 800ms']", at("/moved")),
            "web",
            "gold",
        ),
        ("Checkout", "tcp: '127.0.0.1:9'".to_owned(), "payments", "gold"),
        ("Search", format!("http: '{}'", at("/search")), "web", "silver"),
        ("Accounts", format!("http: '{}'", at("/accounts")), "identity", "gold"),
        ("Mail relay", format!("tcp: '{}'", target.address()), "ops", "silver"),
        ("Image proxy", format!("http: '{}', enabled: false", at("/images")), "web", "bronze"),
        (
            "The documentation of the department with the very long name",
            format!("http: '{}'", at("/docs")),
            "docs",
            "bronze",
        ),
        ("Ledger", format!("http: '{}'", at("/ledger")), "payments", "gold"),
    ];
    for (name, probe, team, tier) in monitors {
        writeln!(text, "  - {{ name: '{name}', {probe}, labels: {{ team: {team}, tier: {tier} }} }}")
            .expect("it is a text");
    }
    text
}

#[tokio::test]
async fn ten_thousand() {
    let target = Target::start().await;
    let mut text = "defaults: { every: 10s }\nmonitors:\n".to_owned();
    for number in 0..10_000 {
        let team = ["web", "ops", "payments", "identity", "data"][number % 5];
        writeln!(
            text,
            "  - {{ name: Service {number:05}, tcp: '{}', labels: {{ team: {team} }} }}",
            target.address()
        )
        .expect("it is a text");
    }
    let mut node = Installation::new().file(&text).start().await;
    eventually("the first thousand are up", Duration::from_secs(60), async || {
        let up = node.metric("bellwether_monitors{health=\"UP\",mode=\"active\"}").await;
        if up >= 1_000.0 { Ok(()) } else { Err(up.to_string()) }
    })
    .await;
    let browser = Browser::on(&mut node).await;
    browser.go("/").await;
    browser.sees("of 10\u{202f}000 monitors").await;
    for (width, name) in [(1440, "many-wide"), (390, "many-phone")] {
        browser.resize(width, 900).await;
        browser.picture(name).await;
    }
    browser.go("/?limit=10000").await;
    eventually("every row is there", Duration::from_secs(60), async || {
        let rows = browser.evaluate("return document.querySelectorAll('.rows tbody tr').length").await;
        if rows == 10_000 { Ok(()) } else { Err(rows.to_string()) }
    })
    .await;
    browser.close().await;
    node.stop().await;
}

/// Waits until a monitor has so many outcomes.
async fn slots(node: &Node, id: i64, count: usize) {
    eventually("slots pass", Duration::from_secs(60), async || {
        let seen = node.items(format!("/api/v1/monitors/{id}/outcomes?limit=100")).await.len();
        if seen >= count { Ok(()) } else { Err(seen.to_string()) }
    })
    .await;
}
