//! What flags, environment and the file decide about `serve`.

use crate::harness::{PATIENCE, Place, Running, ended, eventually};
use bw_testkit::server::Target;
use serde_json::{Value, json};
use std::os::unix::net::UnixDatagram;

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_named() {
    let (place, target) = (Place::new(), Target::start().await);
    let address = target.address().to_string();
    let refused = place.run(&["--listen", &address]).await;
    assert_eq!((refused.status, refused.err.lines().count()), (1, 1), "{refused:?}");
    assert!(refused.err.contains(&address) && refused.err.contains("--listen"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_and_machines_hear_that_it_is_ready() {
    let place = Place::new();
    let path = place.dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    let mut command = place.command(&["--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &path).env("BELLWETHER_LOG", "json");
    let server = Running::start(command).await;
    let line = server.lines().into_iter().find(|line| line.contains("\"ready\"")).expect("the line");
    let line: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(line, json!({"event": "ready", "url": server.url}));
    let mut word = [0; 32];
    let length = socket.recv(&mut word).expect("a word");
    assert_eq!(&word[..length], b"READY=1");
    assert_eq!(server.ask("GET", "/-/ready", None).await.status, 200);
    assert_eq!(server.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_cannot_be_are_refused() {
    let place = Place::new();
    for (name, value) in [
        ("DATABASE_URL", "mysql://me:s3cret@db.example.com/x"),
        ("FAIL_THRESHOLD", "none"),
        ("BELLWETHER_LISTEN", "everywhere"),
        ("BELLWETHER_LOG", "xml"),
        ("BELLWETHER_AUTH", "maybe"),
        ("BELLWETHER_SECRET_KEY", "short"),
        ("BELLWETHER_CONFIG", "nowhere.yaml"),
    ] {
        let mut command = place.command(&["serve"]);
        command.env(name, value);
        let refused = ended(command).await;
        assert_eq!((refused.status, refused.err.lines().count()), (1, 1), "{name}: {refused:?}");
        assert!(!refused.err.contains("s3cret"), "{refused:?}");
    }
    let mut command = place.command(&["serve"]);
    command.env("NATS_URL", "nats://127.0.0.1:1").env("SQS_QUEUE_URL", "https://sqs.example.com/x");
    let refused = ended(command).await;
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(refused.err.contains("are both set"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_not_made_anew() {
    let place = Place::new();
    assert_eq!(place.serve().await.stop().await.code(), Some(0));
    let file = place.data().join("secret.key");
    std::fs::remove_file(&file).expect("it can be lost");
    let lost = place.run(&["serve", "--listen", "127.0.0.1:0"]).await;
    assert_eq!((lost.status, lost.err.lines().count()), (1, 1), "{lost:?}");
    assert!(lost.err.contains("secret.key is missing") && !file.exists(), "{lost:?}");
}

const SHOP: &str = "monitors: [{ name: Shop, tcp: '127.0.0.1:1', every: 1h }]\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_over_once_by_hand_and_when_it_changes() {
    let place = Place::new();
    place.write_config(SHOP);
    let server = place.serve().await;
    server.says("applied: 1 new").await;
    let loaded = |system: &Value| system["config"]["loaded_at"].as_str().map(str::to_owned);
    let before = loaded(&server.get("/api/v1/system").await);
    server.signal("-HUP");
    server.sees("a later look", "/api/v1/system", |system| (loaded(system) != before).then_some(())).await;
    place.write_config(&format!("log: json\n{SHOP}"));
    server.says("these settings count after a restart: log").await;
    assert_eq!(server.get("/api/v1/monitors/1").await["revision"], 1, "it was not edited by any of this");
    assert_eq!(server.stop().await.code(), Some(0));

    place.write_config(SHOP);
    let server = place.serve().await;
    assert_eq!(server.stop().await.code(), Some(0));
    let server = place.serve().await;
    assert!(!server.lines().iter().any(|line| line.contains("applied:")), "the store has this file already");
    assert_eq!(server.stop().await.code(), Some(0));

    // In a directory without the file, what the file declared stays.
    std::fs::remove_file(place.config()).expect("it can be away");
    let server = place.serve().await;
    assert_eq!(server.get("/api/v1/monitors/1").await["name"], "Shop");
    assert_eq!(server.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_hears_that_it_lives() {
    let (place, receiver) = (Place::new(), Target::start().await);
    let config = |path: &str| format!("outbound_heartbeat: {{ url: '{}', every: 1s }}\n", receiver.at(path));
    place.write_config(&config("/first"));
    let server = place.serve().await;
    let signs = receiver.wait_for(2).await;
    assert!(signs.iter().all(|sign| sign.method == "GET" && sign.path == "/first"), "{signs:?}");
    place.write_config(&config("/second"));
    eventually(PATIENCE, "a sign at the new address", async || {
        receiver.received().iter().any(|sign| sign.path == "/second").then_some(())
    })
    .await;
    let told = server.lines().join("\n");
    assert!(!told.contains("/first") && !told.contains("/second"), "the address is a secret: {told}");
    assert_eq!(server.stop().await.code(), Some(0));
}
