//! `import …`: what another system watches, made here through the interface. Each line says what became of one thing.
//! A second run finds what the first one made, and leaves it as it is.

mod export;
mod healthchecks;
mod heartbeat;
mod project;

use super::args::ImportCommand;
use crate::answer::Outcome;

/// Runs one of them.
pub fn run(command: ImportCommand) -> Outcome {
    match command {
        ImportCommand::Heartbeat(args) => heartbeat::run(&args),
        ImportCommand::Healthchecks(args) => healthchecks::run(&args),
    }
}
