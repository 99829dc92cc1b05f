//! `import healthchecks` from servers that answer as Healthchecks' releases do, into a directory without a server.

use crate::harness::{Ended, Place, ended};
use bw_testkit::server::{Answer, Authority, Target};
use serde_json::{Value, json};
use std::path::Path;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const UUID: &str = "728b3763-ea80-4113-9fc0-f49b4adb226e";

/// A check as release 3 shows it to a read-write key.
fn check(uuid: &str, changes: Value) -> Value {
    let mut check = json!({
        "name": "Nightly", "slug": "nightly", "tags": "prod", "desc": "", "grace": 3600, "n_pings": 4, "status": "up",
        "started": false, "last_ping": "2026-01-01T00:00:00+00:00", "next_ping": "2026-01-02T00:00:00+00:00",
        "manual_resume": false, "methods": "", "subject": "", "subject_fail": "", "start_kw": "", "success_kw": "",
        "failure_kw": "", "filter_subject": false, "filter_body": false, "filter_http_body": false,
        "filter_default_fail": false, "badge_url": "https://hc.example.com/b/2/x.svg", "uuid": uuid,
        "ping_url": format!("https://hc.example.com/ping/{uuid}"), "channels": "", "timeout": 86400,
    });
    for (key, value) in changes.as_object().expect("an object") {
        check[key] = value.clone();
    }
    check
}

fn list(checks: &[Value]) -> Answer {
    Answer::ok(json!({ "checks": checks }).to_string()).header("content-type", "application/json")
}

