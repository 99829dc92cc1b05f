//! `cargo xtask test`: brings what the tests need, then runs every layer, each under a heading with its time.
//!
//! Must hold: needs come before compilation; one set of features for all commands, so that nothing compiles
//! twice; a test that is ignored or misses its service is a failure; the last line of a good run is
//! `N passed, 0 failed` and of a bad one never is.

mod install;
mod layer;
pub mod needs;
mod report;
mod services;
mod tally;

use std::process::Command;

use anyhow::Result;
use clap::Args;

pub use install::{bring, bring_python};
pub use layer::Layer;
use report::Report;
use tally::Tally;

use crate::{Verdict, arrows, generate, metadata::Metadata, shell, tidy};

#[derive(Args, Default)]
pub struct Options {
    /// Run only these layers.
    #[arg(long, value_enum, num_args = 1.., value_delimiter = ',')]
    only: Vec<Layer>,
}

/// Parts that are off by default and tested all the same, by their crates.
const FEATURES: &[&str] = &["bellwether/full", "bw-queue/nats", "bw-queue/sqs", "bw-store/postgres"];

/// Those that a command about these packages can name; without packages it is about the workspace.
fn features(packages: Option<&[&str]>) -> String {
    let of = |feature: &&&str| {
        packages
            .is_none_or(|packages| packages.iter().any(|package| feature.split('/').next() == Some(*package)))
    };
    FEATURES.iter().filter(of).copied().collect::<Vec<_>>().join(",")
}

/// Seeds of the simulation that nobody has seen before, in every run. More fixed ones are tests of `bw-sim`; thousands of
/// fresh ones are looked at by hand, `cargo xtask sim`.
const SEEDS: &str = "8";

pub fn run(options: &Options) -> Result<Verdict> {
    let layers = if options.only.is_empty() { Layer::ALL } else { &options.only };
    if let Some(refusal) = bring_needs(layers)? {
        eprintln!("\n{refusal}");
        return Ok(Verdict::CannotRun);
    }
    let mut report = Report::default();
    if layers.contains(&Layer::Lint) {
        lint(&mut report);
    }
    let all = features(None);
    let build = ["build", "--workspace", "--all-targets", "--features", &all];
    report.step("build", || plain(shell::cargo(&build)));
    if report.last_was_good() {
        let metadata = Metadata::load()?;
        if layers.contains(&Layer::Lint) {
            let binary = generate::binary(&metadata);
            report.step("generated files fresh", || checked(generate::check(&binary)));
        }
        tests(&mut report, layers, &metadata);
        if layers.contains(&Layer::Sim) {
            seeds(&mut report, &metadata);
        }
    }
    Ok(report.close())
}

fn bring_needs(layers: &[Layer]) -> Result<Option<install::Refusal>> {
    shell::heading("what the tests need");
    if let Some(refusal) = install::bring(&needs::of(layers))? {
        return Ok(Some(refusal));
    }
    install::bring_python(&needs::python_of(layers))
}

/// Layer 0 as far as it needs no build.
fn lint(report: &mut Report) {
    report.step("format", || plain(shell::cargo(&["fmt", "--all", "--check"])));
    let all = features(None);
    let clippy = ["clippy", "--workspace", "--all-targets", "--features", &all, "--", "-D", "warnings"];
    report.step("lints", || plain(shell::cargo(&clippy)));
    report.step("arrows", || checked(arrows::run()));
    report.step("tidy", || checked(tidy::run()));
}

/// Layers 1 to 7 are the tests of the crates: all of them in one run, or those of the layers asked for.
fn tests(report: &mut Report, layers: &[Layer], metadata: &Metadata) {
    let mut cargo = shell::cargo(&["test", "--no-fail-fast"]);
    if layers == Layer::ALL {
        cargo.args(["--workspace", "--features", &features(None)]);
    } else {
        let packages = layer::packages(layers, metadata.members().map(|member| member.name.as_str()));
        if packages.is_empty() {
            return;
        }
        cargo.args(packages.iter().flat_map(|package| ["-p", package]));
        cargo.args(["--features", &features(Some(&packages))]);
    }
    report.step("tests", || {
        services::equip(&mut cargo)?;
        let (good, tally) = tally::run(&mut cargo)?;
        if tally.ignored > 0 {
            eprintln!("{} tests are ignored: a test runs or is removed", tally.ignored);
        }
        Ok((good && tally.ignored == 0, tally))
    });
}

/// Layer 2 beyond its tests: the simulation's own program, which chooses fresh seeds and names those that fail.
fn seeds(report: &mut Report, metadata: &Metadata) {
    let binary = metadata.target_directory.join("debug").join("bw-sim");
    for (name, nodes) in [("simulation, fresh seeds", "1"), ("simulation, fresh seeds of a fleet", "3")] {
        let mut sim = shell::program(&binary);
        sim.args(["--seeds", SEEDS, "--nodes", nodes]);
        report.step(name, || plain(sim));
    }
}

/// A command that counts no tests.
fn plain(mut command: Command) -> Result<(bool, Tally)> {
    Ok((shell::run(&mut command)?, Tally::default()))
}

/// Another part of the workshop, as a step.
fn checked(verdict: Result<Verdict>) -> Result<(bool, Tally)> {
    Ok((verdict? == Verdict::Good, Tally::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_only_features_of_its_packages() {
        assert_eq!(features(Some(&["bw-domain"])), "");
        assert_eq!(features(Some(&["bw-domain", "bw-queue"])), "bw-queue/nats,bw-queue/sqs");
        assert_eq!(features(None), FEATURES.join(","));
    }
}
