//! Where a run is reported, and what is said when nobody can know.

use super::{PING, Stage, actions, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_is_named_by_flag_by_variable_or_by_slug() {
    let stage = Stage::new().await;
    let (url, slashed, root) =
        (stage.url(), format!("{}/", stage.url()), format!("{}/", stage.server.at("")));
    let key = "abcdefghijklmnopqrstuv";
    for (words, variables, path) in [
        (vec!["--beat", &url], vec![], PING),
        (vec!["--beat", &slashed], vec![("BELLWETHER_BEAT", "http://127.0.0.1:1/ping/other")], PING),
        (vec![], vec![("BELLWETHER_BEAT", slashed.as_str())], PING),
        (
            vec!["--slug", "nightly_backup-2"],
            vec![("BELLWETHER_URL", root.as_str()), ("BELLWETHER_PING_KEY", key)],
            "/ping/abcdefghijklmnopqrstuv/nightly_backup-2",
        ),
    ] {
        let before = stage.server.hits();
        let mut command = stage.exec(&[&words[..], &["--", "true"]].concat());
        command.envs(variables);
        let ended = run(command).await;
        assert_eq!((ended.status, ended.out.as_str(), ended.err.as_str()), (0, "", ""), "{words:?}");
        let heard = &stage.server.received()[before..];
        let paths: Vec<&str> = heard.iter().filter_map(|request| request.path.split('?').next()).collect();
        assert_eq!(paths, [format!("{path}/start"), format!("{path}/0")], "{words:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_before_anything_runs() {
    let stage = Stage::new().await;
    let url = stage.url();
    let query = format!("{url}?rid=1");
    let marker = stage.place.dir.path().join("ran");
    let marker = marker.to_str().expect("text");
    for (words, variables, says) in [
        (vec![], vec![], "--beat URL"),
        (vec![], vec![("BELLWETHER_BEAT", " ")], "--beat URL"),
        (vec![], vec![("BELLWETHER_BEAT", "nonsense")], "BELLWETHER_BEAT: this is no URL"),
        (vec!["--beat", "ftp://127.0.0.1/ping/x"], vec![], "neither http nor https"),
        (vec!["--beat", "http://127.0.0.1"], vec![], "the path is missing"),
        (vec!["--beat", &query], vec![], "without `?`"),
        (vec!["--slug", "x"], vec![], "set BELLWETHER_URL and BELLWETHER_PING_KEY"),
        (vec!["--slug", "x"], vec![("BELLWETHER_URL", "http://h")], "set BELLWETHER_PING_KEY"),
        (vec!["--slug", "x"], vec![("BELLWETHER_PING_KEY", "k")], "set BELLWETHER_URL"),
        (vec!["--slug", "Big"], vec![], "`Big` is no slug"),
        (
            vec!["--slug", "x"],
            vec![("BELLWETHER_URL", "http://h"), ("BELLWETHER_PING_KEY", "a/b")],
            "no ping key",
        ),
        (vec!["--beat", &url, "--time-limit", "soon"], vec![], "`soon` is not a duration"),
        (vec!["--beat", &url, "--time-limit", "0s"], vec![], "longer than nothing"),
    ] {
        let mut command = stage.exec(&[&words[..], &["--", "touch", marker]].concat());
        command.envs(variables);
        let ended = run(command).await;
        assert_eq!((ended.status, ended.err.lines().count()), (2, 1), "{words:?}: {}", ended.err);
        assert!(ended.err.contains(says), "{words:?}: {}", ended.err);
    }
    for words in
        [vec!["--beat", &url], vec!["--beat", &url, "--"], vec!["--beat", &url, "--slug", "x", "--", "true"]]
    {
        let ended = run(stage.exec(&words)).await;
        assert_eq!((ended.status, ended.out.as_str()), (2, ""), "{words:?}: {}", ended.err);
    }
    assert_eq!(stage.server.connections(), 0);
    assert!(!std::path::Path::new(marker).exists());
    assert_eq!(actions(&stage.heard()), Vec::<&str>::new());
}

#[tokio::test]
async fn the_help_is_short_and_complete() {
    let stage = Stage::new().await;
    let help = run(stage.exec(&["--help"])).await;
    assert_eq!(help.status, 0);
    for word in
        ["--beat", "--slug", "--time-limit", "BELLWETHER_BEAT", "BELLWETHER_PING_KEY", "124", "126", "127"]
    {
        assert!(help.out.contains(word), "{word} in {}", help.out);
    }
    assert!(help.out.lines().count() < 40, "{}", help.out);
}
