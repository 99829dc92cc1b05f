//! Crates that we do without, where crates come from, and heavy ones that exist once.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::metadata::{Metadata, Package};

/// Nowhere in the tree, each with its reason.
const BANNED: &[(&str, &str)] = &[
    ("aws-lc-sys", "one cryptography library: ring"),
    ("bindgen", "needs libclang on every machine that builds"),
    ("chrono", "one time library: jiff"),
    ("cmake", "needs cmake on every machine that builds"),
    ("native-tls", "one TLS stack: rustls"),
    ("openssl-sys", "one TLS stack: rustls"),
];

/// Only below the tests, each with its reason.
const TESTS_ONLY: &[(&str, &str)] = &[("reqwest", "outbound connections are bw-net's")];

/// One major version of each.
const HEAVY: &[&str] = &["axum", "http", "hyper", "rustls", "tokio"];

pub fn check(metadata: &Metadata, findings: &mut Findings) {
    let shipped = shipped(metadata);
    for package in metadata.foreign() {
        let place = format!("{} {}", package.name, package.version);
        if let Some(why) = reason(BANNED, package) {
            findings.error(&place, format!("banned: {why}"));
        }
        if let Some(why) = reason(TESTS_ONLY, package).filter(|_| shipped.contains(package.id.as_str())) {
            findings.error(&place, format!("allowed in [dev-dependencies] only: {why}"));
        }
        if package.source.as_deref().is_some_and(|source| source.starts_with("git+")) {
            findings.error(&place, "comes from git: take a published version");
        }
    }
    for (name, majors) in majors(metadata) {
        if HEAVY.contains(&name) && majors.len() > 1 {
            let list = majors.into_iter().collect::<Vec<_>>().join(" and ");
            findings.error(name, format!("is compiled as {list}: bring its users to one major version"));
        }
    }
}

fn reason(list: &[(&'static str, &'static str)], package: &Package) -> Option<&'static str> {
    list.iter().find(|(name, _)| *name == package.name).map(|(_, why)| *why)
}

/// Ids of what is below the workspace without its tests.
fn shipped(metadata: &Metadata) -> BTreeSet<&str> {
    let nodes: BTreeMap<&str, _> =
        metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = metadata.workspace_members.iter().map(String::as_str).collect();
    while let Some(id) = open.pop() {
        if !found.insert(id) {
            continue;
        }
        let deps = nodes.get(id).into_iter().flat_map(|node| &node.deps);
        let kept = deps.filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev")));
        open.extend(kept.map(|dep| dep.pkg.as_str()));
    }
    found
}

/// The incompatible versions of each package: 1.2 and 1.9 are one, 0.2 and 0.9 are two.
fn majors(metadata: &Metadata) -> BTreeMap<&str, BTreeSet<String>> {
    let mut majors: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in metadata.foreign() {
        majors.entry(&package.name).or_default().insert(major(&package.version));
    }
    majors
}

fn major(version: &str) -> String {
    let mut parts = version.split('.');
    match (parts.next(), parts.next()) {
        (Some("0"), Some(minor)) => format!("0.{minor}"),
        (Some(major), _) => major.to_owned(),
        (None, _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metadata::{Edge, EdgeKind, Node, Resolve},
        shell,
    };

    /// A workspace of one member, `us`, and packages given as (name, version, kind of dependency).
    fn errors(packages: &[(&str, &str, Option<&str>)]) -> Vec<String> {
        let edge = |(name, version, kind): &(&str, &str, Option<&str>)| Edge {
            pkg: format!("{name}@{version}"),
            dep_kinds: vec![EdgeKind { kind: kind.map(str::to_owned) }],
        };
        let package = |(name, version, _): &(&str, &str, Option<&str>)| Package {
            id: format!("{name}@{version}"),
            name: (*name).into(),
            version: (*version).into(),
            source: Some(if *name == "forked" { "git+https://example.com" } else { "registry+x" }.into()),
            ..Package::default()
        };
        let metadata = Metadata {
            packages: packages.iter().map(package).collect(),
            workspace_members: vec!["us".into()],
            resolve: Resolve {
                nodes: vec![Node { id: "us".into(), deps: packages.iter().map(edge).collect() }],
            },
            target_directory: "target".into(),
        };
        let mut findings = Findings::default();
        check(&metadata, &mut findings);
        findings.errors
    }

    #[test]
    fn banned_crates_are_refused_even_in_tests() {
        assert_eq!(
            errors(&[("chrono", "0.4.1", Some("dev"))]),
            ["chrono 0.4.1: banned: one time library: jiff"]
        );
        assert!(errors(&[("serde", "1.0.0", None)]).is_empty());
    }

    #[test]
    fn some_are_for_tests_only() {
        assert!(errors(&[("reqwest", "0.12.0", Some("dev"))]).is_empty());
        assert_eq!(errors(&[("reqwest", "0.12.0", None)]).len(), 1);
        assert_eq!(errors(&[("reqwest", "0.12.0", Some("build"))]).len(), 1);
    }

    #[test]
    fn nothing_from_git() {
        assert_eq!(
            errors(&[("forked", "1.0.0", None)]),
            ["forked 1.0.0: comes from git: take a published version"]
        );
    }

    #[test]
    fn heavy_crates_exist_once() {
        let twice = [("http", "0.2.9", None), ("http", "1.5.0", None)];
        assert_eq!(errors(&twice), ["http: is compiled as 0.2 and 1: bring its users to one major version"]);
        assert!(errors(&[("http", "1.4.0", None), ("http", "1.5.0", None)]).is_empty());
        assert!(errors(&[("syn", "1.0.0", None), ("syn", "2.0.0", None)]).is_empty());
    }

    #[test]
    fn cargo_deny_knows_the_same_bans() {
        let deny = std::fs::read_to_string(shell::root().join("deny.toml")).unwrap();
        for (name, why) in BANNED {
            let line = format!("{{ crate = \"{name}\", reason = \"{why}\" }}");
            assert!(deny.contains(&line), "{line}");
        }
        assert_eq!(deny.matches("{ crate = ").count(), BANNED.len());
    }
}
