//! `apply`: with a server and without one, the same answer and the same effect.

use crate::harness::{Ended, Place};

const FILE: &str = "monitors:
  - { name: Shop, tcp: '127.0.0.1:1', every: 1h }
  - { name: Mail, tcp: '127.0.0.1:2', every: 1h }
actions:
  - { name: ops, type: log }
";

async fn apply(place: &Place, url: Option<&str>, words: &[&str]) -> Ended {
    let mut command = place.command(&[&["apply", "team.yaml"], words].concat());
    if let Some(url) = url {
        command.env("BELLWETHER_URL", url);
    }
    crate::harness::ended(command).await
}

fn write(place: &Place, text: &str) {
    std::fs::write(place.dir.path().join("team.yaml"), text).expect("the file is written");
}

/// The walk that is the same everywhere.
async fn walk(place: &Place, url: Option<&str>) {
    write(place, FILE);
    let planned = apply(place, url, &["--plan"]).await;
    assert_eq!(planned.status, 0, "{planned:?}");
    assert_eq!(
        planned.out.lines().collect::<Vec<_>>(),
        [
            "+ monitor Shop",
            "+ monitor Mail",
            "+ action ops",
            "would be 3 new, 0 changed, 0 deleted, 0 unchanged"
        ]
    );
    let applied = apply(place, url, &[]).await;
    assert_eq!(
        (applied.status, applied.out.lines().last()),
        (0, Some("applied: 3 new, 0 changed, 0 deleted, 0 unchanged")),
        "{applied:?}"
    );
    let again = apply(place, url, &[]).await;
    assert_eq!(again.out.trim(), "applied: 0 new, 0 changed, 0 deleted, 3 unchanged");

    write(place, &FILE.replace("every: 1h }\n  - { name: Mail", "every: 2h }\n  - { name: Post"));
    let renamed = apply(place, url, &["--plan"]).await.out;
    assert!(renamed.contains("~ monitor Shop: every\n") && renamed.contains("- monitor Mail\n"), "{renamed}");
    assert!(renamed.contains("\n! `Mail` is deleted and `Post` created"), "{renamed}");

    write(
        place,
        &FILE.replace("tcp: '127.0.0.1:2', every: 1h", "tcp: '127.0.0.1:2', every: 1s, timeout: 2s"),
    );
    let refused = apply(place, url, &[]).await;
    assert_eq!((refused.status, refused.out.as_str()), (1, ""), "{refused:?}");
    assert!(
        refused.err.starts_with("team.yaml:3:50: monitors[1].timeout: the timeout (2s) must not be longer")
            && refused.err.lines().count() == 1,
        "{refused:?}"
    );

    write(place, "monitors: []\n");
    let other = apply(place, url, &["--owner", "somebody"]).await;
    assert_eq!(other.out.trim(), "applied: 0 new, 0 changed, 0 deleted, 0 unchanged", "others keep theirs");
    let gone = apply(place, url, &[]).await;
    assert_eq!(
        gone.out.lines().last(),
        Some("applied: 0 new, 0 changed, 3 deleted, 0 unchanged"),
        "{gone:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server() {
    walk(&Place::new(), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_server() {
    let place = Place::new();
    let server = place.serve().await;
    let url = server.url.clone();
    walk(&place, Some(&url)).await;
    let unnamed = apply(&place, None, &[]).await;
    assert_eq!(unnamed.status, 1);
    assert!(unnamed.err.contains("8080") || unnamed.err.contains("BELLWETHER_URL"), "{unnamed:?}");
    assert_eq!(server.stop().await.code(), Some(0));
}

#[tokio::test]
async fn a_file_with_mistakes_is_not_sent() {
    let place = Place::new();
    write(&place, "monitors:\n  - nme: x\n");
    let refused = apply(&place, None, &[]).await;
    assert_eq!(refused.status, 1);
    assert!(
        refused.err.starts_with("team.yaml:2:5: monitors[0].nme: unknown key; did you mean `name`?"),
        "{refused:?}"
    );
    assert!(!place.data().exists());
    let missing = place.run(&["apply", "nowhere.yaml"]).await;
    assert!(missing.status == 1 && missing.err.starts_with("nowhere.yaml: cannot be read"), "{missing:?}");
}
