//! Declarations as people write them, right and wrong.

use super::*;
use crate::read::Problem;
use serde_json::json;

fn problems(value: serde_json::Value) -> Vec<String> {
    let read = Declaration::from_json(&value).and_then(|declared| check(&declared, &Defaults::default(), ""));
    read.expect_err("a mistake").iter().map(Problem::to_string).collect()
}

#[test]
fn a_url_is_enough() {
    let declared = Declaration::from_json(&json!({"http": "https://shop.example.com"})).expect("good");
    assert_eq!(declared.name, "shop.example.com");
    let checked = check(&declared, &Defaults::default(), "").expect("good");
    assert_eq!((checked.policy.every.as_secs(), checked.policy.timeout.as_secs()), (60, 5));
    let Watch::Probe(probe) = &checked.watch else { panic!("{:?}", checked.watch) };
    assert_eq!(probe.target(), "https://shop.example.com/");
    assert_eq!((checked.policy.confirm.failures, checked.policy.confirm.recoveries), (2, 2));
}

#[test]
fn the_document_comes_back_as_it_was() {
    let document = json!({
        "id": "shop", "name": "Shop", "http": {"url": "https://shop.example.com/", "redirects": "none", "verify": false},
        "method": "POST", "headers": {"x-key": "***"}, "body": "{}", "auth": {"username": "me", "password": "***"},
        "every": "30s", "timeout": "5s", "family": "both", "from": ["local"],
        "expect": ["status == 200", "latency < 800ms"],
        "confirm": {"failures": 3, "recoveries": 1, "after": "2s", "agree": "2 of 2", "min": 1},
        "tell": {"first_up": true}, "webhook_url": "***", "labels": {"team": "web"}, "enabled": false, "slug": "shop"
    });
    let declared = Declaration::from_json(&document).expect("good");
    assert_eq!(declared.to_json(), document);
}

#[test]
fn masked_secrets_are_kept() {
    let mut stored = Declaration::from_json(
        &json!({"http": "http://a/", "auth": {"bearer": "s3cret"}, "webhook_url": "http://w/"}),
    )
    .expect("good");
    let mut written = stored.clone();
    for (_, secret) in written.secrets_mut() {
        *secret = crate::secret::Secret::new("***");
    }
    assert_eq!(written.keep_masked(&stored), Vec::<String>::new());
    assert_eq!(written.secrets_mut(), stored.secrets_mut());
    let mut without =
        Declaration::from_json(&json!({"http": "http://a/", "auth": {"bearer": "***"}})).expect("good");
    assert_eq!(without.keep_masked(&Declaration::default()), ["auth.bearer"]);
}

