//! The workshop: one command for everything that is done to this checkout (`cargo xtask --help`).
//!
//! It builds, checks and measures the product from outside and shares no code with it, so that it still works
//! when the product does not compile.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for people: it prints, reads the clock and the environment, and starts programs and threads"
)]

mod arrows;
mod audit;
mod bench;
mod ci;
mod generate;
mod metadata;
mod shell;
mod sim;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The workshop of Bellwether.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring what the tests need, then run every layer; the last line is `N passed, 0 failed`.
    Test(test::Options),
    /// What runs at each change: `test`, then the release build with everything and its size.
    Ci,
    /// File length, headers, names, leftovers, links, migrations, licences, banned crates.
    Tidy,
    /// Check that dependencies between the crates point the right way.
    Arrows,
    /// Write the generated documents anew.
    Generate(generate::Options),
    /// Measure the release binary, each scenario beside a raw client.
    Bench(bench::Options),
    /// Simulate the real loops under seeds.
    Sim(sim::Options),
    /// Known vulnerabilities of the dependencies; needs the network and cargo-deny.
    Audit,
    /// The raw clients that `bench` compares with; started by it.
    #[command(hide = true)]
    Raw(bench::raw::Options),
}

/// How a command ended; the exit status follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Good,
    Failed,
    /// Something that the command needs is not here: exit status 2.
    CannotRun,
}

impl Verdict {
    pub fn of(good: bool) -> Verdict {
        if good { Verdict::Good } else { Verdict::Failed }
    }
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Test(options) => test::run(&options),
        Command::Ci => ci::run(),
        Command::Tidy => tidy::run(),
        Command::Arrows => arrows::run(),
        Command::Generate(options) => generate::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Sim(options) => sim::run(&options),
        Command::Audit => audit::run(),
        Command::Raw(options) => bench::raw::run(&options),
    };
    match outcome {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Failed) => ExitCode::FAILURE,
        Ok(Verdict::CannotRun) => ExitCode::from(2),
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
