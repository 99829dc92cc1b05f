//! The overview: its first line, its filters in the address, and its weight.

use super::world::{World, failed};
use bw_domain::outcome::Code;
use serde_json::json;

#[tokio::test]
async fn an_empty_one_teaches() {
    let page = World::new().get("/").await;
    page.says("Nothing is watched yet");
    page.says("http: https://shop.example.com/");
    page.says("href=/ui/monitors/new");
}

#[tokio::test]
async fn trouble_comes_first_and_the_first_line_speaks_of_everything() {
    let world = World::new();
    let mail = world.declare(json!({"name": "Mail", "tcp": "mail.test:25", "labels": {"team": "ops"}})).await;
    let shop =
        world.declare(json!({"name": "Shop", "http": "https://shop.test/", "labels": {"team": "web"}})).await;
    world.slots(&mail, 2, |_, outcome| outcome).await;
    world.slots(&shop, 2, |_, outcome| failed(outcome, Code::CONNECT_REFUSED)).await;
    world.probe(&mail, |outcome| outcome).await;
    let page = world.get("/").await;
    page.says("Shop has been down for");
    page.says("1 of 2 up.");
    let place = |name: &str| page.html.find(&format!(">{name}</a>")).expect("it is listed");
    assert!(place("Shop") < place("Mail"), "trouble first");

    let page = world.get("/?label=team:ops").await;
    page.says("Shop has been down for");
    assert!(page.html.contains(">Mail</a>") && !page.html.contains(">Shop</a>"));
    page.says("Remove the filter team:ops");
    assert!(!world.get("/?q=SHOP").await.html.contains(">Mail</a>"));
    assert!(!world.get("/?state=up").await.html.contains(">Shop</a>"));
    world.get("/?q=nothing").await.says("No monitor matches.");
    let grouped = world.get("/?group=team").await;
    grouped.says("team:web <span class=quiet>0 of 1 up</span>");
    let sorted = world.get("/?sort=-name").await;
    sorted.says("aria-sort=descending");
}

#[tokio::test]
async fn a_hundred_rows_are_light_and_pages_follow_each_other() {
    let world = World::new();
    for number in 0..130 {
        let document = json!({
            "name": format!("Service number {number:05}"), "http": format!("https://service-{number}.test/health"),
            "labels": {"team": "payments", "tier": "gold"},
        });
        let spec = world.declare(document).await;
        let view = |index: u32| 20_000 + index * index % 977 * 40;
        world.seen(&spec, 60, |index| (index % 29 != 7).then(|| view(index))).await;
    }
    let page = world.get("/").await;
    assert_eq!(page.html.matches("<tr id=m").count(), 100);
    assert!(page.html.len() <= 60_000, "a hundred rows are {} bytes", page.html.len());
    page.says("100 of 130 monitors");
    let next = page
        .html
        .split("rel=next href=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a next page");
    let rest = world.get(&next.replace("&amp;", "&").replace("&#38;", "&")).await;
    assert_eq!(rest.html.matches("<tr id=m").count(), 30);
    assert_eq!(world.get("/?limit=10000").await.html.matches("<tr id=m").count(), 130);
}
