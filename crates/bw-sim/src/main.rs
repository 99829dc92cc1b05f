//! The simulation from the command line. The last line says how it went; what fails is made small and kept.

mod flags;

use bw_sim::{FIXED, Mutant, Options, catch, fresh, judge, judge_all, keep, shrink};
use flags::Flags;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let done = match Flags::read(std::env::args().skip(1)) {
        Ok(flags) => run(&flags, &mut out),
        Err(sentence) => writeln!(out, "{sentence}").map(|()| false),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

/// True when everything is as it must be.
fn run(flags: &Flags, out: &mut impl Write) -> io::Result<bool> {
    match &flags.mutant {
        Some(name) => mutants(name, out),
        None => seeds(flags, out),
    }
}

fn seeds(flags: &Flags, out: &mut impl Write) -> io::Result<bool> {
    let base = flags.base.unwrap_or_else(fresh);
    writeln!(out, "base={base}")?;
    let Flags { nodes, hours, .. } = *flags;
    let options = |offset| Options { seed: base.wrapping_add(offset), nodes, hours, ..Options::default() };
    let all: Vec<Options> = (0..flags.seeds).map(options).collect();
    let failed = judge_all(&all, None);
    for (options, broken) in &failed {
        let first = &broken[0];
        for violation in broken {
            writeln!(out, "seed {}: {}: {}", options.seed, violation.invariant, violation.sentence)?;
        }
        let same =
            |smaller: &Options| judge(smaller, None).iter().any(|other| other.invariant == first.invariant);
        let small = shrink(options, same);
        let found = judge(&small, None).into_iter().find(|other| other.invariant == first.invariant);
        let found = found.unwrap_or_else(|| first.clone());
        let name = keep(&small, &format!("{}: {}", found.invariant, found.sentence))?;
        writeln!(out, "seed {}: kept as {name}", options.seed)?;
    }
    writeln!(out, "seeds={} failed={} caught=0", all.len(), failed.len())?;
    Ok(failed.is_empty())
}

fn mutants(name: &str, out: &mut impl Write) -> io::Result<bool> {
    let chosen: Vec<Mutant> =
        Mutant::ALL.iter().copied().filter(|m| name == "all" || m.name() == name).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = Mutant::ALL.iter().map(|mutant| mutant.name()).collect();
        writeln!(out, "there is no mutant `{name}`: {}", names.join(", "))?;
        return Ok(false);
    }
    let mut caught = 0;
    for mutant in &chosen {
        match catch(*mutant) {
            Some((seed, broken)) => {
                caught += 1;
                let first = &broken[0];
                let names: Vec<&str> = broken.iter().map(|violation| violation.invariant).collect();
                writeln!(
                    out,
                    "{} is caught by {} at seed {seed}: {}",
                    mutant.name(),
                    names.join(", "),
                    first.sentence
                )?;
            }
            None => writeln!(out, "{} is not caught", mutant.name())?,
        }
    }
    let failed = chosen.len() - caught;
    writeln!(out, "seeds={FIXED} failed={failed} caught={caught}")?;
    Ok(failed == 0)
}
