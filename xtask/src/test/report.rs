//! Runs the steps one after the other and sums them up: times, counts, and the last line.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::tally::Tally;
use crate::{Verdict, shell};

#[derive(Default)]
pub struct Report {
    steps: Vec<Step>,
    tally: Tally,
}

struct Step {
    name: &'static str,
    took: Duration,
    good: bool,
}

impl Report {
    /// Runs one step under its heading. An error fails the step, not the run: the others still have their say.
    pub fn step(&mut self, name: &'static str, run: impl FnOnce() -> Result<(bool, Tally)>) {
        shell::heading(name);
        let start = Instant::now();
        let good = match run() {
            Ok((good, tally)) => {
                self.tally.add(tally);
                good
            }
            Err(error) => {
                eprintln!("{name}: {error:#}");
                false
            }
        };
        let took = start.elapsed();
        println!("-- {name}: {} in {}", if good { "good" } else { "FAILED" }, shell::human(took));
        self.steps.push(Step { name, took, good });
    }

    pub fn last_was_good(&self) -> bool {
        self.steps.last().is_some_and(|step| step.good)
    }

    /// The table of steps and the last line.
    pub fn close(&self) -> Verdict {
        shell::heading("summary");
        for Step { name, took, good } in &self.steps {
            println!("{name:<28} {:>12}  {}", shell::human(*took), if *good { "good" } else { "FAILED" });
        }
        println!("{}", self.last_line());
        Verdict::of(self.steps.iter().all(|step| step.good) && self.tally.failed == 0)
    }

    /// A step that failed counts as a failure unless failed tests already say so.
    fn last_line(&self) -> String {
        let bad_steps = self.steps.iter().filter(|step| !step.good).count() as u64;
        let failed = self.tally.failed.max(bad_steps);
        format!("{} passed, {failed} failed", self.tally.passed)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn counted(passed: u64, failed: u64) -> Result<(bool, Tally)> {
        Ok((failed == 0, Tally { passed, failed, ignored: 0 }))
    }

    #[test]
    fn a_good_run_ends_plainly() {
        let mut report = Report::default();
        report.step("one", || counted(3, 0));
        report.step("two", || counted(4, 0));
        assert_eq!(report.last_line(), "7 passed, 0 failed");
        assert_eq!(report.close(), Verdict::Good);
    }

    #[test]
    fn a_step_without_tests_fails_the_run() {
        let mut report = Report::default();
        report.step("lints", || Ok((false, Tally::default())));
        assert!(!report.last_was_good());
        report.step("tests", || counted(5, 0));
        assert_eq!(report.last_line(), "5 passed, 1 failed");
        assert_eq!(report.close(), Verdict::Failed);
    }

    #[test]
    fn an_error_fails_its_step_and_the_next_still_runs() {
        let mut report = Report::default();
        report.step("broken", || bail!("no such program"));
        report.step("tests", || counted(1, 2));
        assert_eq!(report.last_line(), "1 passed, 2 failed");
        assert_eq!(report.close(), Verdict::Failed);
    }
}
