//! Evidence tells what was seen, within its bound and without a secret.

use super::{World, check, monitor};
use bw_domain::limits;
use bw_domain::outcome::Code;
use bw_net::NetConfig;
use bw_testkit::server::{Answer, Target};
use serde_json::json;

#[tokio::test]
async fn it_tells_what_was_seen() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    target.set(Answer::ok("We are sorry.").with_status(503).header("X-Shard", "a"));
    let outcome = world.probe(&monitor(json!({"http": target.url()}), json!({}))).await;
    check(&outcome, Code::EXPECT_STATUS, "");
    let evidence = outcome.evidence.expect("a failure has evidence");
    assert_eq!(evidence.text, "expected status < 400, saw 503");
    assert_eq!(evidence.expectation.as_deref(), Some("status < 400"));
    assert_eq!((evidence.hops.len(), evidence.hops[0].status), (1, 503));
    let exchange = evidence.exchange.expect("there was an answer");
    assert_eq!(exchange.status_line, "HTTP/1.1 503 Service Unavailable");
    assert_eq!((exchange.body.as_str(), exchange.body_bytes, exchange.cut), ("We are sorry.", 13, false));
    assert!(exchange.headers.contains(&("x-shard".to_owned(), "a".to_owned())));
}

#[tokio::test]
async fn what_had_arrived_before_the_deadline_is_shown() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    target.set(Answer::ok("half of it").claims_length(20).stall_after(1_000));
    let outcome = world.probe(&monitor(json!({"http": target.url()}), json!({"timeout": "200ms"}))).await;
    check(&outcome, Code::WAIT_TIMEOUT, "");
    let exchange = outcome.evidence.expect("a failure has evidence").exchange.expect("a head had arrived");
    assert_eq!(exchange.body, "half of it");
}

#[tokio::test]
async fn it_holds_no_secret() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    let echo = "you sent Bearer tok-4711 and key-0815 and dTpwYXNz, accept text/html";
    let answer = Answer::ok(echo)
        .with_status(500)
        .header("Set-Cookie", "session=hush-1")
        .header("X-Auth-Token", "hush-2")
        .header("X-Echo", "tok-4711")
        .header("Location", "/login?ticket=hush-3");
    target.set(answer);
    let declared = json!({
        "headers": {"X-Api-Key": "key-0815", "Accept": "text/html"},
        "auth": {"bearer": "tok-4711"},
        "expect": ["header \"set-cookie\" contains \"other\"", "status == 200"],
    });
    let http = json!({"http": target.at("/?apikey=hush-4")});
    let outcome = world.probe(&monitor(http.clone(), declared.clone())).await;
    check(&outcome, Code::EXPECT_HEADER, "expected header \"set-cookie\" contains \"other\", saw ***");
    let told = serde_json::to_string(&outcome.evidence).expect("evidence is plain data");
    for secret in ["hush", "tok-4711", "key-0815"] {
        assert!(!told.contains(secret), "{secret} is in {told}");
    }
    assert!(told.contains("you sent *** and *** and dTpwYXNz, accept text/html"), "{told}");
    assert!(told.contains("/?apikey=***") && told.contains("/login?ticket=***"), "{told}");
}

#[tokio::test]
async fn it_is_bounded_whatever_is_answered() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    let many = |answer: Answer| {
        (0..80).fold(answer, |answer, at| answer.header(format!("x-{at}"), "v\"".repeat(300)))
    };
    for body in
        [vec![b'x'; 200_000], vec![1; 200_000], "\"é\\\n".repeat(50_000).into_bytes(), vec![0xff; 200_000]]
    {
        let long = format!("/{}", "a%20b".repeat(300));
        target.set(Answer::redirect(long.clone()));
        target.set_path("/last", many(Answer::status(500).body(body)));
        for at in 0..9 {
            let path = if at == 0 { "/".to_owned() } else { format!("{long}{at}") };
            let next = if at == 8 { "/last".to_owned() } else { format!("{long}{}", at + 1) };
            target.set_path(&path, Answer::redirect(next));
        }
        let rule = format!("body contains \"{}\"", "\\\"".repeat(400));
        let document = monitor(json!({"http": target.url()}), json!({"expect": [rule]}));
        let outcome = world.probe(&document).await;
        check(&outcome, Code::EXPECT_BODY, "");
        let evidence = outcome.evidence.expect("a failure has evidence");
        let bytes = serde_json::to_vec(&evidence).expect("evidence is plain data").len();
        assert!(bytes <= limits::EVIDENCE_MAX, "{bytes} bytes");
        assert!(bytes > limits::EVIDENCE_MAX / 2, "{bytes} bytes waste what there is");
        let exchange = evidence.exchange.expect("there was an answer");
        assert!(exchange.cut && exchange.body_bytes >= 200_000);
        assert_eq!(evidence.hops.len(), 10);
    }
}
