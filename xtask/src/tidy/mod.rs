//! Rules of the house that no compiler knows. One rule a file, each with its test; notes do not fail.

mod bans;
mod header;
mod leftovers;
mod length;
mod licences;
mod links;
mod machine;
mod migrations;
mod names;
mod tree;

use anyhow::Result;

use crate::{Verdict, metadata::Metadata};
use tree::Tree;

/// What the rules found.
#[derive(Default)]
pub struct Findings {
    errors: Vec<String>,
    notes: Vec<String>,
}

impl Findings {
    /// Something to repair, at `path`, `path:line` or `package version`.
    fn error(&mut self, place: impl std::fmt::Display, sentence: impl std::fmt::Display) {
        self.errors.push(format!("{place}: {sentence}"));
    }

    /// Something to know.
    fn note(&mut self, place: impl std::fmt::Display, sentence: impl std::fmt::Display) {
        self.notes.push(format!("{place}: {sentence}"));
    }
}

const FILE_RULES: &[fn(&Tree, &mut Findings)] = &[
    length::check,
    header::check,
    names::check,
    machine::check,
    leftovers::check,
    links::check,
    migrations::check,
];

const PACKAGE_RULES: &[fn(&Metadata, &mut Findings)] = &[licences::check, bans::check];

pub fn run() -> Result<Verdict> {
    let tree = Tree::load()?;
    let metadata = Metadata::load()?;
    let mut findings = Findings::default();
    for rule in FILE_RULES {
        rule(&tree, &mut findings);
    }
    for rule in PACKAGE_RULES {
        rule(&metadata, &mut findings);
    }
    for note in &findings.notes {
        println!("tidy: note: {note}");
    }
    for error in &findings.errors {
        eprintln!("tidy: {error}");
    }
    println!(
        "tidy: {} files and {} packages, {} to repair, {} notes",
        tree.files.len(),
        metadata.packages.len(),
        findings.errors.len(),
        findings.notes.len()
    );
    Ok(Verdict::of(findings.errors.is_empty()))
}

#[cfg(test)]
pub mod testing {
    //! How the rules are tried: on a few files given as text.

    use super::{Findings, tree::Tree};

    /// The errors of one rule over files given as (path, text).
    pub fn errors(rule: fn(&Tree, &mut Findings), files: &[(&str, &str)]) -> Vec<String> {
        findings(rule, files).errors
    }

    pub fn notes(rule: fn(&Tree, &mut Findings), files: &[(&str, &str)]) -> Vec<String> {
        findings(rule, files).notes
    }

    fn findings(rule: fn(&Tree, &mut Findings), files: &[(&str, &str)]) -> Findings {
        let mut findings = Findings::default();
        rule(&Tree::of(files), &mut findings);
        findings
    }
}
