//! Redirects: which are followed, what they take along, and that every hop is guarded and timed.

use super::{World, check, monitor};
use bw_domain::limits;
use bw_domain::outcome::{Code, Phase};
use bw_net::NetConfig;
use bw_testkit::server::{Answer, Authority, Target};
use serde_json::json;

#[tokio::test]
async fn a_chain_is_followed_and_its_times_add_up() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    target.set_path("/a", Answer::redirect("/b?token=secret"));
    target.set_path("/b?token=secret", Answer::redirect("c"));
    target.set_path("/c", Answer::status(404));
    let outcome = world.probe(&monitor(json!({"http": target.at("/a")}), json!({}))).await;
    check(&outcome, Code::EXPECT_STATUS, "expected status < 400, saw 404");
    let hops = &outcome.evidence.as_ref().expect("a failure has evidence").hops;
    let seen: Vec<(&str, u16)> = hops.iter().map(|hop| (&*hop.url, hop.status)).collect();
    let expected = [(target.at("/a"), 302), (target.at("/b?token=***"), 302), (target.at("/c"), 404)];
    assert_eq!(seen, expected.iter().map(|(url, status)| (&**url, *status)).collect::<Vec<_>>());
    for phase in Phase::ALL {
        let sum: u32 = hops.iter().map(|hop| hop.phases.get(phase)).sum();
        assert_eq!(sum, outcome.phases.get(phase), "{phase:?}");
    }
    assert!(hops.iter().all(|hop| hop.phases.get(Phase::Connect) > 0));
    assert!(hops.iter().all(|hop| hop.address.as_deref() == Some(&*target.address().to_string())));
    assert_eq!(target.connections(), 3, "each hop connects anew");
}

#[tokio::test]
async fn a_loop_ends() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    target.set(Answer::redirect("/again"));
    let outcome = world.probe(&monitor(json!({"http": target.url()}), json!({}))).await;
    check(&outcome, Code::HTTP_REDIRECT, "more than 10 redirects");
    assert_eq!(target.hits(), usize::from(limits::REDIRECTS_MAX) + 1);
    let longest = usize::from(limits::REDIRECTS_MAX);
    for at in 0..longest {
        target.set_path(&format!("/{at}"), Answer::redirect(format!("/{}", at + 1)));
    }
    target.set_path(&format!("/{longest}"), Answer::ok("there"));
    check(&world.probe(&monitor(json!({"http": target.at("/0")}), json!({}))).await, Code::OK, "");
}

#[tokio::test]
async fn policies() {
    let (world, target, other) =
        (World::new(NetConfig::default()), Target::start().await, Target::start().await);
    target.set_path("/near", Answer::redirect(target.at("/")));
    target.set_path("/far", Answer::redirect(other.at_host("localhost", "/")));
    for (path, policy, code, part) in [
        ("/near", "follow", Code::OK, ""),
        ("/far", "follow", Code::OK, ""),
        ("/near", "same-host", Code::OK, ""),
        ("/far", "same-host", Code::HTTP_REDIRECT, "redirect to another host: http://localhost:"),
    ] {
        let http = json!({"url": target.at(path), "redirects": policy});
        check(&world.probe(&monitor(json!({"http": http}), json!({}))).await, code, part);
    }
    let http = json!({"url": target.at("/far"), "redirects": "none"});
    let outcome = world.probe(&monitor(json!({"http": http}), json!({"expect": ["status == 302"]}))).await;
    check(&outcome, Code::OK, "");
    assert_eq!(other.hits(), 1);
}

#[tokio::test]
async fn places_that_are_not_gone_to() {
    let world = World::new(NetConfig::default());
    let authority = Authority::new("Test authority");
    let (plain, secure) = (Target::start().await, Target::start_tls(&authority.leaf(&["127.0.0.1"])).await);
    secure.set(Answer::redirect(plain.at("/?session=abc")));
    let http = json!({"url": secure.url(), "verify": false});
    let down = world.probe(&monitor(json!({"http": http}), json!({}))).await;
    check(&down, Code::HTTP_REDIRECT, "redirect from https back to http://127.0.0.1:");
    assert!(!format!("{down:?}").contains("abc"), "{down:?}");
    assert_eq!(plain.hits(), 0);
    for (location, code, part) in [
        ("ftp://127.0.0.1/", Code::HTTP_REDIRECT, "`ftp:` is neither http nor https"),
        ("http://[bad", Code::HTTP_REDIRECT, "the location is no URL"),
        ("http://169.254.169.254/", Code::SELF_GUARD, "cloud metadata"),
    ] {
        plain.set(Answer::redirect(location));
        check(&world.probe(&monitor(json!({"http": plain.url()}), json!({}))).await, code, part);
    }
    // Without a location it is an answer like any other.
    plain.set(Answer::status(302));
    check(&world.probe(&monitor(json!({"http": plain.url()}), json!({}))).await, Code::OK, "");
}

#[tokio::test]
async fn credentials_stay_with_their_host() {
    let (world, target, other) =
        (World::new(NetConfig::default()), Target::start().await, Target::start().await);
    target.set_path("/near", Answer::redirect("/"));
    target.set_path("/far", Answer::redirect(other.at_host("localhost", "/")));
    target.set_path("/port", Answer::redirect(other.at("/")));
    other.set_path("/back", Answer::redirect(target.at("/")));
    let declared = json!({
        "auth": {"bearer": "abcdef"},
        "headers": {"Cookie": "session=1", "X-Api-Key": "k", "Accept": "text/html"},
    });
    for path in ["/near", "/far", "/port"] {
        let outcome = world.probe(&monitor(json!({"http": target.at(path)}), declared.clone())).await;
        check(&outcome, Code::OK, "");
    }
    let near = target.received()[1].clone();
    assert_eq!((near.header("authorization"), near.header("x-api-key")), (Some("Bearer abcdef"), Some("k")));
    for far in other.received() {
        for name in ["authorization", "cookie", "x-api-key"] {
            assert_eq!(far.header(name), None, "{name}");
        }
        assert_eq!(far.header("accept"), Some("text/html"));
    }
    // What was lost on the way does not come back with the host.
    target.set_path("/far", Answer::redirect(other.at_host("localhost", "/back")));
    check(&world.probe(&monitor(json!({"http": target.at("/far")}), declared)).await, Code::OK, "");
    assert_eq!(target.received().last().and_then(|request| request.header("authorization")), None);
}

#[tokio::test]
async fn methods_and_bodies_along_the_way() {
    let (world, target) = (World::new(NetConfig::default()), Target::start().await);
    for (status, method, then, body) in [
        (301, "POST", "GET", ""),
        (302, "POST", "GET", ""),
        (303, "PUT", "GET", ""),
        (303, "HEAD", "HEAD", ""),
        (307, "POST", "POST", "x=1"),
        (308, "PUT", "PUT", "x=1"),
        (302, "PUT", "PUT", "x=1"),
    ] {
        target.set_path("/from", Answer::redirect("/to").with_status(status));
        let body_sent = if method == "HEAD" { json!({}) } else { json!({"body": "x=1"}) };
        let mut document = monitor(json!({"http": target.at("/from")}), json!({"method": method}));
        document.as_object_mut().expect("a map").extend(body_sent.as_object().expect("a map").clone());
        document["headers"] = json!({"Content-Type": "text/plain"});
        check(&world.probe(&document).await, Code::OK, "");
        let last = target.received().pop().expect("a request");
        assert_eq!((last.method.as_str(), last.path.as_str(), last.text()), (then, "/to", body), "{status}");
        assert_eq!(last.header("content-type").is_some(), then == method, "{status} {method}");
    }
}
