//! A server that does not do what it should changes nothing but one line at the end.

use super::{Stage, Talk, actions, exec, run};
use crate::harness::{Ended, Place};
use bw_testkit::server::{Answer, Authority, Target};

/// Runs a command against it, and checks that the command was alone and that it ended within the time of a report.
async fn undisturbed(place: &Place, url: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "what is measured is the real time")]
    let began = std::time::Instant::now();
    let script = "echo out; echo err >&2; exit 5";
    let Ended { status, out, err } = run(exec(place, &["--beat", url, "--", "sh", "-c", script])).await;
    #[expect(clippy::disallowed_methods, reason = "what is measured is the real time")]
    let took = began.elapsed();
    assert_eq!((status, out.as_str()), (5, "out\n"), "{err}");
    assert!(took.as_millis() < 8_000, "{took:?}");
    let (first, ours) = err.split_once('\n').expect("lines");
    assert_eq!((first, ours.lines().count()), ("err", 1), "{err}");
    assert!(!err.contains("/ping/"), "an address is a secret: {err}");
    ours.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there() {
    let (stage, url) = {
        let stage = Stage::new().await;
        let gone = Target::start().await;
        (stage, gone.at(super::PING))
    };
    let said = undisturbed(&stage.place, &url).await;
    assert!(said.contains("refused the connection") && said.contains("tries again"), "{said}");
    assert_eq!(stage.kept().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_errs_or_talks_nonsense() {
    for (answer, says) in [
        (Answer::silent(), "no answer within"),
        (Answer::status(500), "answered 500"),
        (Answer::status(302).header("location", "/elsewhere"), "answered 302"),
        (Answer::raw("SSH-2.0-OpenSSH_9.2\r\n"), "not HTTP"),
        (Answer::reset(), "the connection"),
    ] {
        let stage = Stage::new().await;
        stage.server.set(answer);
        let said = undisturbed(&stage.place, &stage.url()).await;
        assert!(said.contains(says) && said.contains("tries again"), "{says}: {said}");
        assert_eq!(stage.kept().len(), 1, "{says}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_that_is_not_there_is_said_and_not_kept() {
    for status in [400, 404, 409] {
        let stage = Stage::new().await;
        stage.server.set(Answer::status(status));
        let said = undisturbed(&stage.place, &stage.url()).await;
        assert!(said.contains(&status.to_string()) && !said.contains("tries again"), "{said}");
        assert!(stage.kept().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_hangs_holds_up_nothing() {
    let stage = Stage::new().await;
    stage.server.next(Answer::silent());
    let mut talk = Talk::start(stage.shell("echo here; read x; echo there"));
    assert_eq!(talk.line().await, "here");
    stage.server.wait_for(1).await;
    talk.say(b"\n").await;
    assert_eq!(talk.line().await, "there");
    let ended = talk.finish().await;
    assert_eq!((ended.status, ended.err.as_str()), (0, ""), "the end was told");
    assert_eq!(actions(&stage.heard()), ["start", "0"], "and after the start");
    assert!(stage.kept().is_empty(), "a start is not kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_trusted_hears_nothing() {
    let (place, authority) = (Place::new(), Authority::new("Nobody's"));
    let server = Target::start_tls(&authority.leaf(&["127.0.0.1"])).await;
    let said = undisturbed(&place, &server.at(super::PING)).await;
    assert!(said.contains("tries again"), "{said}");
    assert_eq!(server.hits(), 0);
    let roots = authority.pem_file();
    let mut command = exec(&place, &["--beat", &server.at(super::PING), "--", "true"]);
    command.env("SSL_CERT_FILE", roots.path());
    let ended = run(command).await;
    assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    assert!(server.hits() >= 2, "trusted, it hears");
    // Certificates that cannot be read are a fault of the report, not of the job.
    let mut command =
        exec(&place, &["--beat", &server.at(super::PING), "--", "sh", "-c", "echo done; exit 3"]);
    command.env("SSL_CERT_FILE", "/nowhere");
    let ended = run(command).await;
    assert_eq!(
        (ended.status, ended.out.as_str(), ended.err.lines().count()),
        (3, "done\n", 1),
        "{}",
        ended.err
    );
}
