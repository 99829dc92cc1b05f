//! The matrix of permissions.

use super::Class::{Door, Interface, Metrics, Open, Page};
use super::Presented::{Nothing, Session, Token, Wrong};
use super::*;

const LOCAL: Facts<'static> = Facts {
    changes: false,
    class: Interface,
    from_loopback: true,
    host: Some("127.0.0.1:8080"),
    forwarded: false,
    origin: None,
    fetch_site: None,
    presented: Nothing,
};
const FAR: Facts<'static> = Facts { from_loopback: false, host: Some("bw.example:8080"), ..LOCAL };
const OPEN: Doors = Doors { none: false, closed: false, metrics_public: false };
const CLOSED: Doors = Doors { closed: true, ..OPEN };
const NONE: Doors = Doors { none: true, ..OPEN };
const PUBLIC: Doors = Doors { closed: true, metrics_public: true, ..OPEN };

/// `r`, `w`: allowed to read or write; `?`: asked who it is; `-`: refused.
fn check(facts: Facts<'_>, doors: Doors) -> char {
    match decide(&facts, &doors) {
        Decision::Allow(Scope::Read) => 'r',
        Decision::Allow(Scope::Write) => 'w',
        Decision::Ask => '?',
        Decision::Refuse(sentence) => {
            assert!(sentence.len() > 30, "a refusal explains itself: {sentence}");
            '-'
        }
    }
}

/// One row for each way of asking; columns: GET and POST of an open path, the sign-in, metrics, a page, the interface.
fn row(facts: Facts<'_>, doors: Doors) -> String {
    [Open, Door, Metrics, Page, Interface]
        .into_iter()
        .map(|class| {
            [false, true].map(|changes| check(Facts { class, changes, ..facts }, doors)).iter().collect()
        })
        .collect::<Vec<String>>()
        .join(" ")
}

#[test]
fn matrix() {
    let own = Some("http://127.0.0.1:8080");
    let far_own = Some("http://bw.example:8080");
    let foreign = Some("https://evil.example");
    let session = Session { proven: true };
    let table: [(&str, Facts<'_>, Doors, &str); 29] = [
        ("this machine", LOCAL, OPEN, "rr ww rr ww ww"),
        ("by the name localhost", Facts { host: Some("LocalHost:1"), ..LOCAL }, OPEN, "rr ww rr ww ww"),
        ("by IPv6", Facts { host: Some("[::1]:8080"), ..LOCAL }, OPEN, "rr ww rr ww ww"),
        ("a rebound name", Facts { host: Some("evil.example"), ..LOCAL }, OPEN, "rr ww -- -- --"),
        (
            "a name that only begins well",
            Facts { host: Some("localhost.evil.example"), ..LOCAL },
            OPEN,
            "rr ww -- -- --",
        ),
        ("no Host", Facts { host: None, ..LOCAL }, OPEN, "rr ww -- -- --"),
        ("behind a proxy", Facts { forwarded: true, ..LOCAL }, OPEN, "rr ww -- -- --"),
        ("our own page", Facts { origin: own, ..LOCAL }, OPEN, "rr ww rr ww ww"),
        ("another site", Facts { origin: foreign, ..LOCAL }, OPEN, "rr w- r- w- w-"),
        (
            "another port of this machine",
            Facts { origin: Some("http://127.0.0.1:3000"), ..LOCAL },
            OPEN,
            "rr w- r- w- w-",
        ),
        ("an opaque origin", Facts { origin: Some("null"), ..LOCAL }, OPEN, "rr w- r- w- w-"),
        (
            "cross-site, says the browser",
            Facts { fetch_site: Some("cross-site"), ..LOCAL },
            OPEN,
            "rr w- r- w- w-",
        ),
        ("same-site is not us", Facts { fetch_site: Some("same-site"), ..LOCAL }, OPEN, "rr w- r- w- w-"),
        ("typed by a person", Facts { fetch_site: Some("none"), ..LOCAL }, OPEN, "rr ww rr ww ww"),
        ("another machine", FAR, OPEN, "rr ww ?? ?? ??"),
        ("this machine, closed", LOCAL, CLOSED, "rr ww rr ?? ??"),
        ("another machine, closed", FAR, CLOSED, "rr ww ?? ?? ??"),
        ("another machine, public metrics", FAR, PUBLIC, "rr ww rr ?? ??"),
        ("another machine, no doors", FAR, NONE, "rr ww ww ww ww"),
        ("another site, no doors", Facts { origin: foreign, ..FAR }, NONE, "rr w- w- w- w-"),
        ("a wrong token", Facts { presented: Wrong, ..LOCAL }, OPEN, "rr ?? ?? ?? ??"),
        ("a reading token", Facts { presented: Token(Scope::Read), ..FAR }, CLOSED, "rr r- r- r- r-"),
        (
            "a reading token on this machine",
            Facts { presented: Token(Scope::Read), ..LOCAL },
            OPEN,
            "rr r- r- r- r-",
        ),
        ("a writing token", Facts { presented: Token(Scope::Write), ..FAR }, CLOSED, "rr ww ww ww ww"),
        (
            "a token behind a proxy",
            Facts { presented: Token(Scope::Write), forwarded: true, ..LOCAL },
            OPEN,
            "rr ww ww ww ww",
        ),
        ("a session", Facts { presented: session, origin: far_own, ..FAR }, CLOSED, "rr ww ww ww ww"),
        (
            "a session, unproven",
            Facts { presented: Session { proven: false }, ..FAR },
            CLOSED,
            "rr ww ww ww w-",
        ),
        (
            "a session, another site",
            Facts { presented: session, origin: foreign, ..FAR },
            CLOSED,
            "rr w- w- w- w-",
        ),
        (
            "a session behind a proxy",
            Facts { presented: session, forwarded: true, ..LOCAL },
            CLOSED,
            "rr ww ww ww ww",
        ),
    ];
    for (who, facts, doors, expected) in table {
        assert_eq!(row(facts, doors), expected, "{who}");
    }
}

#[test]
fn classes() {
    for (path, class) in [
        ("/health", Open),
        ("/health/", Open),
        ("/healthy", Interface),
        ("/-/ready", Open),
        ("/metrics", Metrics),
        ("/", Page),
        ("/ui/monitors/1", Page),
        ("/uix", Interface),
        ("/ui/sign-in", Door),
        ("/assets/abc/bellwether.css", Door),
        ("/monitors", Interface),
        ("/api/v1/monitors", Interface),
        ("/api", Interface),
        ("/nowhere", Interface),
    ] {
        assert_eq!(Class::of(path), class, "{path}");
    }
}

#[test]
fn origins() {
    for (origin, host, same) in [
        ("http://a.example", "a.example", true),
        ("http://a.example:80", "A.example", true),
        ("https://a.example", "a.example:443", true),
        ("https://a.example", "a.example", true),
        ("http://a.example", "a.example:443", false),
        ("http://a.example:8080", "a.example", false),
        ("null", "a.example", false),
        ("file://", "", false),
        ("http://", "", false),
    ] {
        assert_eq!(same_place(origin, host), same, "{origin} {host}");
    }
}
