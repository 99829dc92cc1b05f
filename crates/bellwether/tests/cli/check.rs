//! `check`: the verdict is the exit status.

use crate::harness::Place;
use bw_testkit::server::{Answer, Target};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn each_verdict_has_its_status() {
    let (place, target) = (Place::new(), Target::start().await);
    target.set_path("/busy", Answer::status(503).body("come back later"));
    target.set_path("/slow", Answer::silent());
    let gone = {
        let gone = Target::start().await;
        gone.url()
    };
    let (good, busy, slow) = (target.at("/"), target.at("/busy"), target.at("/slow"));
    let tcp = format!("tcp://{}", target.address());
    for (words, status, says) in [
        (vec!["check", &good], 0, "PASS  http://"),
        (vec!["check", &tcp], 0, "PASS  127.0.0.1:"),
        (vec!["check", &busy], 1, "status 503, expect.status"),
        (vec!["check", &busy, "--expect", "status == 503"], 0, "PASS"),
        (
            vec!["check", &good, "--expect", "status == 200", "--expect", "body contains \"Welcome\""],
            1,
            "expect.body",
        ),
        (vec!["check", &slow, "--timeout", "200ms"], 1, "wait.timeout"),
        (vec!["check", &gone], 1, "connect.refused"),
        (vec!["check", "http://169.254.169.254/"], 3, "INCONCLUSIVE"),
    ] {
        let ended = place.run(&words).await;
        assert_eq!(ended.status, status, "{words:?}: {ended:?}");
        assert!(ended.out.contains(says) && ended.err.is_empty(), "{words:?}: {ended:?}");
    }
    let drawn = place.run(&["check", &good]).await.out;
    assert!(drawn.contains("  connect ") && drawn.contains("  wait ") && drawn.contains('█'), "{drawn}");
    assert!(!place.data().exists(), "no trace is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn for_machines() {
    let (place, target) = (Place::new(), Target::start().await);
    target.set(Answer::status(404));
    let ended = place.run(&["check", &target.at("/x"), "--json"]).await;
    let seen: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(
        (ended.status, &seen["verdict"], &seen["code"], &seen["status"]),
        (1, &"fail".into(), &"expect.status".into(), &404.into())
    );
    assert!(
        seen["latency_ms"].as_f64().is_some_and(|ms| ms > 0.0) && seen["phases"]["connect"].is_number(),
        "{seen:#}"
    );
    assert_eq!(seen["evidence"]["text"], "expected status < 400, saw 404");
}

#[tokio::test]
async fn wrong_input_is_status_2_with_one_sentence_for_each_mistake() {
    let place = Place::new();
    for (words, says) in [
        (vec!["check", "example.com"], "`example.com` has no scheme: write https://example.com"),
        (vec!["check", "ftp://example.com"], "`ftp://` is not probed"),
        (vec!["check", "tcp://example.com"], "is not host:port"),
        (vec!["check", "http://"], "is not a URL"),
        (vec!["check", "http://127.0.0.1/", "--timeout", "5"], "--timeout: `5` is not a duration"),
        (vec!["check", "http://127.0.0.1/", "--timeout", "10m"], "--timeout: "),
        (vec!["check", "http://127.0.0.1/", "--expect", "status ="], "--expect: "),
    ] {
        let ended = place.run(&words).await;
        assert_eq!(
            (ended.status, ended.out.as_str(), ended.err.lines().count()),
            (2, "", 1),
            "{words:?}: {ended:?}"
        );
        assert!(ended.err.contains(says), "{words:?}: {ended:?}");
    }
}