async fn import(place: &Place, server: &Target, more: &[&str]) -> Ended {
    let url = server.at("");
    let mut command = place.command(&[&["import", "healthchecks", "--url", &url], more].concat());
    command.env("HEALTHCHECKS_API_KEY", KEY);
    ended(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project() {
    let (place, server) = (Place::new(), Target::start().await);
    let other = |n: u8| format!("00000000-0000-4000-8000-0000000000{n:02}");
    server.set(Answer::status(404));
    server.set_path(
        "/api/v3/checks/",
        list(&[
            check(UUID, json!({})),
            check(&other(1), json!({"name": "", "slug": "", "status": "paused", "timeout": 600})),
            check(&other(2), json!({"name": "Odd", "timeout": null, "schedule": "whenever", "tz": "UTC"})),
        ]),
    );
    let made = import(&place, &server, &[]).await;
    assert_eq!((made.status, made.err.as_str()), (1, ""), "one is refused: {made:?}");
    let lines: Vec<&str> = made.out.lines().collect();
    assert_eq!(lines[0], "+ Nightly: every 86400 s, grace 3600 s");
    assert_eq!(lines[1], "+ check 00000000…: every 600 s, grace 3600 s, paused");
    assert!(lines[2].starts_with("! Odd: `whenever` in UTC, grace 3600 s: "), "{}", lines[2]);
    assert_eq!(lines[3], "2 made, 0 were there, 1 refused");
    assert!(lines[4].contains("/ping/") && !made.out.contains(UUID), "{}", made.out);
    let asked = server.received();
    assert_eq!((asked[0].path.as_str(), asked[0].header("x-api-key")), ("/api/v3/checks/", Some(KEY)));
    assert_eq!(asked.len(), 1, "it is only read, once");

    // The address is the same, and a job that knows nothing of it reports here.
    let here = place.serve().await;
    let monitors = here.get("/api/v1/monitors").await;
    let items = monitors["items"].as_array().expect("a list");
    assert_eq!(items.len(), 2);
    assert_eq!((&items[0]["uuid"], &items[0]["state"]), (&json!(UUID), &json!("UNKNOWN")));
    assert_eq!(
        (&items[0]["heartbeat"]["rules"], &items[0]["heartbeat"]["tags"]),
        (&json!("healthchecks"), &json!("prod"))
    );
    assert_eq!(items[1]["state"], "PAUSED");
    let ping = here.ask("GET", &format!("/ping/{UUID}"), None).await;
    assert_eq!((ping.status, ping.text.as_str()), (200, "OK"));
    assert_eq!(here.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_the_first_release() {
    let (place, server) = (Place::new(), Target::start().await);
    server.set(Answer::status(404));
    let old = json!({
        "name": "Old", "tags": "", "timeout": 3600, "grace": 60, "n_pings": 0, "status": "new", "last_ping": null,
        "next_ping": null, "ping_url": format!("https://hc.example.com/ping/{UUID}"),
    });
    server.set_path("/api/v1/checks/", list(&[old]));
    let planned = import(&place, &server, &["--plan"]).await;
    assert_eq!(planned.status, 1, "a plan begins no database: {planned:?}");
    let made = import(&place, &server, &[]).await;
    assert_eq!(
        (made.status, made.out.lines().next()),
        (0, Some("+ Old: every 3600 s, grace 60 s")),
        "{made:?}"
    );
    let again = import(&place, &server, &["--plan"]).await;
    assert_eq!(
        (again.status, again.out.lines().next()),
        (0, Some("= Old: every 3600 s, grace 60 s")),
        "{again:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_one_behind_tls() {
    let (place, authority) = (Place::new(), Authority::new("test authority"));
    let server = Target::start_tls(&authority.leaf(&["127.0.0.1"])).await;
    let roots = authority.pem_file();
    let many: Vec<Value> = (0..200)
        .map(|n| check(&format!("00000000-0000-4000-8000-{n:012}"), json!({"name": format!("job {n}")})))
        .collect();
    server.set_path("/api/v3/checks/", list(&many));
    let import = async |roots: &Path| {
        let url = server.at("/api/v3");
        let mut command = place.command(&["import", "healthchecks", "--url", &url, "--key", KEY]);
        command.env("SSL_CERT_FILE", roots);
        ended(command).await
    };
    let stranger = Authority::new("somebody else").pem_file();
    let refused = import(stranger.path()).await;
    assert!(
        refused.status == 1 && refused.err.contains("cannot be asked"),
        "the key goes to nobody: {refused:?}"
    );
    assert!(server.received().is_empty() && !place.data().exists());
    let made = import(roots.path()).await;
    assert_eq!(made.status, 0, "{made:?}");
    assert!(made.out.contains("\n200 made, 0 were there, 0 refused\n"), "{}", made.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_project() {
    let place = Place::new();
    let read_only = json!({"name": "x", "unique_key": "a6c7b0a8a66bed0df66abfdab3c77736861703ee", "timeout": 60, "grace": 60});
    for (answer, says) in [
        (Answer::status(404), "no management interface of Healthchecks"),
        (Answer::status(401).body("{\"error\": \"wrong api key\"}"), "wrong api key"),
        (Answer::redirect("https://hc.example.com/"), "must be the address itself"),
        (Answer::ok("<html>"), "no list of checks"),
        (Answer::status(503), "answered 503"),
        (list(&[read_only]), "may only read"),
        (Answer::reset(), "cannot be asked"),
    ] {
        let server = Target::start().await;
        server.set(answer);
        let refused = import(&place, &server, &[]).await;
        assert_eq!((refused.status, refused.out.as_str()), (1, ""), "{says}: {refused:?}");
        assert!(refused.err.contains(says) && refused.err.lines().count() == 1, "{says}: {refused:?}");
        assert!(!refused.err.contains(KEY), "{refused:?}");
    }
    let mut keyless = place.command(&["import", "healthchecks", "--url", "http://127.0.0.1:9"]);
    keyless.env_remove("HEALTHCHECKS_API_KEY");
    let refused = ended(keyless).await;
    assert!(refused.status == 2 && refused.err.contains("HEALTHCHECKS_API_KEY"), "{refused:?}");
    let nowhere = place.run(&["import", "healthchecks", "--url", "hc.example.com", "--key", KEY]).await;
    assert!(nowhere.status == 2 && nowhere.err.starts_with("--url: "), "{nowhere:?}");
    assert!(!place.data().exists(), "nothing was begun");
}
