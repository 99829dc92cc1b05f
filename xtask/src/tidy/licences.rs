//! Everything that is compiled in may be given on: each licence expression is satisfied by the allowed list.

use super::Findings;
use crate::metadata::Metadata;

const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

pub fn check(metadata: &Metadata, findings: &mut Findings) {
    for package in metadata.foreign() {
        let place = format!("{} {}", package.name, package.version);
        match package.license.as_deref() {
            None => findings.error(place, "states no licence: find out, or do without it"),
            Some(expression) if allowed(expression) => {}
            Some(expression) => {
                findings.error(place, format!("its licence `{expression}` is not in the allowed list"))
            }
        }
    }
}

/// Evaluates an SPDX expression; `A/B` is how old crates write `A OR B`.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest) == Some(true) && rest.is_empty()
}

fn either(words: &mut &[&str]) -> Option<bool> {
    let mut good = both(words)?;
    while take(words, "OR") {
        good |= both(words)?;
    }
    Some(good)
}

fn both(words: &mut &[&str]) -> Option<bool> {
    let mut good = one(words)?;
    while take(words, "AND") {
        good &= one(words)?;
    }
    Some(good)
}

/// A licence, or an expression in brackets. An exception (`WITH`) only gives more rights.
fn one(words: &mut &[&str]) -> Option<bool> {
    if take(words, "(") {
        let good = either(words)?;
        return take(words, ")").then_some(good);
    }
    let (name, rest) = words.split_first()?;
    *words = rest;
    if take(words, "WITH") {
        *words = words.get(1..)?;
    }
    Some(ALLOWED.contains(name))
}

fn take(words: &mut &[&str], word: &str) -> bool {
    let there = words.first() == Some(&word);
    if there {
        *words = &words[1..];
    }
    there
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell;

    #[test]
    fn expressions_are_evaluated() {
        for good in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "Unlicense OR MIT",
            "(MIT OR GPL-3.0-only) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
            "LGPL-2.1-or-later OR MIT AND ISC",
        ] {
            assert!(allowed(good), "{good}");
        }
        for bad in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "(MIT", "MIT OR", "", "MIT Apache-2.0", "AND"] {
            assert!(!allowed(bad), "{bad}");
        }
    }

    #[test]
    fn cargo_deny_knows_the_same_list() {
        let deny = std::fs::read_to_string(shell::root().join("deny.toml")).unwrap();
        let (_, list) = deny.split_once("allow = [").unwrap();
        let (list, _) = list.split_once(']').unwrap();
        let names: Vec<_> = list.split('"').skip(1).step_by(2).collect();
        assert_eq!(names, ALLOWED);
    }
}
