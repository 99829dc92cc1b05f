//! The table: what is overdue by the documented rule, in which order, and how it is read.

use super::*;
use bw_domain::beat::{Counted, Counting};
use bw_domain::time::{Duration, Zone};
use http::StatusCode;

/// The vectors of the original (contracts 1.1.4), a week later: last pulse, now, Saturdays, counted hours, overdue.
const VECTORS: [(&str, &str, bool, f64, bool); 14] = [
    ("2026-11-27T18:00:00Z", "2026-11-28T10:00:00Z", false, 6.0, false),
    ("2026-11-27T18:00:00Z", "2026-11-29T10:00:00Z", false, 6.0, false),
    ("2026-11-27T18:00:00Z", "2026-11-30T10:00:00Z", false, 16.0, false),
    ("2026-11-27T18:00:00Z", "2026-11-30T17:59:00Z", false, 23.98, false),
    ("2026-11-27T18:00:00Z", "2026-11-30T18:01:00Z", false, 24.02, true),
    ("2026-11-27T18:00:00Z", "2026-11-28T10:00:00Z", true, 16.0, false),
    ("2026-11-27T18:00:00Z", "2026-11-29T10:00:00Z", true, 30.0, true),
    ("2026-11-27T18:00:00Z", "2026-11-30T10:00:00Z", true, 40.0, true),
    ("2026-11-28T12:00:00Z", "2026-11-30T10:00:00Z", false, 10.0, false),
    ("2026-11-28T12:00:00Z", "2026-11-30T13:00:00Z", false, 13.0, false),
    ("2026-11-29T12:00:00Z", "2026-11-30T10:00:00Z", false, 10.0, false),
    ("2026-11-25T09:00:00Z", "2026-11-26T08:59:00Z", false, 23.98, false),
    ("2026-11-25T09:00:00Z", "2026-11-26T09:01:00Z", false, 24.02, true),
    ("2026-11-27T18:00:00Z", "2026-12-07T18:00:00Z", false, 144.0, true),
];

#[tokio::test]
async fn overdue_is_what_the_documentation_of_the_original_said() {
    for (last, now, saturday, hours, overdue) in VECTORS {
        let case = format!("{last} {now} {saturday}");
        let (last, now) = (at(last), at(now));
        let counted = if saturday { Counted::WeekdaysAndSaturday } else { Counted::Weekdays };
        let elapsed = Counting::new(counted, Zone::UTC, []).elapsed(last, now);
        assert!((elapsed.as_secs_f64() / 3_600.0 - hours).abs() < 0.01, "{case}: {elapsed:?}");

        let world = World::new().await;
        let id = world.declare(["web1", "backup", "nightly", "db"], "24h", saturday).await;
        world.until(last);
        world.pulse(id).await;
        world.until(now);
        let page = world.get(&format!("/heartbeat/dashboard?secret={ENCODED}")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.text().contains("class=table-danger"), overdue, "{case}: {}", page.text());
        let headline = if overdue { "1 of 1 heartbeat is overdue" } else { "The heartbeat is not overdue" };
        assert!(page.text().contains(headline), "{case}: {}", page.text());
        let delta = format!("{}", hours.round() - 24.0);
        assert!(page.text().contains(&format!("{delta} overdue")) == overdue, "{case}");
        assert!(page.text().contains(&format!(" / {}h</time>", hours.round())), "{case}: {}", page.text());
    }
}

#[tokio::test]
async fn overdue_is_strictly_more_than_the_threshold() {
    let world = World::new().await;
    let id = world.declare(["web1", "backup", "nightly", "db"], "90m", false).await;
    world.until(at("2026-11-25T09:00:00Z"));
    world.pulse(id).await;
    world.until(at("2026-11-25T10:30:00Z"));
    let page = world.get("/heartbeat/dashboard").await;
    assert!(!page.text().contains("table-danger"));
    assert!(page.text().contains("1.5h / 0"), "{}", page.text());
    world.until(at("2026-11-25T10:30:00.001Z"));
    assert!(world.get("/heartbeat/dashboard").await.text().contains("table-danger"));
}

