//! Words and their endings: what is not there, what comes later, what is not understood.

use crate::harness::{Ended, Place};

#[tokio::test]
async fn what_comes_later_is_named_and_is_no_mistake_of_the_user() {
    let place = Place::new();
    for (words, says) in [
        (vec!["agent"], "agents come later"),
        (vec!["probe-function"], "probe functions come later"),
        (vec!["routes", "test", "event.json"], "`routes` comes later"),
        (vec!["actions", "test"], "`actions test` comes later"),
        (vec!["db", "copy", "--to", "postgres://x"], "`db copy` comes later"),
    ] {
        let Ended { status, out, err } = place.run(&words).await;
        assert_eq!((status, out.as_str(), err.lines().count()), (2, "", 1), "{words:?}: {err}");
        assert!(err.contains(says), "{words:?}: {err}");
    }
}

#[tokio::test]
async fn a_part_of_a_fleet_says_what_it_shares() {
    let place = Place::new();
    for (words, says) in [
        (vec!["worker"], "set DATABASE_URL=postgres://…, and NATS_URL or SQS_QUEUE_URL"),
        (vec!["api", "--listen", "127.0.0.1:0"], "`bellwether api` shares its work"),
        (vec!["scheduler", "--emf"], "everything in one process is `bellwether serve`"),
        (vec!["db-init"], "DATABASE_URL is not set"),
    ] {
        let Ended { status, out, err } = place.run(&words).await;
        assert_eq!((status, out.as_str(), err.lines().count()), (2, "", 1), "{words:?}: {err}");
        assert!(err.contains(says), "{words:?}: {err}");
    }
}

#[tokio::test]
async fn a_database_of_a_fleet_is_backed_up_by_its_own_tools() {
    let place = Place::new();
    place.write_config("store: postgres://me:s3cret@127.0.0.1:1/bw\n");
    let Ended { status, err, .. } = place.run(&["db", "check"]).await;
    assert_eq!(status, 1, "{err}");
    assert!(err.contains("pg_dump") && !err.contains("s3cret"), "{err}");
    let shown = place.run(&["config", "show"]).await;
    assert_eq!(shown.status, 0, "{shown:?}");
    assert!(shown.out.contains("store: '***'") || shown.out.contains("store: \"***\""), "{}", shown.out);
    assert!(!shown.out.contains("s3cret"), "{}", shown.out);
}

#[tokio::test]
async fn what_is_not_understood_is_status_2() {
    let place = Place::new();
    for words in [
        vec!["wrok"],
        vec!["serve", "--port", "80"],
        vec!["monitors"],
        vec!["monitors", "show"],
        vec!["monitors", "show", "shop"],
        vec!["tokens", "create"],
        vec!["check"],
        vec!["completions", "cobol"],
        vec!["config", "chek"],
    ] {
        let Ended { status, out, err } = place.run(&words).await;
        assert_eq!((status, out.as_str()), (2, ""), "{words:?}: {err}");
        assert!(!err.is_empty(), "{words:?}");
    }
}

#[tokio::test]
async fn help_version_completions_and_the_document() {
    let place = Place::new();
    let version = place.run(&["--version"]).await;
    assert_eq!((version.status, version.out.trim()), (0, concat!("bellwether ", env!("CARGO_PKG_VERSION"))));
    let help = place.run(&["--help"]).await;
    assert_eq!(help.status, 0);
    for word in [
        "serve",
        "api",
        "scheduler",
        "worker",
        "db-init",
        "check",
        "exec",
        "apply",
        "config",
        "monitors",
        "incidents",
        "tokens",
        "db",
        "doctor",
    ] {
        assert!(help.out.contains(&format!("\n  {word}")), "{word} in {}", help.out);
    }
    for hidden in ["openapi", "probe-function"] {
        assert!(!help.out.contains(hidden), "{hidden} in {}", help.out);
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = place.run(&["completions", shell]).await;
        assert!(script.status == 0 && script.out.contains("bellwether"), "{shell}: {}", script.err);
    }
    let document = place.run(&["openapi"]).await;
    let document: serde_json::Value = serde_json::from_str(&document.out).expect("the document is JSON");
    assert!(document["paths"]["/api/v1/monitors"].is_object());
    assert!(!place.data().exists(), "none of them begins a database");
}

#[tokio::test]
async fn the_doctor_says_how_to_fix_what_is_broken() {
    let place = Place::new();
    let well = place.run(&["doctor"]).await;
    assert_eq!(well.status, 0, "{well:?}");
    for name in
        ["data directory", "file system", "open files", "clock", "resolver", "IPv4", "IPv6", "certificates"]
    {
        assert!(well.out.contains(&format!(" {name}: ")), "{name} in {}", well.out);
    }
    assert!(!place.data().exists(), "it leaves nothing behind");
    let mut command = place.command(&["doctor"]);
    command.env("SSL_CERT_FILE", "/dev/null");
    let ill = crate::harness::ended(command).await;
    assert_eq!(ill.status, 1, "{ill:?}");
    assert!(ill.out.contains("broken  certificates: ") && ill.out.contains("fix: "), "{ill:?}");
}
