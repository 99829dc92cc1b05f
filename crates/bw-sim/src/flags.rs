//! The five flags of the command line.

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flags {
    pub seeds: u64,
    pub nodes: usize,
    /// A name, or `all`.
    pub mutant: Option<String>,
    pub hours: Option<u64>,
    pub base: Option<u64>,
}

/// How to use them.
pub const USAGE: &str = "bw-sim [--seeds N] [--nodes 1..5] [--mutant NAME|all] [--hours N] [--base SEED]";

impl Flags {
    /// Reads them; an error is a sentence.
    pub fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut flags = Flags { seeds: 64, nodes: 1, mutant: None, hours: None, base: None };
        while let Some(flag) = words.next() {
            let value = words.next().ok_or_else(|| format!("{flag} needs a value: {USAGE}"))?;
            let number = || value.parse::<u64>().map_err(|_| format!("{flag}: `{value}` is no number"));
            match flag.as_str() {
                "--seeds" => flags.seeds = number()?,
                "--nodes" => flags.nodes = number()? as usize,
                "--mutant" => flags.mutant = Some(value),
                "--hours" => flags.hours = Some(number()?),
                "--base" => flags.base = Some(number()?),
                _ => return Err(format!("`{flag}` is no flag: {USAGE}")),
            }
        }
        if (1..=5).contains(&flags.nodes) { Ok(flags) } else { Err("--nodes is from 1 to 5".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Flags, String> {
        Flags::read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags() {
        let flags = read("--seeds 8 --nodes 3 --base 7").expect("good flags");
        assert_eq!((flags.seeds, flags.nodes, flags.base, flags.mutant), (8, 3, Some(7), None));
        for line in ["--seeds", "--seeds x", "--nodes 6", "--colour red"] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
