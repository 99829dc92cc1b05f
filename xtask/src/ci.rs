//! What a release must pass besides the tests: the optimised build with every feature, and its size.

use std::fs;

use anyhow::{Context, Result};

use crate::{Verdict, metadata::Metadata, shell, test};

pub fn run() -> Result<Verdict> {
    let verdict = test::run(&test::Options::default())?;
    if verdict != Verdict::Good {
        return Ok(verdict);
    }
    shell::heading("release");
    if !shell::run(&mut shell::cargo(RELEASE))? {
        return Ok(Verdict::Failed);
    }
    let binary = Metadata::load()?.target_directory.join("release").join("bellwether");
    let size = fs::metadata(&binary).context("the release build left no binary")?.len();
    println!("bellwether: {:.1} MB", size as f64 / 1e6);
    Ok(Verdict::Good)
}

/// The build that is released and measured.
pub const RELEASE: &[&str] = &["build", "--release", "-p", "bellwether", "--features", "full"];
