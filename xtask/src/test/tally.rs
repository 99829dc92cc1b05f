//! Counts tests by reading what `cargo test` prints, while passing it through unchanged.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use crate::shell;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    pub ignored: u64,
}

impl Tally {
    pub fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

    /// `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`
    fn of_line(line: &str) -> Option<Tally> {
        let counts = line.trim_start().strip_prefix("test result:")?;
        let count = |word: &str| {
            let before = &counts[..counts.find(&format!(" {word}"))?];
            before.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        Some(Tally { passed: count("passed")?, failed: count("failed")?, ignored: count("ignored")? })
    }
}

/// Runs the command to its end; true if it succeeded.
pub fn run(command: &mut Command) -> Result<(bool, Tally)> {
    let name = shell::line(command);
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{name}`"))?;
    let output = child.stdout.take().context("the output was not piped")?;
    let tally = pass_through(output, std::io::stdout().lock())?;
    let status = child.wait().with_context(|| format!("cannot wait for `{name}`"))?;
    Ok((status.success(), tally))
}

fn pass_through(from: impl Read, mut to: impl Write) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        to.flush()?;
        if let Some(counted) = Tally::of_line(&String::from_utf8_lossy(&line)) {
            tally.add(counted);
        }
        line.clear();
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_added_and_everything_is_passed_on() {
        let text = "running 2 tests\ntest a ... ok\n\n\
            test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
            \n   Doc-tests x\n\
            test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.20s\n";
        let mut seen = Vec::new();
        let tally = pass_through(text.as_bytes(), &mut seen).unwrap();
        assert_eq!(tally, Tally { passed: 15, failed: 2, ignored: 1 });
        assert_eq!(String::from_utf8(seen).unwrap(), text);
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(Tally::of_line("test state::tests::passed ... ok"), None);
        assert_eq!(Tally::of_line("test result: unclear"), None);
    }

    #[test]
    fn a_failing_command_is_told() {
        let (good, tally) = run(Command::new("sh").args(["-c", "exit 1"])).unwrap();
        assert!(!good);
        assert_eq!(tally, Tally::default());
    }
}
