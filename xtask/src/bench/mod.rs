//! `cargo xtask bench`: measures the release binary, each scenario beside a raw client of the same run.
//!
//! Must hold: checks are counted by the target's log and never by the program that is measured; CPU time is the
//! kernel's (`/proc/PID/stat`); nothing here asserts on time, and no test calls it.

mod certificate;
mod figure;
mod http;
mod peer;
mod process;
mod product;
pub mod raw;
mod scenario;
mod servers;
mod services;
mod statistics;
mod target;
mod time;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};

use crate::{Verdict, ci, metadata::Metadata, shell, test};
use figure::Figure;

#[derive(Args)]
pub struct Options {
    /// The scenarios, `A` to `I` or `fleet`; without any, all that exist.
    #[arg(value_enum, ignore_case = true)]
    scenarios: Vec<Scenario>,
    /// Scenarios C and F with a million monitors besides.
    #[arg(long)]
    million: bool,
    /// Measure this binary instead of a build of the sources. The raw client is then this very program: run it as
    /// `cargo run --release -p xtask -- bench`.
    #[arg(long, value_name = "FILE")]
    product: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
enum Scenario {
    /// CPU time of a check.
    A,
    /// 10,000 monitors at one second on one core.
    B,
    /// Memory, empty and per monitor.
    C,
    /// Deviation from the grid.
    D,
    /// Start, lists and pages with 10,000 monitors.
    E,
    /// Durable beats.
    F,
    /// Bytes of a stored outcome.
    G,
    /// From the deciding probe to the message.
    H,
    /// Size of the binary, time to the first page.
    I,
    /// Several nodes on one store.
    #[value(name = "fleet")]
    Fleet,
}

/// What there is to measure so far.
const EXISTING: &[Scenario] = &[
    Scenario::A,
    Scenario::B,
    Scenario::C,
    Scenario::D,
    Scenario::E,
    Scenario::F,
    Scenario::H,
    Scenario::I,
    Scenario::Fleet,
];

/// Where things lie during a run.
pub struct Bench {
    /// The release build of the product.
    pub product: PathBuf,
    /// The release build of this program: the raw client.
    pub raw: PathBuf,
    /// For data, logs and certificates; emptied at the start.
    pub work: PathBuf,
    pub million: bool,
}

pub fn run(options: &Options) -> Result<Verdict> {
    let scenarios = if options.scenarios.is_empty() { EXISTING } else { &options.scenarios };
    if let Some(later) = scenarios.iter().find(|scenario| !EXISTING.contains(scenario)) {
        bail!("scenario {later:?} comes with the part of the product that it measures");
    }
    if let Some(refusal) = bring(scenarios)? {
        eprintln!("\n{refusal}");
        return Ok(Verdict::CannotRun);
    }
    let (bench, folder) = prepare(options)?;
    let mut figures = Vec::new();
    let mut failed = Vec::new();
    for scenario in scenarios {
        shell::heading(&format!("scenario {scenario:?}"));
        let before = figures.len();
        let outcome = measure(*scenario, &bench, &mut figures);
        figures[before..].iter().for_each(Figure::tell);
        if let Err(error) = outcome {
            eprintln!("scenario {scenario:?}: {error:#}");
            failed.push(scenario);
        }
    }
    shell::heading("all figures");
    print!("{}", figure::table(&figures));
    let latest = folder.join("latest.json");
    fs::write(&latest, serde_json::to_vec_pretty(&figures)?).context("cannot write latest.json")?;
    println!("\nwritten to target/bench/latest.json");
    Ok(Verdict::of(failed.is_empty()))
}

/// Adds the figures of one scenario; those found before an error stay.
fn measure(scenario: Scenario, bench: &Bench, figures: &mut Vec<Figure>) -> Result<()> {
    match scenario {
        Scenario::A => scenario::checks::measure(bench, figures),
        Scenario::B => scenario::hold::measure(bench, figures),
        Scenario::C => scenario::memory::measure(bench, figures),
        Scenario::D => scenario::grid::measure(bench, figures),
        Scenario::E => scenario::list::measure(bench, figures),
        Scenario::H => scenario::react::measure(bench, figures),
        Scenario::I => scenario::size::measure(bench, figures),
        Scenario::Fleet => {
            scenario::queues::measure(figures)?;
            scenario::fleet::measure(bench, figures)
        }
        Scenario::F => scenario::beats::measure(bench, figures),
        Scenario::G => bail!("comes later"),
    }
}

/// The target must be there; a peer or an emulator that cannot be had is left out.
fn bring(scenarios: &[Scenario]) -> Result<Option<String>> {
    shell::heading("what the measurement needs");
    if let Some(refusal) = test::bring(test::needs::BENCH)? {
        return Ok(Some(refusal));
    }
    if let Some(refusal) = test::bring(test::needs::PEERS)? {
        println!("{refusal}\nwithout it the peer is left out");
    }
    if scenarios.contains(&Scenario::Fleet)
        && let Some(refusal) = bring_emulator()?
    {
        println!("{refusal}\nwithout it SQS is left out");
    }
    Ok(None)
}

/// As the tests bring it.
fn bring_emulator() -> Result<Option<String>> {
    if let Some(refusal) = test::bring(test::needs::EMULATOR)? {
        return Ok(Some(refusal));
    }
    // What goes wrong on the way is no reason to measure nothing.
    test::bring_python(&test::needs::python_of(&[test::Layer::Contract]))
        .or_else(|error| Ok(Some(format!("{error:#}"))))
}

/// Builds product and raw client, and empties the working folder.
fn prepare(options: &Options) -> Result<(Bench, PathBuf)> {
    let target = Metadata::load()?.target_directory;
    let folder = target.join("bench");
    let (product, raw) = match &options.product {
        Some(product) => (product.clone(), std::env::current_exe()?),
        None => build(&target.join("release"))?,
    };
    let work = folder.join("work");
    if work.exists() {
        fs::remove_dir_all(&work).context("cannot empty target/bench/work")?;
    }
    fs::create_dir_all(&work).context("cannot make target/bench/work")?;
    Ok((Bench { product, raw, work, million: options.million }, folder))
}

/// Product and raw client.
fn build(release: &Path) -> Result<(PathBuf, PathBuf)> {
    shell::heading("release builds");
    ensure!(shell::run(&mut shell::cargo(ci::RELEASE))?, "the product does not build");
    let xtask = ["build", "--release", "-p", "xtask"];
    ensure!(shell::run(&mut shell::cargo(&xtask))?, "the raw client does not build");
    Ok((release.join("bellwether"), release.join("xtask")))
}
