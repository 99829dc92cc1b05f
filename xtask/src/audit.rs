//! Known vulnerabilities, by cargo-deny. Outside CI: its database comes from the network and changes by itself.

use anyhow::Result;

use crate::{Verdict, shell};

pub fn run() -> Result<Verdict> {
    if shell::capture(&mut shell::cargo(&["deny", "--version"])).is_err() {
        eprintln!("cargo-deny is not installed; `cargo install --locked cargo-deny` brings it.");
        return Ok(Verdict::CannotRun);
    }
    Ok(Verdict::of(shell::run(&mut shell::cargo(&["deny", "--all-features", "check"]))?))
}
