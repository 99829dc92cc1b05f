//! What cargo says about the workspace and everything below it: the little that the rules read.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::shell;

#[derive(Deserialize)]
pub struct Metadata {
    pub packages: Vec<Package>,
    pub workspace_members: Vec<String>,
    pub resolve: Resolve,
    pub target_directory: PathBuf,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Package {
    pub id: String,
    pub name: String,
    pub version: String,
    pub license: Option<String>,
    /// Absent for a package of this workspace.
    pub source: Option<String>,
    pub dependencies: Vec<Declared>,
}

/// A dependency as `Cargo.toml` declares it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Declared {
    pub name: String,
    pub kind: Option<String>,
}

#[derive(Default, Deserialize)]
pub struct Resolve {
    pub nodes: Vec<Node>,
}

/// A package as it is built, with the packages below it.
#[derive(Default, Deserialize)]
pub struct Node {
    pub id: String,
    pub deps: Vec<Edge>,
}

#[derive(Default, Deserialize)]
pub struct Edge {
    pub pkg: String,
    pub dep_kinds: Vec<EdgeKind>,
}

#[derive(Default, Deserialize)]
pub struct EdgeKind {
    /// Absent for a normal dependency, else `dev` or `build`.
    pub kind: Option<String>,
}

impl Metadata {
    /// With every feature on, for every platform: a rule that holds only for this machine's build is none.
    pub fn load() -> Result<Metadata> {
        let text =
            shell::capture(&mut shell::cargo(&["metadata", "--format-version", "1", "--all-features"]))?;
        serde_json::from_slice(&text).context("cannot read the answer of `cargo metadata`")
    }

    /// The packages of this workspace.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The packages that come from elsewhere.
    pub fn foreign(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| !self.workspace_members.contains(&package.id))
    }
}
