//! The simulation as a test: fixed seeds, fresh ones, every seed that once found something, restarts, and every mutant.

mod kept;
mod mutants;
mod node;
mod restart;
mod seeds;

use bw_sim::{Options, Violation};

/// What a person needs to see it again.
fn tell(broken: &[(Options, Vec<Violation>)]) -> String {
    let line = |options: &Options, violation: &Violation| {
        let Violation { invariant, sentence } = violation;
        format!("cargo run -p bw-sim -- --seeds 1 --base {}: {invariant}: {sentence}", options.seed)
    };
    let lines = broken.iter().flat_map(|(options, all)| all.iter().map(move |one| line(options, one)));
    lines.collect::<Vec<_>>().join("\n")
}
