//! The arrows between the crates: who may depend on whom, checked against what cargo says.
//!
//! The table is the design. A broken arrow is answered by moving code, or by changing the table together with
//! `ARCHITECTURE.md`; there is no list of exceptions.

use anyhow::Result;

use crate::{Verdict, metadata::Metadata};

/// A crate and the crates of this workspace that it may depend on.
const TABLE: &[(&str, &[&str])] = &[
    ("bw-domain", &[]),
    ("bw-net", &["bw-domain"]),
    ("bw-probe", &["bw-domain", "bw-net"]),
    ("bw-action", &["bw-domain", "bw-net"]),
    ("bw-rules", &["bw-domain", "bw-net"]),
    ("bw-engine", &["bw-domain"]),
    ("bw-store", &["bw-domain"]),
    ("bw-queue", &["bw-domain"]),
    ("bw-server", &["bw-domain", "bw-engine"]),
    (
        "bellwether",
        &[
            "bw-domain",
            "bw-engine",
            "bw-net",
            "bw-probe",
            "bw-rules",
            "bw-store",
            "bw-queue",
            "bw-action",
            "bw-server",
        ],
    ),
    ("bw-lambda", &["bw-domain", "bw-net", "bw-probe", "bw-action"]),
    ("bw-testkit", &["bw-domain"]),
    ("bw-sim", &["bw-domain", "bw-engine", "bw-testkit"]),
    ("xtask", &[]),
];

/// Tests may build on this crate anywhere but in the crate that it is itself built on.
const TESTKIT: &str = "bw-testkit";

/// Further crates that the tests of a crate may build on: the server is tested on a real store.
const OF_TESTS: &[(&str, &str)] = &[("bw-server", "bw-store")];

/// Crates without a runtime and without a driver.
const PURE: &[&str] = &["bw-domain", "bw-engine"];

/// What a pure crate never contains: each of them reads a clock, rolls dice, or touches a file or a socket.
const IMPURE: &[&str] = &[
    "axum",
    "getrandom",
    "hickory-resolver",
    "http-body-util",
    "hyper",
    "hyper-util",
    "libc",
    "rand",
    "ring",
    "rusqlite",
    "rustls",
    "socket2",
    "tempfile",
    "tokio",
    "tokio-postgres",
    "tokio-rustls",
    "tracing-subscriber",
];

/// Libraries that have one home.
const HOMES: &[(&str, &str)] =
    &[("rusqlite", "bw-store"), ("tokio-postgres", "bw-store"), ("hickory-resolver", "bw-net")];

/// One declared dependency.
#[derive(Clone, Copy, Debug)]
struct Arrow<'a> {
    from: &'a str,
    to: &'a str,
    /// Only the tests of `from` see it.
    dev: bool,
    /// `to` is a crate of this workspace.
    ours: bool,
}

pub fn run() -> Result<Verdict> {
    let broken = broken(&Metadata::load()?);
    for sentence in &broken {
        eprintln!("arrows: {sentence}");
    }
    if broken.is_empty() {
        println!("arrows: every dependency points the right way");
    }
    Ok(Verdict::of(broken.is_empty()))
}

/// One sentence for each broken arrow.
fn broken(metadata: &Metadata) -> Vec<String> {
    let members: Vec<_> = metadata.members().collect();
    let mut sentences: Vec<String> = members.iter().filter_map(|member| unknown(&member.name)).collect();
    for member in &members {
        for declared in &member.dependencies {
            let arrow = Arrow {
                from: &member.name,
                to: &declared.name,
                dev: declared.kind.as_deref() == Some("dev"),
                ours: members.iter().any(|other| other.name == declared.name),
            };
            sentences.extend(judge(arrow));
        }
    }
    sentences
}

fn unknown(name: &str) -> Option<String> {
    let known = TABLE.iter().any(|(from, _)| *from == name);
    (!known).then(|| {
        format!("{name} is not in the table: give it a line in xtask/src/arrows.rs and in ARCHITECTURE.md")
    })
}

/// What is wrong with one arrow, and what to do.
fn judge(arrow: Arrow<'_>) -> Option<String> {
    if arrow.ours { judge_ours(arrow) } else { judge_foreign(arrow) }
}

