//! `import heartbeat`: the original's table becomes heartbeats of ours, once.

use crate::harness::Place;
use serde_json::{Value, json};

fn row(host: &str, threshold: &str, saturday: &str) -> Value {
    json!({
        "_id": {"S": "0a"}, "host": {"S": host}, "category": {"S": "backup"}, "typeF": {"S": "nightly"},
        "nameF": {"S": "db & more"}, "thresholdF": {"S": threshold}, "saturday": {"S": saturday},
        "timestampF": {"S": "2026-11-20T18:00:00.000Z"},
    })
}

fn export(place: &Place, rows: &[Value]) {
    let scan =
        json!({"Items": rows, "Count": rows.len(), "ScannedCount": rows.len(), "ConsumedCapacity": null});
    std::fs::write(place.dir.path().join("table.json"), scan.to_string()).expect("it is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_the_heartbeat_service() {
    let place = Place::new();
    let server = place.serve().await;
    let import = async |words: &[&str]| {
        let mut command = place.command(&[&["import", "heartbeat", "table.json"], words].concat());
        command.env("BELLWETHER_URL", &server.url);
        crate::harness::ended(command).await
    };
    export(
        &place,
        &[row("web1", "24", "0"), row("web2", "1.5", "1"), row("web1", "24", "0"), row("web3", "", "0")],
    );
    let lines = "\
        + web1 / backup / nightly / db & more: 1d of weekdays, last pulse 2026-11-20T18:00:00.000Z\n\
        + web2 / backup / nightly / db & more: 90m of weekdays+saturday, last pulse 2026-11-20T18:00:00.000Z\n\
        ! web1 / backup / nightly / db & more: it stands twice in the file\n\
        ! web3 / backup / nightly / db & more: its threshold `` is no number of hours from more than 0 to 8760\n";
    let planned = import(&["--plan"]).await;
    assert_eq!(planned.status, 1, "{planned:?}");
    assert!(planned.out.starts_with(lines), "{}", planned.out);
    assert!(planned.out.contains("2 would be made, 0 were there, 2 refused\n"), "{}", planned.out);
    assert_eq!(server.get("/api/v1/monitors").await["items"], json!([]));

    let made = import(&[]).await;
    assert_eq!((made.status, made.err.as_str()), (1, ""), "{made:?}");
    assert!(made.out.starts_with(lines), "{}", made.out);
    assert!(made.out.contains("2 made, 0 were there, 2 refused\nThe times of last pulses are not imported"));
    let monitors = server.get("/api/v1/monitors").await;
    let heartbeats: Vec<&Value> =
        monitors["items"].as_array().expect("a list").iter().map(|item| &item["heartbeat"]).collect();
    let pulse = json!({"host": "web2", "category": "backup", "type": "nightly", "name": "db & more"});
    assert_eq!(heartbeats.len(), 2);
    assert_eq!(heartbeats[1]["pulse"], pulse);
    assert_eq!(
        (&heartbeats[1]["every"], &heartbeats[1]["count"]),
        (&json!("90m"), &json!("weekdays+saturday"))
    );

    // Its clients find it, and no second one is made for them.
    let reply = server
        .ask("GET", "/heartbeat/pulse?host=web2&category=backup&type=nightly&name=db%20%26%20more", None)
        .await;
    assert_eq!((reply.status, reply.text.as_str()), (200, "Successful Heartbeat Pulse"));
    export(&place, &[row("web1", "24", "0"), row("web2", "48", "1")]);
    let again = import(&[]).await;
    assert_eq!((again.status, again.err.as_str()), (0, ""), "{again:?}");
    let there = "= web2 / backup / nightly / db & more: 2d of weekdays+saturday, last pulse 2026-11-20T18:00:00.000Z; \
                 it is here with 90m of weekdays+saturday and stays so\n0 made, 2 were there, 0 refused";
    assert!(again.out.trim_end().ends_with(there), "{}", again.out);
    assert_eq!(server.get("/api/v1/monitors").await["items"].as_array().map(Vec::len), Some(2));

    std::fs::write(place.dir.path().join("table.json"), "{\"Items\": [").expect("it is written");
    let broken = import(&[]).await;
    assert_eq!((broken.status, broken.err.lines().count()), (1, 1), "{broken:?}");
    assert_eq!(server.stop().await.code(), Some(0));
}
