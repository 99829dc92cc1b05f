//! `config check|show|schema|default`, without a server.

use crate::harness::Place;
use serde_json::Value;

#[tokio::test]
async fn all_mistakes_at_once_and_none_of_them_begins_anything() {
    let place = Place::new();
    place.write_config("monitors:\n  - name: Shop\n    http: https://shop.example.com/\n    timout: 5s\n  - { name: x, tcp: nowhere }\nroutes: []\n");
    let checked = place.run(&["config", "check"]).await;
    assert_eq!((checked.status, checked.out.as_str()), (1, ""));
    assert_eq!(
        checked.err.lines().collect::<Vec<_>>(),
        [
            "bellwether.yaml:4:5: monitors[0].timout: unknown key; did you mean `timeout`?",
            "bellwether.yaml:6:1: routes: Rego routes come later; until then declared actions hear `incident.*`",
        ]
    );
    for words in [vec!["serve", "--listen", "127.0.0.1:0"], vec!["config", "show"], vec!["monitors", "list"]]
    {
        let refused = place.run(&words).await;
        assert_eq!((refused.status, &refused.err), (1, &checked.err), "{words:?}");
    }
    assert!(!place.data().exists());
}

#[tokio::test]
async fn a_good_file_and_none() {
    let place = Place::new();
    let none = place.run(&["config", "check"]).await;
    assert!(none.status == 0 && none.out.contains("there is no bellwether.yaml"), "{none:?}");
    place.write_config("");
    let empty = place.run(&["config", "check"]).await;
    assert_eq!((empty.status, empty.out.trim()), (0, "bellwether.yaml: good, 0 monitors, 0 actions"));
    let named = place.run(&["config", "check", "--config", "elsewhere.yaml"]).await;
    assert!(named.status == 1 && named.err.starts_with("elsewhere.yaml: cannot be read"), "{named:?}");
}

#[tokio::test]
async fn what_is_in_force_is_shown_without_secrets() {
    let place = Place::new();
    place.write_config(
        "log: json
outbound_heartbeat: { url: 'https://hc.example.com/${PING}' }
monitors:
  - { name: Shop, http: 'https://shop.example.com/', headers: { x-key: 'k-1234' }, webhook_url: 'https://hooks.example.com/w-1234' }
actions:
  - { name: ops, type: slack, url: '${SLACK_URL}' }
",
    );
    let mut command = place.command(&["config", "show"]);
    command
        .env("SLACK_URL", "https://hooks.example.com/s-1234")
        .env("PING", "p-1234")
        .env("BELLWETHER_LISTEN", "127.0.0.1:9999");
    let shown = crate::harness::ended(command).await;
    assert_eq!(shown.status, 0, "{shown:?}");
    assert!(!shown.out.contains("1234"), "{}", shown.out);
    for line in ["log: json", "- 127.0.0.1:9999", "  url: \"***\"", "name: Shop"] {
        assert!(shown.out.contains(line), "{line} in {}", shown.out);
    }
    let unset = place.run(&["config", "check"]).await;
    assert_eq!(unset.status, 1);
    assert!(
        unset.err.contains("bellwether.yaml:2:28: outbound_heartbeat.url: the variable PING is not set"),
        "{unset:?}"
    );
}

#[tokio::test]
async fn schema_default_and_reference() {
    let place = Place::new();
    let schema: Value =
        serde_json::from_str(&place.run(&["config", "schema"]).await.out).expect("a schema is JSON");
    assert!(schema["properties"]["monitors"]["items"]["properties"]["confirm"].is_object());
    let default = place.run(&["config", "default"]).await;
    place.write_config(&default.out);
    assert_eq!(place.run(&["config", "check"]).await.status, 0, "it can be saved as it is");
    let reference = place.run(&["config", "reference"]).await;
    for key in ["`self_test.anchors`", "`confirm.after`", "`outbound_heartbeat.every`", "`BELLWETHER_TOKEN`"]
    {
        assert!(reference.out.contains(key), "{key}");
    }
}