fn judge_ours(Arrow { from, to, dev, .. }: Arrow<'_>) -> Option<String> {
    let allowed = TABLE.iter().find(|(name, _)| *name == from).map_or(&[][..], |(_, to)| to);
    let of_tests = to == TESTKIT && from != "bw-domain" || OF_TESTS.contains(&(from, to));
    if allowed.contains(&to) || (dev && of_tests) {
        return None;
    }
    let advice = match (from, to) {
        ("bw-domain", TESTKIT) => "bw-testkit is built on it, so its tests build what they need themselves",
        ("bw-domain", _) => {
            "the domain knows nobody: declare a port in bw-domain/src/port and implement it outside"
        }
        (_, TESTKIT) => "it is for tests: move it to [dev-dependencies]",
        (_, "bellwether" | "xtask" | "bw-sim") => {
            "nothing depends on it: move what is shared into a library crate"
        }
        (_, "bw-engine") => {
            "an adapter implements ports of bw-domain and does not know the loops: move the code behind a port"
        }
        ("bw-engine", _) => {
            "loops reach the world through ports of bw-domain: take a port and let the binary pass the adapter"
        }
        _ => "adapters do not know each other: go through a port of bw-domain, or compose both in the binary",
    };
    let kind = if dev { "tests of " } else { "" };
    Some(format!("{kind}{from} must not depend on {to}: {advice}"))
}

fn judge_foreign(Arrow { from, to, dev, .. }: Arrow<'_>) -> Option<String> {
    if dev {
        return None;
    }
    if PURE.contains(&from) && IMPURE.contains(&to) {
        return Some(format!(
            "{from} must not depend on {to}: it is pure, so declare a port in bw-domain/src/port and use {to} in an adapter"
        ));
    }
    let home = HOMES.iter().find(|(library, _)| *library == to).map(|(_, home)| *home)?;
    (home != from)
        .then(|| format!("{from} must not depend on {to}: only {home} does, so call {home} through its port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(from: &str, to: &str, dev: bool) -> Option<String> {
        judge(Arrow { from, to, dev, ours: true })
    }

    fn foreign(from: &str, to: &str, dev: bool) -> Option<String> {
        judge(Arrow { from, to, dev, ours: false })
    }

    #[test]
    fn the_design_holds() {
        for (from, allowed) in TABLE {
            for to in *allowed {
                assert_eq!(ours(from, to, false), None, "{from} -> {to}");
            }
        }
    }

    #[test]
    fn the_table_has_no_circle() {
        let mut done: Vec<&str> = Vec::new();
        while done.len() < TABLE.len() {
            let next =
                TABLE.iter().find(|(name, to)| !done.contains(name) && to.iter().all(|t| done.contains(t)));
            done.push(next.expect("the table has a circle").0);
        }
    }

    #[test]
    fn a_broken_arrow_says_what_to_do() {
        let sentence = ours("bw-store", "bw-engine", false).unwrap();
        assert!(sentence.starts_with("bw-store must not depend on bw-engine: an adapter"), "{sentence}");
        assert!(ours("bw-store", "bw-queue", false).unwrap().contains("adapters do not know each other"));
        assert!(ours("bw-domain", "bw-net", false).unwrap().contains("declare a port"));
        assert!(ours("bw-engine", "bw-store", false).unwrap().contains("through ports"));
        assert!(ours("bw-server", "bellwether", false).unwrap().contains("nothing depends on it"));
    }

    #[test]
    fn the_testkit_is_for_tests_but_not_for_the_domain() {
        assert_eq!(ours("bw-store", TESTKIT, true), None);
        assert!(ours("bw-store", TESTKIT, false).unwrap().contains("[dev-dependencies]"));
        assert!(ours("bw-domain", TESTKIT, true).unwrap().starts_with("tests of bw-domain"));
    }

    #[test]
    fn tests_obey_the_arrows_too() {
        assert!(ours("bw-queue", "bw-store", true).is_some());
    }

    #[test]
    fn pure_crates_and_homes() {
        assert!(foreign("bw-engine", "tokio", false).unwrap().contains("it is pure"));
        assert_eq!(foreign("bw-engine", "tokio", true), None);
        assert_eq!(foreign("bw-engine", "serde_json", false), None);
        assert!(foreign("bw-server", "rusqlite", false).unwrap().contains("only bw-store does"));
        assert_eq!(foreign("bw-store", "rusqlite", false), None);
    }

    #[test]
    fn a_crate_without_a_line_is_named() {
        assert!(unknown("bw-surprise").unwrap().contains("bw-surprise is not in the table"));
        assert_eq!(unknown("bw-net"), None);
    }
}
