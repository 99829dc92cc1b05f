//! The heartbeat service's pulse: the first one makes its heartbeat.

use super::{World, request_from};
use bw_domain::beat::PulseKey;
use bw_domain::monitor::Spec;
use bw_domain::time::{Duration, Span};
use bw_engine::catalog::BeatKey;
use bw_server::beat::BeatSettings;
use http::StatusCode;
use std::sync::Arc;

const SUCCESS: &str = "Successful Heartbeat Pulse";

impl World {
    /// The heartbeats of these four texts.
    fn pulses(&self, [host, category, r#type, name]: [&str; 4]) -> Vec<Arc<Spec>> {
        let key = PulseKey {
            host: host.into(),
            category: category.into(),
            r#type: r#type.into(),
            name: name.into(),
        };
        self.app.services.catalog.heartbeats(&BeatKey::Pulse(&key)).to_vec()
    }

    fn threshold(&self, name: &str) -> Option<Duration> {
        let specs = self.pulses(["h", "c", "t", name]);
        assert_eq!(specs.len(), 1, "{name}");
        specs[0].declared.heartbeat().and_then(|heartbeat| heartbeat.terms.every).map(|Span(every)| every)
    }
}

fn pulse(name: &str) -> String {
    format!("GET /heartbeat/pulse?host=h&category=c&type=t&name={name}")
}

#[tokio::test]
async fn the_first_one_makes_it_and_its_threshold_counts() {
    let world = World::new().await;
    let hours = |hours: f64| Some(Duration::from_secs_f64(hours * 3_600.0));
    world
        .hearing(async {
            for (name, threshold, expected) in [
                ("a", "", hours(24.0)),
                ("b", "&threshold=48", hours(48.0)),
                ("c", "&threshold=1.5", hours(1.5)),
                ("d", "&threshold=8760", hours(8_760.0)),
            ] {
                let reply = world.ask(&format!("{}{threshold}", pulse(name))).await;
                assert_eq!((reply.status, reply.text()), (StatusCode::OK, SUCCESS), "{name}");
                assert_eq!(reply.header("cache-control"), "no-store");
                assert_eq!(world.threshold(name), expected, "{name}");
                for later in ["&threshold=7", "&threshold=abc", "&threshold=", "&threshold=-1"] {
                    let reply = world.ask(&format!("{}{later}", pulse(name))).await;
                    assert_eq!((reply.status, reply.text()), (StatusCode::OK, SUCCESS), "{name}{later}");
                    assert_eq!(world.threshold(name), expected, "{name}{later}");
                }
            }
            for threshold in ["abc", "", "0", "-3", "NaN", "inf", "8761", "1e9", "0.0001"] {
                let reply = world.ask(&format!("{}&threshold={threshold}", pulse("e"))).await;
                assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{threshold}");
                assert!(reply.text().starts_with("`threshold` is"), "{}", reply.text());
                assert!(world.pulses(["h", "c", "t", "e"]).is_empty(), "{threshold}");
            }
        })
        .await;
    let made = world.pulses(["h", "c", "t", "a"]).remove(0);
    assert_eq!(world.kept(made.id).await.len(), 5);
    assert_eq!(made.declared.name, "h / c / t / a");
    assert_eq!(world.counted("success"), 20);
}

#[tokio::test]
async fn any_base_method_and_slash() {
    let world = World::with(BeatSettings {
        bases: ["/heartbeat", "/v1/heartbeat", "/x/y", "/x/y"].map(str::to_owned).to_vec(),
        ..BeatSettings::default()
    })
    .await;
    let query = "host=h&category=c&type=t&name=n";
    world
        .hearing(async {
            for base in ["/heartbeat", "/v1/heartbeat", "/x/y"] {
                for what in ["GET BASE/pulse", "POST BASE/pulse", "HEAD BASE/pulse/", "OPTIONS BASE/pulse/"] {
                    let reply = world.ask(&format!("{}?{query}", what.replace("BASE", base))).await;
                    assert_eq!(reply.status, StatusCode::OK, "{what} at {base}");
                }
            }
            let reply = world.ask(&format!("GET /y/pulse?{query}")).await;
            assert!(!reply.status.is_success(), "no base of ours");
        })
        .await;
    assert_eq!(world.kept(world.pulses(["h", "c", "t", "n"])[0].id).await.len(), 12);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let world = World::new().await;
    let long = "x".repeat(201);
    for (query, named) in [
        ("", "`host` is missing or empty"),
        ("host=h&category=c&name=n", "`type` is missing or empty"),
        ("host=h&category=c&type=&name=n", "`type` is missing or empty"),
        ("host=h&category=c&type=t", "`name` is missing or empty"),
        (&*format!("host={long}&category=c&type=t&name=n"), "`host` has more than 200 characters"),
        ("host=h&category=a%0Ab&type=t&name=n", "`category` contains a control character"),
    ] {
        let reply = world.ask(&format!("GET /heartbeat/pulse?{query}")).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(reply.text().starts_with(named), "{query}: {}", reply.text());
    }
    assert!(world.app.services.catalog.is_empty());
    assert_eq!(world.counted("refused"), 6);
}

/// The original took `("a", "bc", …)` and `("ab", "c", …)` for one.
#[tokio::test]
async fn the_four_texts_are_four() {
    let world = World::new().await;
    world
        .hearing(async {
            for (host, category) in [("a", "bc"), ("ab", "c"), ("a", "bc")] {
                let what = format!("GET /heartbeat/pulse?host={host}&category={category}&type=t&name=n");
                assert_eq!(world.ask(&what).await.text(), SUCCESS);
            }
        })
        .await;
    assert_eq!(world.app.services.catalog.len(), 2);
    assert_eq!(world.kept(world.pulses(["a", "bc", "t", "n"])[0].id).await.len(), 2);
}

/// Many first pulses at a time make one heartbeat.
#[tokio::test]
async fn first_ones_at_a_time() {
    let world = World::new().await;
    world
        .hearing(async {
            let all = (0..20).map(|_| world.ask(&*Box::leak(pulse("n").into_boxed_str())));
            for reply in futures_util::future::join_all(all).await {
                assert_eq!((reply.status, reply.text()), (StatusCode::OK, SUCCESS));
            }
        })
        .await;
    let specs = world.pulses(["h", "c", "t", "n"]);
    assert_eq!((specs.len(), world.app.services.catalog.len()), (1, 1));
    assert_eq!(world.kept(specs[0].id).await.len(), 20);
}

/// One address makes no more than its share; what is there goes on.
#[tokio::test]
async fn making_is_bounded() {
    let world = World::new().await;
    world
        .hearing(async {
            for number in 0..1_000 {
                let reply = world.send(request_from("192.0.2.1:9", &pulse(&number.to_string()))).await;
                assert_eq!(reply.status, StatusCode::OK, "{number}");
            }
            let reply = world.send(request_from("192.0.2.1:9", &pulse("more"))).await;
            assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(reply.header("retry-after"), "1");
            for (from, name) in [("192.0.2.1:9", "7"), ("192.0.2.2:9", "more"), ("127.0.0.1:9", "here")] {
                let reply = world.send(request_from(from, &pulse(name))).await;
                assert_eq!(reply.status, StatusCode::OK, "{name} of {from}");
            }
        })
        .await;
}