#[test]
fn all_mistakes_of_a_heartbeat_are_told_at_once() {
    let heartbeat = json!({
        "schedule": ["0 3 * * *", "61 3 * * *", "Mon..Xyz"], "zone": "Mars/Base", "holidays": ["2026-02-30", "x"],
        "grace": "999d",
    });
    let all = problems(json!({"name": "a", "heartbeat": heartbeat}));
    let keys: Vec<&str> = all.iter().map(|problem| problem.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(
        keys,
        [
            "heartbeat.zone",
            "heartbeat.holidays[0]",
            "heartbeat.holidays[1]",
            "heartbeat.schedule[1]",
            "heartbeat.schedule[2]",
            "heartbeat.grace"
        ],
        "{all:?}"
    );
}

#[test]
fn mistakes_say_what_to_write() {
    for (value, told) in [
        (
            json!({"name": "a", "tcp": "a:1", "expect": ["status == 200"]}),
            "expect[0]: status, body and headers are seen by http monitors only",
        ),
        (
            json!({"name": "a", "tls": "a:1", "expect": ["connect < 1s", "wait < 1s"]}),
            "expect[1]: nothing is sent or received after connecting: send, wait and receive belong to http monitors",
        ),
        (
            json!({"name": "a", "tcp": "a:1", "expect": ["certificate.days_left > 7"]}),
            "expect[0]: a tcp monitor makes no TLS handshake: write tls: instead of tcp: to see the certificate",
        ),
        (
            json!({"http": "http://a/", "expect": ["status == 99999"]}),
            "expect[0]: a status is a number from 100 to 599",
        ),
        (json!({"name": "a"}), "http: is missing: say what to watch with http, tcp, tls or heartbeat"),
        (json!({"http": "shop"}), "name: is missing: give the monitor a name"),
        (
            json!({"http": "ftp://a/"}),
            "http: the scheme `ftp` is not probed over HTTP: write http:// or https://",
        ),
        (
            json!({"http": "http://u:p@a/"}),
            "http: holds a user or password: write them under `auth`, where they are kept secret",
        ),
        (
            json!({"http": "http://a/", "tcp": "a:1"}),
            "tcp: a monitor has one target: `http` is given already",
        ),
        (json!({"tcp": "a"}), "tcp: `a` is not host:port, such as mail.example.com:25 or [2001:db8::1]:25"),
        (json!({"http": "http://a/", "timout": "5s"}), "timout: unknown key; did you mean `timeout`?"),
        (
            json!({"http": "http://a/", "timeout": "70s", "every": "60s"}),
            "timeout: the timeout (70s) must not be longer than every (1m)",
        ),
        (json!({"http": "http://a/", "every": "100ms", "timeout": "50ms"}), "every: must be from 1s to 31d"),
        (
            json!({"http": "http://a/", "from": ["eu"]}),
            "from[0]: there is no location `eu`: further locations come later, `local` is this machine",
        ),
        (
            json!({"http": "http://a/", "confirm": {"agree": "2 of 3"}}),
            "confirm.agree: the monitor has 1 vantages (locations × families), not 3",
        ),
        (
            json!({"heartbeat": {"every": "1h"}, "name": "a", "every": "1h"}),
            "every: belongs to monitors that are probed: write it inside heartbeat",
        ),
        (
            json!({"heartbeat": {"every": "1h", "schedule": "daily"}, "name": "a"}),
            "heartbeat.schedule: write either every or schedule, not both",
        ),
        (
            json!({"heartbeat": {"schedule": "daily", "zone": "Europe/Bonn"}, "name": "a"}),
            "heartbeat.zone: `Europe/Bonn` is no time zone: write a name of the IANA database, such as Europe/Berlin, America/New_York or UTC",
        ),
        (
            json!({"heartbeat": {"every": "1h", "holidays": ["2026-02-30"]}, "name": "a"}),
            "heartbeat.holidays[0]: `2026-02-30` is neither a date such as 2026-12-25 nor the name of a calendar",
        ),
        (
            json!({"heartbeat": {"evry": "1h"}, "name": "a"}),
            "heartbeat.evry: unknown key; did you mean `every`?",
        ),
        (
            json!({"heartbeat": {"uuid": "ABC"}, "name": "a"}),
            "heartbeat.uuid: is written as 8-4-4-4-12 hexadecimal digits in lower case",
        ),
        (json!({"http": "http://a/", "headers": {"a b": "c"}}), "headers.a b: is no header name"),
    ] {
        let all = problems(value.clone());
        assert!(all.iter().any(|problem| problem == told), "{value}: {all:?}");
    }
}

#[test]
fn a_declaration_stays_small() {
    // A million heartbeats hold one each, and what is behind its pointers is shared or absent.
    assert!(size_of::<Declaration>() <= 168, "{}", size_of::<Declaration>());
    assert_eq!(size_of::<HeartbeatDeclared>(), 16);
    assert!(size_of::<Spec>() <= 96, "{}", size_of::<Spec>());
    let plain = Declaration::from_json(&json!({"name": "Backup", "heartbeat": {"every": "1d"}}));
    let plain = plain.expect("a heartbeat");
    assert!(std::sync::Arc::ptr_eq(&plain.probing, &ProbingDeclared::none()));
    let named = json!({"name": "Backup", "heartbeat": {"every": "1d", "tags": "db"}});
    let mut named = Declaration::from_json(&named).expect("a heartbeat");
    assert_ne!(named, plain);
    let TargetDeclared::Heartbeat(heartbeat) = &mut named.target else { panic!("{:?}", named.target) };
    heartbeat.edit_own(|own| own.tags = None);
    assert_eq!(named, plain, "what says nothing takes no place");
}
