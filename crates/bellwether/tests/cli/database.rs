//! `db check|backup|restore`.

use crate::harness::Place;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn from_a_backup_everything_is_there_again() {
    let place = Place::new();
    let server = place.serve().await;
    server.post("/api/v1/monitors", json!({"name": "Shop", "tcp": "127.0.0.1:1", "every": "1h"})).await;
    let checked = place.run(&["db", "check"]).await;
    assert!(
        checked.status == 0 && checked.out.contains("whole"),
        "a running one can be checked: {checked:?}"
    );
    let saved = place.run(&["db", "backup", "saved.db"]).await;
    assert!(saved.status == 0 && saved.out.contains("secret.key"), "{saved:?}");
    let twice = place.run(&["db", "backup", "saved.db"]).await;
    assert!(twice.status == 1 && twice.err.contains("saved.db is there already"), "{twice:?}");
    let held = place.run(&["db", "restore", "saved.db"]).await;
    assert!(
        held.status == 1 && held.err.contains("in use by process"),
        "not under a running server: {held:?}"
    );
    assert_eq!(server.stop().await.code(), Some(0));
    let over = place.run(&["db", "restore", "saved.db"]).await;
    assert!(over.status == 0 && over.out.contains("what was there is kept as"), "{over:?}");

    let kept = std::fs::read(place.data().join("secret.key")).expect("the key");
    std::fs::remove_dir_all(place.data()).expect("it can be lost");
    let restored = place.run(&["db", "restore", "saved.db"]).await;
    assert!(restored.status == 0 && restored.out.contains("secret.key"), "{restored:?}");
    std::fs::write(place.data().join("secret.key"), kept).expect("the key is put back");
    let server = place.serve().await;
    assert_eq!(server.get("/api/v1/monitors/1").await["name"], "Shop");
    assert_eq!(server.stop().await.code(), Some(0));

    let nonsense = place.run(&["db", "restore", "nowhere.db", "--data", "other"]).await;
    assert_eq!((nonsense.status, nonsense.err.lines().count()), (1, 1), "{nonsense:?}");
}
