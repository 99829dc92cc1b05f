//! Starts the simulation with the flags given; what it does and prints is `bw-sim`'s own.

use anyhow::Result;
use clap::Args;

use crate::{Verdict, shell};

#[derive(Args)]
pub struct Options {
    /// How many seeds.
    #[arg(long, value_name = "N")]
    seeds: u32,
    /// How many nodes share the simulated store.
    #[arg(long, value_name = "1..5", value_parser = clap::value_parser!(u8).range(1..=5))]
    nodes: Option<u8>,
    /// Simulate a deliberately broken variant, which must be caught.
    #[arg(long, value_name = "NAME")]
    mutant: Option<String>,
    /// How many hours each seed lives.
    #[arg(long, value_name = "N")]
    hours: Option<u32>,
    /// The first seed.
    #[arg(long, value_name = "SEED")]
    base: Option<u64>,
}

pub fn run(options: &Options) -> Result<Verdict> {
    let mut cargo = shell::cargo(&["run", "--quiet", "-p", "bw-sim", "--"]);
    Ok(Verdict::of(shell::run(cargo.args(arguments(options)))?))
}

fn arguments(options: &Options) -> Vec<String> {
    let given = [
        ("--seeds", Some(options.seeds.to_string())),
        ("--nodes", options.nodes.map(|nodes| nodes.to_string())),
        ("--mutant", options.mutant.clone()),
        ("--hours", options.hours.map(|hours| hours.to_string())),
        ("--base", options.base.map(|base| base.to_string())),
    ];
    let flag = |(name, value): (&str, Option<String>)| value.map(|value| [name.to_owned(), value]);
    given.into_iter().filter_map(flag).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_given_is_passed_on() {
        let options = Options { seeds: 8, nodes: Some(3), mutant: None, hours: None, base: Some(7) };
        assert_eq!(arguments(&options), ["--seeds", "8", "--nodes", "3", "--base", "7"]);
    }
}
