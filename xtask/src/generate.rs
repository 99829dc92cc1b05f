//! Writes the committed documents that the binary itself prints, or checks that they are fresh.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::{Verdict, metadata::Metadata, shell};

/// A committed file and the arguments with which the binary prints it.
const DOCUMENTS: &[(&str, &[&str])] = &[
    ("docs/bellwether.schema.json", &["config", "schema"]),
    ("docs/bellwether.default.yaml", &["config", "default"]),
    ("docs/configuration.md", &["config", "reference"]),
    ("docs/openapi.json", &["openapi"]),
];

#[derive(Args)]
pub struct Options {
    /// Write nothing; fail when a file differs, and name it.
    #[arg(long)]
    check: bool,
}

pub fn run(options: &Options) -> Result<Verdict> {
    ensure!(shell::run(&mut shell::cargo(&["build", "-p", "bellwether"]))?, "the binary does not build");
    let binary = binary(&Metadata::load()?);
    if options.check { check(&binary) } else { write(&binary) }
}

/// The development build of the product.
pub fn binary(metadata: &Metadata) -> PathBuf {
    metadata.target_directory.join("debug").join("bellwether")
}

/// Every document is what the binary prints now.
pub fn check(binary: &Path) -> Result<Verdict> {
    let mut good = true;
    for (path, arguments) in DOCUMENTS {
        let fresh = print(binary, arguments)?;
        let committed = fs::read(shell::root().join(path)).unwrap_or_default();
        if fresh != committed {
            good = false;
            eprintln!("generate: {path} is not fresh: run `cargo xtask generate` and commit what it writes");
        }
    }
    if good {
        println!("generate: {} documents are fresh", DOCUMENTS.len());
    }
    Ok(Verdict::of(good))
}

fn write(binary: &Path) -> Result<Verdict> {
    for (path, arguments) in DOCUMENTS {
        let fresh = print(binary, arguments)?;
        let file = shell::root().join(path);
        if fs::read(&file).is_ok_and(|committed| committed == fresh) {
            println!("generate: {path} is fresh");
            continue;
        }
        fs::write(&file, fresh).with_context(|| format!("cannot write {path}"))?;
        println!("generate: {path} written");
    }
    Ok(Verdict::Good)
}

/// What the binary prints, in an empty environment: the documents depend on the program and on nothing else.
fn print(binary: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let mut command = shell::program(binary);
    command.args(arguments).env_clear().current_dir(std::env::temp_dir());
    let text = shell::capture(&mut command)?;
    ensure!(!text.is_empty(), "`{}` prints nothing", shell::line(&command));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_what_the_program_prints() {
        assert_eq!(print(Path::new("/bin/echo"), &["one"]).unwrap(), b"one\n");
        assert!(print(Path::new("/bin/true"), &[]).unwrap_err().to_string().contains("prints nothing"));
    }
}
