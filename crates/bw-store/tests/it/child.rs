//! A process of its own for what cannot be done inside the test's: this binary once more, with one test to run and a
//! directory to work in.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const DIRECTORY: &str = "BELLWETHER_STORE_CHILD";
const STRICT: &str = "BELLWETHER_TEST_STRICT";

/// The command that runs `test` (its full name) as a child below a directory.
pub fn command(test: &str, directory: &Path) -> Command {
    command_after(&[], test, directory)
}

/// The same, started by another program.
pub fn command_after(before: &[&str], test: &str, directory: &Path) -> Command {
    let this = std::env::current_exe().expect("a test has a binary");
    let mut words = before.iter().map(std::ffi::OsString::from).collect::<Vec<_>>();
    words.push(this.into());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args([test, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(DIRECTORY, directory);
    command
}

/// The directory, in the child. `None`: this is the test itself.
#[expect(clippy::disallowed_methods, reason = "how a test tells itself that it is its own child")]
pub fn directory() -> Option<PathBuf> {
    std::env::var_os(DIRECTORY).map(PathBuf::from)
}

/// A program that is not there: a failure where everything must be tested, else a line.
#[expect(clippy::disallowed_methods, reason = "set by `cargo xtask test`, which brings the programs")]
pub fn missing(what: &str) {
    let strict = std::env::var(STRICT).is_ok_and(|value| value == "1");
    assert!(!strict, "{what}, and {STRICT}=1 says that nothing may be skipped");
    writeln!(std::io::stderr(), "skipped: {what}").ok();
}
