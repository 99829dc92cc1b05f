//! `monitors`, `incidents` and `tokens`: against a server, and on the directory of none.

use crate::harness::{Ended, Place, Running, ended};
use bw_testkit::server::Target;
use serde_json::{Value, json};

/// Runs a command against a server.
async fn at(place: &Place, server: &Running, words: &[&str]) -> Ended {
    let mut command = place.command(words);
    command.env("BELLWETHER_URL", &server.url);
    ended(command).await
}

async fn good(place: &Place, server: &Running, words: &[&str]) -> String {
    let ended = at(place, server, words).await;
    assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{words:?}");
    ended.out
}

#[tokio::test(flavor = "multi_thread")]
async fn monitors_and_incidents() {
    let (place, target) = (Place::new(), Target::start().await);
    let server = place.serve().await;
    let gone = format!("127.0.0.1:{}", { Target::start().await.port() });
    server.post("/api/v1/monitors", json!({"name": "Shop", "http": target.at("/"), "every": "1s"})).await;
    server
        .post("/api/v1/monitors", json!({"name": "Gone", "tcp": gone, "every": "1s", "timeout": "200ms"}))
        .await;
    server.sees("DOWN", "/api/v1/monitors/2", |monitor| (monitor["state"] == "DOWN").then_some(())).await;
    server.sees("UP", "/api/v1/monitors/1", |monitor| (monitor["state"] == "UP").then_some(())).await;

    let list = good(&place, &server, &["monitors", "list"]).await;
    let rows: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["ID", "STATE", "SINCE", "NAME", "TARGET"]);
    assert_eq!((rows[1][0], rows[1][1], rows[1][3]), ("1", "UP", "Shop"), "{list}");
    assert_eq!((rows[2][1], rows[2][4]), ("DOWN", gone.as_str()), "{list}");
    let json: Value =
        serde_json::from_str(&good(&place, &server, &["monitors", "list", "--json"]).await).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(2));
    assert!(good(&place, &server, &["monitors", "show", "2"]).await.contains("state: DOWN\n"));
    assert_eq!(good(&place, &server, &["monitors", "pause", "1"]).await.trim(), "monitor 1 (Shop) is paused");
    assert_eq!(server.get("/api/v1/monitors/1").await["state"], "PAUSED");
    assert_eq!(
        good(&place, &server, &["monitors", "resume", "1"]).await.trim(),
        "monitor 1 (Shop) is watched again"
    );

    let incidents = good(&place, &server, &["incidents", "list", "--open"]).await;
    assert!(incidents.contains(" open ") && incidents.contains(" Gone "), "{incidents}");
    let id = incidents.lines().nth(1).and_then(|row| row.split(' ').next()).expect("an id").to_owned();
    assert!(good(&place, &server, &["incidents", "ack", &id]).await.contains("is acknowledged"));
    assert!(good(&place, &server, &["incidents", "list"]).await.contains(" acknowledged "));
    assert!(good(&place, &server, &["incidents", "show", &id]).await.contains("timeline:"));

    for words in [["monitors", "show", "99"], ["monitors", "pause", "99"], ["incidents", "ack", "99"]] {
        let missing = at(&place, &server, &words).await;
        assert_eq!((missing.status, missing.err.lines().count()), (1, 1), "{words:?}: {missing:?}");
    }
    assert_eq!(server.stop().await.code(), Some(0));

    let offline = place.run(&["monitors", "list"]).await;
    assert!(offline.status == 0 && offline.out.contains("Shop"), "{offline:?}");
    assert_eq!(place.run(&["monitors", "pause", "2"]).await.status, 0);
    let server = place.serve().await;
    assert_eq!(
        server.get("/api/v1/monitors/2").await["state"],
        "PAUSED",
        "what was done without a server counts"
    );
    assert_eq!(server.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens() {
    let place = Place::new();
    let made = place.run(&["tokens", "create", "robot"]).await;
    let token = made.out.trim().to_owned();
    assert!(made.status == 0 && token.starts_with("bw_") && made.out.lines().count() == 1, "{made:?}");
    let read = place.run(&["tokens", "create", "reader", "--read"]).await.out.trim().to_owned();

    // With a token in the store it may listen beyond loopback, and asks everybody.
    let server = Running::start(place.command(&["serve", "--listen", "0.0.0.0:0"])).await;
    let refused = at(&place, &server, &["tokens", "list"]).await;
    assert!(refused.status == 1 && refused.err.contains("BELLWETHER_TOKEN"), "{refused:?}");
    let with = |token: &str, words: &[&str]| {
        let mut command = place.command(words);
        command.env("BELLWETHER_URL", &server.url).env("BELLWETHER_TOKEN", token);
        ended(command)
    };
    let list = with(&token, &["tokens", "list"]).await;
    assert!(list.status == 0 && list.out.contains("robot") && list.out.contains("reader"), "{list:?}");
    assert!(!list.out.contains(&token), "a token is shown once");
    let denied = with(&read, &["tokens", "create", "more"]).await;
    assert!(denied.status == 1 && denied.err.contains("scope"), "{denied:?}");
    assert_eq!(with(&token, &["tokens", "revoke", "2"]).await.status, 0);
    assert_eq!(with(&read, &["tokens", "list"]).await.status, 1, "a revoked token is none");
    assert_eq!(with(&token, &["tokens", "revoke", "99"]).await.status, 1);
    assert_eq!(with(&token, &["tokens", "create", " "]).await.status, 1);
    assert_eq!(server.stop().await.code(), Some(0));
}

#[tokio::test]
async fn where_there_is_nothing_nothing_is_begun() {
    let place = Place::new();
    for words in
        [vec!["monitors", "list"], vec!["incidents", "list"], vec!["tokens", "list"], vec!["db", "check"]]
    {
        let refused = place.run(&words).await;
        assert_eq!((refused.status, refused.err.lines().count()), (1, 1), "{words:?}: {refused:?}");
        assert!(
            refused.err.contains("there is no database below") && refused.err.contains("--data"),
            "{refused:?}"
        );
    }
    assert!(!place.data().exists());
    let mut command = place.command(&["monitors", "list"]);
    command.env("BELLWETHER_URL", "http://127.0.0.1:9");
    let away = ended(command).await;
    assert!(
        away.status == 1 && away.err.contains("the server at http://127.0.0.1:9 cannot be asked"),
        "{away:?}"
    );
}