#[tokio::test]
async fn the_page_is_that_of_the_original() {
    let world = World::new().await;
    let empty = world.get("/heartbeat/dashboard").await;
    assert!(empty.text().contains("No heartbeat is known yet"), "{}", empty.text());
    assert!(empty.text().contains("https://beats.example.com/heartbeat/pulse?"));
    let id = world.declare(["<b>web1</b>", "backup", "nightly", "db"], "24h", true).await;
    world.declare(["web2", "backup", "nightly", "new"], "24h", true).await;
    world.until(at("2026-11-25T09:05:07Z"));
    world.pulse(id).await;
    let page = world.get(&format!("/v1/heartbeat/dashboard/?secret={ENCODED}")).await;
    let html = page.text();
    for part in [
        "<meta http-equiv=refresh content=120>",
        "id=myTable",
        ">Host</a>",
        ">Category</a>",
        ">Type</a>",
        ">Name</a>",
        ">Timestamp/Diff</a>",
        ">Delta(h)</a>",
        ">Settings</a>",
        "25.11.2026, 09:05:07 / 0h",
        "&#60;b&#62;web1",
        "24h / 1",
        "<form action=\"/v1/heartbeat/edit\" method=get>",
        "<input type=hidden name=secret value=\"s3cret &#38; more\">",
        "no pulse yet",
        "1 never pulsed",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(html.contains(&format!("<input type=hidden name=id value={}>", world.uuid(id))));
    assert!(!html.contains("<b>web1") && !html.contains(" style=") && !html.contains("onclick"));
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    // Who came otherwise finds the secret nowhere.
    let page = world.get("/heartbeat/dashboard").await;
    assert!(!page.text().contains("s3cret") && !page.text().contains("name=secret"));
}

#[tokio::test]
async fn rows_are_ordered_searched_and_paged_without_scripts() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for number in 0..205 {
        let name = format!("job{number:03}");
        ids.push(world.declare([&format!("web{}", number % 3), "c", "t", &name], "24h", false).await);
    }
    world.until(at("2026-11-25T00:00:00Z"));
    for id in &ids[..204] {
        world.pulse(*id).await;
        world.house.clock.advance(Duration::from_secs(60));
    }
    world.until(at("2026-11-26T01:30:30Z"));
    let names = |reply: &Reply| -> Vec<String> {
        let rows = reply.text().split("<tr id=p").skip(1);
        rows.map(|row| row.split("<td>").nth(4).expect("a name").to_owned()).collect()
    };
    let first = world.get("/heartbeat/dashboard").await;
    assert!(first.text().contains("91 of 205 heartbeats are overdue"), "{}", &first.text()[..3000]);
    assert!(first.text().contains("1 to 100 of 205 heartbeats"));
    let seen = names(&first);
    assert_eq!((seen.len(), seen[0].as_str(), seen[99].as_str()), (100, "job000", "job099"));
    assert_eq!(first.text().matches("class=table-danger").count(), 91);
    let last = world.get("/heartbeat/dashboard?page=3").await;
    assert_eq!(names(&last).last().map(String::as_str), Some("job204"), "it never pulsed");
    assert_eq!(names(&world.get("/heartbeat/dashboard?page=99").await).len(), 5);
    let by_name = world.get("/heartbeat/dashboard?sort=name&dir=desc").await;
    assert_eq!(names(&by_name)[0], "job204");
    assert!(by_name.text().contains("aria-sort=descending"));
    let found = world.get("/heartbeat/dashboard?q=JOB01&sort=name").await;
    assert_eq!(names(&found).len(), 10);
    assert!(found.text().contains("91 of 205 heartbeats are overdue"), "the first line is about all");
    let host = names(&world.get("/heartbeat/dashboard?sort=host&dir=asc").await);
    assert_eq!((host[0].as_str(), host[1].as_str()), ("job000", "job003"));
    // Every link leads somewhere, with the secret where it came so.
    let page = world.get(&format!("/heartbeat/dashboard?secret={ENCODED}&q=web&page=2")).await;
    let links: Vec<&str> = page.text().split("href=\"/heartbeat/").skip(1).collect();
    assert!(links.len() >= 9);
    for link in links {
        let link = link.split('"').next().expect("a link").replace("&#38;", "&");
        assert!(link.contains(&format!("secret={ENCODED}")), "{link}");
        assert_eq!(world.get(&format!("/heartbeat/{link}")).await.status, StatusCode::OK, "{link}");
    }
}
